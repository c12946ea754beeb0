# SPDX-License-Identifier: Apache-2.0
"""A refusal is told in the reader's language, with what was kept and what to do next."""

from django.utils import translation

from bluezone.refusal import Refused
from bluezone.rollout.directives.issuance.addressees import RecipientUnknown
from bluezone.rollout.directives.issuance.approval import DirectiveIncomplete
from bluezone.rollout.directives.reports.agency_reports import ReportSettled
from bluezone.rollout.directives.sentences import sentence_of


class Another(Refused):
    """One without a sentence."""

    code = "another_refusal"


def test_each_refusal_has_its_sentence_and_another_says_its_code():
    with translation.override("en"):
        said = [sentence_of(one) for one in (ReportSettled("x"), Another("x"))]

    assert said == [
        "This report has already been checked. What was entered before is kept.",
        "Refused (another_refusal). Nothing was stored.",
    ]


def test_names_that_nobody_knows_and_fields_that_are_missing_are_named():
    with translation.override("en"):
        unknown = sentence_of(RecipientUnknown(("Sở Thủy lợi", "Hội A")))
        missing = sentence_of(DirectiveIncomplete(("number", "lead of II.2", "unheard_of")))

    assert "Not in the directory: Sở Thủy lợi; Hội A." in unknown
    assert "Still missing: Number of the document, the lead agency for task II.2, unheard_of." in missing
