# SPDX-License-Identifier: Apache-2.0
"""Công văn 458 from its text to the inboxes of everybody it names, and back."""

import pytest
from django.db import DatabaseError, transaction
from tests.builders.directives import DAY, LETTER, NOW, taken_in

from bluezone.rollout.directives.inbox import dispatch_acts
from bluezone.rollout.directives.issuance import approval, intake
from bluezone.rollout.directives.issuance.addressees import RecipientUnknown
from bluezone.rollout.directives.models import Directive, Dispatch, DispatchState


def test_the_letter_is_proposed_with_six_tasks_and_recipients(committee, clerk):
    directive = intake.take_in(LETTER.encode(), "", committee, clerk, NOW, keep=False)

    assert (directive.code, str(directive.date), directive.signer_name) == (
        "458/UBND-VP",
        "2020-08-07",
        "Nguyễn Thị Hué",
    )
    assert directive.basis.startswith("4482/UBND-VXNV ngày 04/08/2020")
    assert directive.authority.splitlines() == ["TM. ỦY BAN NHÂN DÂN", "KT. CHỦ TỊCH"]
    assert directive.tasks.count() == 6
    assert directive.recipients_action.splitlines() == [
        "Các phòng, ban, đơn vị, ngành, đoàn thể thành phố",
        "UBND các xã, phường",
    ]
    assert [task.lead_names for task in directive.tasks.all()][2] == "Thành đoàn\nHội Liên hiệp Phụ nữ thành phố"
    assert directive.proposal["seen"]["number"]["passage"] == "458/UBND-VP"


def test_issuing_makes_one_dispatch_for_each_ward_and_agency(directive):
    wards = directive.dispatches.filter(agency__key__startswith="ubnd-phuong").count()
    communes = directive.dispatches.filter(agency__key__startswith="ubnd-xa").count()

    assert directive.state == "issued"
    assert wards + communes == 8
    assert directive.dispatches.filter(purpose="action").count() == 31
    assert directive.dispatches.filter(purpose="information", agency__key="ubnd-tp").count() == 1
    assert all(task.parties.exists() for task in directive.tasks.all())


def test_a_draft_without_a_lead_or_with_an_unknown_name_is_not_approved(committee, clerk, signer):
    directive = intake.take_in(LETTER.encode(), "", committee, clerk, NOW, keep=False)
    with pytest.raises(approval.DirectiveIncomplete) as missing:
        approval.approve(directive, signer, NOW)
    assert missing.value.missing == ("lead of 2",)

    directive.tasks.filter(lead_names="").update(lead_names="UBND các xã, phường")
    Directive.objects.filter(pk=directive.pk).update(recipients_action="Sở Thủy lợi\nThành đoàn")
    with pytest.raises(RecipientUnknown) as unknown:
        approval.approve(directive, signer, NOW)
    assert unknown.value.names == ("Sở Thủy lợi",)


def test_a_letter_is_issued_once_and_registered_once(directive, committee, clerk, signer):
    with pytest.raises(approval.DirectiveStateWrong):
        approval.issue(directive, clerk, NOW)
    again = taken_in(committee, clerk)
    with pytest.raises(approval.DirectiveRepeated):
        approval.approve(again, signer, NOW)


def test_a_failure_half_way_issues_nothing(committee, clerk, signer, monkeypatch):
    directive = taken_in(committee, clerk)
    approval.approve(directive, signer, NOW)
    monkeypatch.setattr(approval, "DispatchEvent", None)
    with pytest.raises(AttributeError):
        approval.issue(directive, clerk, NOW)

    directive.refresh_from_db()
    assert directive.state == "approved"
    assert Dispatch.objects.count() == 0


def test_a_recall_reaches_an_unopened_inbox_and_blocks_it(directive, clerk):
    dispatch = directive.dispatches.get(agency__key="ubnd-phuong-song-cau")
    approval.revoke(directive, "Ban hành nhầm", clerk, NOW + DAY)

    assert dispatch.events.first().what == "revoked"
    with pytest.raises(dispatch_acts.DirectiveNotInForce):
        dispatch_acts.move(dispatch, DispatchState.RECEIVED, clerk, NOW + DAY)


def test_a_replacement_ends_the_earlier_letter(directive, committee, clerk, signer):
    newer = taken_in(committee, clerk, text=LETTER.replace("458/UBND-VP", "460/UBND-VP"))
    newer.replaces = directive
    newer.save()
    approval.approve(newer, signer, NOW)
    approval.issue(newer, clerk, NOW)
    directive.refresh_from_db()

    assert directive.state == "replaced"
    assert directive.dispatches.first().events.first().note == "460/UBND-VP"


def test_the_database_keeps_the_log_of_a_dispatch(directive):
    event = directive.dispatches.first().events.first()
    with pytest.raises(DatabaseError), transaction.atomic():
        type(event).objects.filter(pk=event.pk).update(note="anders")
    with pytest.raises(DatabaseError), transaction.atomic():
        event.delete()
