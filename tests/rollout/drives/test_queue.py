# SPDX-License-Identifier: Apache-2.0
"""The help queue: one request, one team, at most one proof; given back after its time."""

import datetime

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from tests.builders import drives as build

from bluezone.identity.models import AuditEntry
from bluezone.rollout.drives import help_queue, help_requests, lifecycle, retention
from bluezone.rollout.drives.help_requests import help_by_unit
from bluezone.rollout.drives.models import HelpOutcome, HelpProof, HelpRequest, HelpState, Hindrance

pytestmark = pytest.mark.django_db
NOW = datetime.datetime(2020, 8, 15, 2, 0, tzinfo=datetime.UTC)
MINUTE = datetime.timedelta(minutes=1)


@pytest.fixture
def wards():
    return build.city()


@pytest.fixture
def youth(wards):
    return build.team()


@pytest.fixture
def women(wards):
    return build.team("Tổ phụ nữ", "hoi-lhpn")


def test_a_request_is_taken_on_by_one_team_alone(wards, youth, women):
    asked = build.help_request(unit=wards[0])
    help_queue.claim_request("lan", asked, youth, NOW)
    with pytest.raises(help_queue.HelpTaken):
        help_queue.claim_request("hoa", HelpRequest.objects.get(), women, NOW + MINUTE)
    with pytest.raises(help_queue.HelpNotYours):
        help_queue.close_as_helped("hoa", asked, [women.pk], HelpProof.ATTESTED, NOW)

    assert HelpRequest.objects.get().team == youth
    assert not HelpOutcome.objects.exists()


def test_a_request_held_too_long_may_be_taken_on_by_others_and_not_before(wards, youth, women):
    asked = build.help_request()
    help_queue.claim_request("lan", asked, youth, NOW)
    with pytest.raises(help_queue.HelpTaken):
        help_queue.claim_request("hoa", asked, women, NOW + help_queue.CLAIM_LIFE - MINUTE)
    help_queue.claim_request("hoa", asked, women, NOW + help_queue.CLAIM_LIFE)
    assert asked.team == women

    retention.purge(NOW + 2 * help_queue.CLAIM_LIFE)
    asked.refresh_from_db()
    assert (asked.state, asked.team) == (HelpState.OPEN, None)


def test_one_that_was_given_back_is_open_and_one_that_is_closed_is_not(wards, youth, women):
    asked = build.help_request()
    help_queue.claim_request("lan", asked, youth, NOW)
    help_queue.release_request("lan", asked, [youth.pk], NOW)
    help_queue.claim_request("hoa", asked, women, NOW)
    help_queue.close_as_not_helped("hoa", asked, [women.pk], Hindrance.NOT_REACHED, NOW)

    assert HelpRequest.objects.get().state == HelpState.CANNOT
    assert HelpOutcome.objects.get().hindrance == Hindrance.NOT_REACHED
    with pytest.raises(help_queue.HelpTaken):
        help_queue.claim_request("lan", asked, youth, NOW + 2 * help_queue.CLAIM_LIFE)


def test_the_same_phone_is_not_counted_by_two_teams(wards, youth, women):
    first, second = build.help_request("0912 345 678"), build.help_request("gọi +84912345678, chị Hoa")
    help_queue.claim_request("lan", first, youth, NOW)
    help_queue.claim_request("hoa", second, women, NOW)
    help_queue.close_as_helped("lan", first, [youth.pk], HelpProof.ATTESTED, NOW)
    booked = help_queue.close_as_helped("hoa", second, [women.pk], HelpProof.ATTESTED, NOW + MINUTE)

    assert (booked.result, booked.proof) == ("other", "none")
    assert HelpOutcome.objects.filter(result="running").count() == 1
    assert HelpRequest.objects.get(pk=second.pk).state == HelpState.DONE


def test_the_database_itself_keeps_a_second_outcome_and_a_second_use_of_a_proof_out(wards, youth, women):
    asked = build.help_request()
    help_queue.claim_request("lan", asked, youth, NOW)
    outcome = help_queue.close_as_helped("lan", asked, [youth.pk], HelpProof.ATTESTED, NOW)
    copy = {"day": outcome.day, "result": "running", "proof": "attested", "closed_at": NOW}
    with pytest.raises(IntegrityError), transaction.atomic():
        HelpOutcome.objects.create(request=asked, team=women, **copy)
    with pytest.raises(IntegrityError), transaction.atomic():
        HelpOutcome.objects.create(team=women, **{**copy, "proof": "proven"})


def test_a_proof_needs_a_pass_at_the_drives_own_radio_and_stands_for_one_request(wards, youth):
    device, _token = build.radio(youth.agency)
    drive = build.drive(youth, wards[0], NOW)
    lifecycle.open_drive("lan", drive, NOW, device)
    here = [help_requests.join_stall(drive) for _ in range(3)]
    for each in here:
        help_queue.claim_request("lan", each, youth, NOW)
    with pytest.raises(help_queue.HelpProofMissing):
        help_queue.close_as_helped("lan", here[0], [youth.pk], HelpProof.PROVEN, NOW)
    assert HelpRequest.objects.get(pk=here[0].pk).state == HelpState.CLAIMED

    build.running_phones(drive, device, 2, NOW)
    numbers = [
        help_queue.close_as_helped("lan", each, [youth.pk], HelpProof.PROVEN, NOW).proof_number for each in here[:2]
    ]
    assert numbers == [1, 2]
    with pytest.raises(help_queue.HelpProofMissing):
        help_queue.close_as_helped("lan", here[2], [youth.pk], HelpProof.PROVEN, NOW)

    help_queue.reopen_request("lan", HelpOutcome.objects.get(proof_number=1), NOW)
    assert help_queue.count_free_proofs(drive, NOW) == 1
    assert help_queue.count_free_proofs(drive, NOW + 2 * help_queue.PROOF_LIFE) == 0


def test_passes_at_a_drive_are_in_no_share_of_the_wards_gates(wards, youth):
    from bluezone.rollout.gates.queries import RunningAtGates, gates_under
    from bluezone.rollout.report_week import Week

    device, _token = build.radio(youth.agency)
    drive = build.drive(youth, wards[0], NOW)
    lifecycle.open_drive("lan", drive, NOW, device)
    build.running_phones(drive, device, 9, NOW)

    assert list(RunningAtGates().figures(Week.of(NOW.date()))) == []
    assert not gates_under(None).exists()


def test_what_a_unit_gets_of_help_is_counted_by_unit_and_day(wards, youth, women):
    song_cau, duc_xuan = wards
    now = timezone.now()
    today = timezone.localdate(now)
    device, _token = build.radio(youth.agency)
    drive = build.drive(youth, song_cau, now - 2 * build.HOUR)
    lifecycle.open_drive("lan", drive, now - 2 * build.HOUR, device)
    stall, waiting = help_requests.join_stall(drive), build.help_request("0912 000 001", unit=song_cau)
    build.help_request("0912 000 002", unit=duc_xuan)
    build.help_request("0912 000 003")
    help_queue.claim_request("lan", stall, youth, now)
    help_queue.close_as_helped("lan", stall, [youth.pk], HelpProof.ATTESTED, now)
    help_queue.claim_request("lan", waiting, youth, now)
    lifecycle.enter_tally("lan", drive, 1, {"running": 3, "other_help": 1, "no_smartphone": 2, "could_not": 1})

    found = help_by_unit(today - datetime.timedelta(days=1), today)
    assert found[song_cau.pk].claimed == 1
    assert (found[song_cau.pk].done, found[song_cau.pk].could_not) == (5, 3)
    assert found[song_cau.pk].helper_hours == pytest.approx(8, abs=0.1)
    assert (found[duc_xuan.pk].open, found[duc_xuan.pk].helper_hours) == (1, None)
    assert sum(each.free_teams for each in found.values()) == 1
    assert found[women.agency.unit_id].free_teams == 1
    last_year = today - datetime.timedelta(days=365)
    assert help_by_unit(last_year, last_year)[song_cau.pk].done == 0


def test_tickets_of_a_stall_hold_nothing_of_the_person_and_go_after_a_day(wards, youth):
    drive = build.drive(youth, wards[0], NOW)
    lifecycle.open_drive("lan", drive, NOW)
    ticket = help_requests.join_stall(drive)
    assert help_requests.open_texts(ticket) == help_requests.HelpTexts("", "", "")
    help_queue.claim_request("lan", ticket, youth, NOW)
    help_queue.close_as_helped("lan", ticket, [youth.pk], HelpProof.ATTESTED, NOW)
    HelpRequest.objects.update(opened_at=NOW)
    retention.purge(NOW + datetime.timedelta(days=1, seconds=1))

    assert not HelpRequest.objects.exists()
    assert HelpOutcome.objects.get().request is None


def test_every_step_of_queue_and_drive_is_in_the_audit_without_anything_of_the_person(wards, youth):
    drive = build.drive(youth, wards[0], NOW)
    lifecycle.open_drive("lan", drive, NOW)
    asked = build.help_request()
    help_queue.claim_request("lan", asked, youth, NOW)
    help_queue.close_as_helped("lan", asked, [youth.pk], HelpProof.ATTESTED, NOW, drive)
    assert lifecycle.close_drive("lan", drive, NOW) == 0
    with pytest.raises(lifecycle.DriveStateWrong):
        lifecycle.open_drive("lan", drive, NOW)

    acts = [entry.action for entry in AuditEntry.objects.exclude(action="entry_made").order_by("number")]
    assert acts == ["drive_planned", "drive_opened", "help_claimed", "help_closed", "drive_closed"]
    assert "0912" not in repr([entry.details for entry in AuditEntry.objects.all()])
