# SPDX-License-Identifier: Apache-2.0
"""Công văn 458 from its text to the inboxes of everybody it names, and back."""

import pytest
from django.db import DatabaseError, transaction
from tests.builders.directives import DAY, LETTER, NOW, WARD_KEYS, approve_letter, enter_letter, person, send_letter

from bluezone.directory.models import Agency
from bluezone.rollout.directives.inbox import dispatch_acts
from bluezone.rollout.directives.issuance import approval, intake, versions
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
        approval.submit(directive, clerk, NOW)
    assert missing.value.missing == ("lead of 2",)

    directive.tasks.filter(lead_names="").update(lead_names="UBND các xã, phường")
    Directive.objects.filter(pk=directive.pk).update(recipients_action="Sở Thủy lợi\nThành đoàn")
    with pytest.raises(RecipientUnknown) as unknown:
        approval.submit(directive, clerk, NOW)
    assert unknown.value.names == ("Sở Thủy lợi",)


def test_a_letter_is_issued_once_and_registered_once(directive, committee, clerk, signer):
    with pytest.raises(approval.DirectiveStateWrong):
        approval.issue(directive, clerk, NOW)
    again = enter_letter(committee, clerk)
    with pytest.raises(approval.DirectiveRepeated):
        approval.submit(again, clerk, NOW)


def test_a_failure_half_way_issues_nothing(committee, clerk, signer, monkeypatch):
    directive = enter_letter(committee, clerk)
    approve_letter(directive, clerk, signer)
    monkeypatch.setattr(approval, "DispatchEvent", None)
    with pytest.raises(AttributeError):
        approval.issue(directive, clerk, NOW, on_paper=True)

    directive.refresh_from_db()
    assert directive.state == "approved"
    assert Dispatch.objects.count() == 0


def test_a_recall_reaches_an_unopened_inbox_and_blocks_it(directive, clerk):
    dispatch = directive.dispatches.get(agency__key="ubnd-phuong-song-cau")
    approval.revoke(directive, "Ban hành nhầm", clerk, NOW + DAY)

    assert dispatch.events.first().what == "revoked"
    with pytest.raises(dispatch_acts.DirectiveNotInForce):
        dispatch_acts.move(dispatch, DispatchState.RECEIVED, clerk, NOW + DAY)


@pytest.mark.long
def test_a_replacement_ends_the_earlier_letter(directive, committee, clerk, signer):
    newer = enter_letter(committee, clerk, text=LETTER.replace("458/UBND-VP", "460/UBND-VP"))
    newer.replaces = directive
    newer.save()
    send_letter(newer, clerk, signer)
    directive.refresh_from_db()

    assert directive.state == "replaced"
    assert directive.dispatches.first().events.first().note == "460/UBND-VP"


def test_the_database_keeps_the_log_of_a_dispatch(directive):
    event = directive.dispatches.first().events.first()
    with pytest.raises(DatabaseError), transaction.atomic():
        type(event).objects.filter(pk=event.pk).update(note="anders")
    with pytest.raises(DatabaseError), transaction.atomic():
        event.delete()


@pytest.mark.parametrize("field", ["notation", "signer_name", "recipients_action"])
def test_nothing_that_a_letter_must_have_may_be_missing(committee, clerk, field):
    directive = enter_letter(committee, clerk)
    Directive.objects.filter(pk=directive.pk).update(**{field: ""})

    with pytest.raises(approval.DirectiveIncomplete) as missing:
        approval.submit(directive, clerk, NOW)
    assert missing.value.missing == (field,)


def test_number_and_day_follow_the_signature_and_are_not_after_today(committee, clerk, signer):
    directive = enter_letter(committee, clerk)
    Directive.objects.filter(pk=directive.pk).update(number="", date=None)
    directive.refresh_from_db()
    version = approve_letter(directive, clerk, signer)
    with pytest.raises(approval.DirectiveIncomplete) as missing:
        approval.issue(directive, clerk, NOW, on_paper=True)
    assert missing.value.missing == ("number", "date")
    with pytest.raises(approval.DirectiveAhead):
        approval.give_number(directive, "458", NOW.date() + DAY, clerk, NOW)
    approval.give_number(directive, "458", NOW.date(), clerk, NOW)
    approval.issue(directive, clerk, NOW, on_paper=True)

    assert (directive.state, directive.code, directive.approved_version) == ("issued", "458/UBND-VP", version)


def test_a_letter_whose_names_mean_others_meanwhile_is_neither_confirmed_nor_sent(committee, clerk, signer):
    directive, ward = enter_letter(committee, clerk), Agency.objects.filter(key=WARD_KEYS[1])
    seen = approval.submit(directive, clerk, NOW).sha256
    ward.update(valid_to=NOW.date())
    with pytest.raises(approval.DirectiveChanged, match="other agencies"):
        approval.approve(directive, seen, signer, NOW, for_another=True)
    ward.update(valid_to=None)
    approval.approve(directive, seen, signer, NOW, for_another=True)
    ward.update(valid_to=NOW.date())
    with pytest.raises(approval.DirectiveChanged, match="other agencies"):
        approval.issue(directive, clerk, NOW, on_paper=True)

    assert Dispatch.objects.count() == 0


def test_a_number_goes_to_whichever_letter_is_confirmed_first_and_no_letter_is_sent_before_its_day(
    committee, clerk, signer
):
    first, second = enter_letter(committee, clerk), enter_letter(committee, clerk)
    seen = [approval.submit(one, clerk, NOW).sha256 for one in (first, second)]
    approval.approve(first, seen[0], signer, NOW, for_another=True)
    with pytest.raises(approval.DirectiveRepeated):
        approval.approve(second, seen[1], signer, NOW, for_another=True)
    with pytest.raises(approval.DirectiveAhead):
        approval.issue(first, clerk, NOW - DAY, on_paper=True)

    assert Dispatch.objects.count() == 0


def test_a_signer_is_shown_what_changed_since_they_saw_it_and_not_since_another_did(committee, clerk, signer):
    directive, other = enter_letter(committee, clerk), person("other", "issuer")
    first = approval.submit(directive, clerk, NOW)
    versions.note_seen(first, signer, NOW)
    approval.take_back(directive, clerk, NOW)
    Directive.objects.filter(pk=directive.pk).update(subject="V/v cài đặt Bluezone tại chợ")
    second = approval.submit(Directive.objects.get(pk=directive.pk), clerk, NOW)

    assert [versions.last_seen(directive, who, second) for who in (signer, other)] == [first, None]


def test_each_agency_gets_it_once_for_the_strongest_purpose_and_who_leads_does_not_cooperate(committee, clerk, signer):
    directive = enter_letter(committee, clerk)
    lead, acts, knows = (Agency.objects.get(key=f"ubnd-{key}") for key in ("phuong-song-cau", "phuong-duc-xuan", "tp"))
    everybody = {"recipients_action": acts.name, "recipients_information": f"{acts.name}\n{knows.name}"}
    Directive.objects.filter(pk=directive.pk).update(**everybody, recipients_file=knows.name)
    directive.tasks.exclude(label="2").delete()
    directive.tasks.update(lead_names=lead.name, cooperating_names=f"{lead.name}\n{acts.name}")
    directive.refresh_from_db()
    approve_letter(directive, clerk, signer)
    sent = approval.issue(directive, clerk, NOW, on_paper=True)
    parties = {party.agency: party.role for party in directive.tasks.get().parties.all()}

    assert {one.agency: one.purpose for one in directive.dispatches.all()} == {
        acts: "action",
        knows: "information",
        lead: "action",
    }
    assert (sent, parties) == (3, {lead: "lead", acts: "cooperating"})
    assert approval.dispatch(directive, [(lead, "action")], clerk, NOW) == [], "it has it"


@pytest.mark.long
def test_an_approval_is_somebodys_and_is_gone_when_the_letter_is_opened_again(committee, clerk, signer):
    directive = enter_letter(committee, clerk)
    approve_letter(directive, clerk, signer)
    assert (directive.approved_by, directive.approved_at) == (signer, NOW)
    with pytest.raises(approval.DirectiveStateWrong):
        approval.revoke(directive, "Nhầm", clerk, NOW)
    approval.reopen(directive, clerk, NOW)

    assert (directive.state, directive.approved_by, directive.approved_at) == ("draft", None, None)
    with pytest.raises(approval.DirectiveStateWrong):
        approval.issue(directive, clerk, NOW)


@pytest.mark.long
def test_a_letter_that_revokes_another_is_the_reason_of_it(directive, committee, clerk, signer):
    newer = enter_letter(committee, clerk, text=LETTER.replace("458/UBND-VP", "460/UBND-VP"))
    newer.replaces, newer.ending = directive, "revoked"
    newer.save()
    approve_letter(newer, clerk, signer)
    approval.issue(newer, clerk, NOW + DAY, on_paper=True)
    directive.refresh_from_db()

    assert (directive.state, directive.revoke_reason, directive.revoked_at) == ("revoked", "460/UBND-VP", NOW + DAY)
    assert directive.dispatches.first().events.first().what == "revoked"


def test_a_long_reason_is_cut_and_what_came_from_another_office_is_recalled_by_that_one(directive, clerk):
    Directive.objects.filter(pk=directive.pk).update(from_file=True)
    with pytest.raises(approval.DirectiveStateWrong, match="another office"):
        approval.revoke(directive, "Nhầm", clerk, NOW)
    Directive.objects.filter(pk=directive.pk).update(from_file=False)
    approval.revoke(directive, "x" * 400, clerk, NOW)

    assert directive.revoke_reason == directive.dispatches.first().events.first().note == "x" * 300
