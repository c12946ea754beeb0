# SPDX-License-Identifier: Apache-2.0
"""Each refusal in the reader's language: what happened, what was kept, what to do next."""

from django.utils.translation import gettext as _

from bluezone.refusal import Refused
from bluezone.rollout.directives.expanding import RecipientUnknown
from bluezone.rollout.directives.issuing import DirectiveIncomplete


def of(refused: Refused) -> str:
    """The sentence for a refusal; one without a sentence of its own says its code."""
    if isinstance(refused, RecipientUnknown):
        return _("Not in the directory: %(names)s. Correct the names or enter the agencies; nothing was sent.") % {
            "names": "; ".join(refused.names)
        }
    if isinstance(refused, DirectiveIncomplete):
        return _("Still missing: %(names)s. Complete the draft; nothing was approved.") % {
            "names": ", ".join(_field(name) for name in refused.missing)
        }
    return _sentences().get(refused.code) or _("Refused (%(code)s). Nothing was stored.") % {"code": refused.code}


def _field(name: str) -> str:
    if name.startswith("lead of "):
        return _("who leads task %(label)s") % {"label": name.removeprefix("lead of ")}
    return {
        "number": _("Number of the document"),
        "notation": _("Notation"),
        "date": _("Date of the document"),
        "signer_name": _("Signer"),
        "recipients_action": _("For action"),
    }.get(name, name)


def _sentences() -> dict[str, str]:
    return {
        "not_a_directive": _(
            "This does not look like an administrative letter. Nothing was stored. "
            "Paste it whole, from the national title to Nơi nhận."
        ),
        "letter_too_large": _(
            "The letter is larger than a letter is. Nothing was stored. Send it without attachments."
        ),
        "letter_unreadable": _(
            "The file is damaged, protected or of a kind that is not read. Nothing was stored. Save it as DOCX or PDF."
        ),
        "letter_encoding_legacy": _(
            "The text is in an old font (TCVN3 or VNI). Nothing was stored. Convert it to Unicode and paste it again."
        ),
        "file_type_refused": _("Files are kept as PDF, DOCX, XLSX, JPEG, PNG, TIFF or plain text. Nothing was stored."),
        "file_too_large": _("The file is larger than 10 MB. Nothing was stored. Make it smaller and send it again."),
        "directive_state_wrong": _("Somebody else has moved this document on. Look at its state below."),
        "directive_repeated": _("A document of this number and day is registered already. Check the number."),
        "directive_not_in_force": _("The issuer has recalled or replaced this document. Do not act on it."),
        "act_out_of_order": _("This step does not follow from the state shown. Nothing was changed."),
        "undo_too_late": _("The ten seconds are over. Nothing was changed."),
        "agency_not_below": _("A document is passed on only to agencies below one’s own. Nothing was sent."),
        "not_a_party": _("This task does not name this agency. Nothing was stored."),
        "request_open": _("The agency waits for the answer to an earlier request."),
        "request_answered": _("Somebody has answered this request already."),
        "report_period_locked": _("This period is locked or has not begun. What was entered before is kept."),
        "report_settled": _("This report was checked already. What was entered before is kept."),
    }
