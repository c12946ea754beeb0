# SPDX-License-Identifier: Apache-2.0
"""Acts on directives are in the hash chain, each with who and on what, and the chain still fits."""

import pytest
from django.db import connection
from django.db.utils import DatabaseError
from tests.builders.directives import DAY, NOW, approve_letter, door_to_door, enter_letter, issue_letter, send_letter

from bluezone.audit import hash_chain
from bluezone.directory.models import Agency
from bluezone.identity.models import AuditEntry
from bluezone.refusal import Refused
from bluezone.rollout.directives.inbox import dispatch_acts
from bluezone.rollout.directives.issuance import approval
from bluezone.rollout.directives.models import Directive, DispatchState
from bluezone.rollout.directives.reports import agency_reports


def acts():
    """What was done, after the planting of the directory."""
    planted = ["entry_made", "entry_changed"]
    return list(AuditEntry.objects.exclude(action__in=planted).order_by("number").values_list("actor", "action"))


@pytest.mark.long
def test_the_life_of_a_directive_is_in_the_chain(committee, clerk, signer):
    directive = issue_letter(committee, clerk, signer)
    ward = Agency.objects.get(key="ubnd-phuong-song-cau")
    dispatch_acts.move(directive.dispatches.get(agency=ward), DispatchState.SENT_BACK, clerk, NOW, note="Gửi nhầm")
    task = door_to_door(directive)
    report = agency_reports.submit(task, ward, task.report_from, {"people": 5}, "", clerk, NOW + DAY)
    agency_reports.give_back(report, "Thiếu số", signer, NOW + DAY)
    agency_reports.submit(task, ward, task.report_from, {"people": 6}, "", clerk, NOW + DAY)
    report.refresh_from_db()
    agency_reports.accept(report, signer, NOW + DAY)
    later = enter_letter(committee, clerk)
    Directive.objects.filter(pk=later.pk).update(number="470", replaces=directive.pk)
    later.refresh_from_db()
    approve_letter(later, clerk, signer)
    approval.reopen(later, clerk, NOW)
    send_letter(later, clerk, signer)
    approval.revoke(later, "Nhầm", clerk, NOW)

    assert acts() == [
        ("clerk", "directive_submitted"),
        ("signer", "directive_approved"),
        ("clerk", "directive_issued"),
        ("clerk", "document_sent_back"),
        ("signer", "report_returned"),
        ("signer", "report_locked"),
        ("clerk", "directive_submitted"),
        ("signer", "directive_approved"),
        ("clerk", "directive_reopened"),
        ("clerk", "directive_submitted"),
        ("signer", "directive_approved"),
        ("clerk", "directive_issued"),
        ("clerk", "directive_replaced"),
        ("clerk", "directive_revoked"),
    ]
    assert hash_chain.verify_chain().broken_at is None
    first = AuditEntry.objects.filter(action="directive_approved").earliest("number")
    assert (first.subject, first.details) == (
        f"directive {directive.pk}",
        {"document": "458/UBND-VP", "sha256": directive.approved_version.sha256, "names_signer": False},
    )


def test_an_act_that_is_refused_leaves_no_entry(committee, clerk, signer):
    directive = issue_letter(committee, clerk, signer)
    before = acts()
    for act in (
        lambda: approval.approve(directive, "0" * 64, signer, NOW),
        lambda: approval.issue(directive, clerk, NOW),
    ):
        with pytest.raises(Refused):
            act()

    assert acts() == before


def test_a_changed_entry_is_found(committee, clerk, signer):
    issue_letter(committee, clerk, signer)
    if connection.vendor != "sqlite":
        pytest.skip("the guard is taken away by a statement of SQLite")
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER audit_never_changes")
    entry = AuditEntry.objects.get(action="directive_issued")
    AuditEntry.objects.filter(number=entry.number).update(actor="signer")

    assert hash_chain.verify_chain().broken_at == entry.number


def test_the_log_of_a_dispatch_is_still_append_only(directive):
    event = directive.dispatches.first().events.first()
    with pytest.raises(DatabaseError, match="append-only"):
        type(event).objects.filter(pk=event.pk).update(note="x")
