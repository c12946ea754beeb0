# SPDX-License-Identifier: Apache-2.0
import datetime
import json

import pytest
from tests.builders.bulletins import NOW, approved_bulletin, machine, make_people, schedule_bulletin, station, zone
from tests.builders.devices import bearer_header
from tests.devices.conftest import public

from bluezone.devices.models import Device
from bluezone.rollout.bulletins.air import air_log as bulletins_airing
from bluezone.rollout.bulletins.air import timetable
from bluezone.rollout.bulletins.air.air_log import AiringOutcome, airings_between, log_rows, sum_rows
from bluezone.rollout.bulletins.indicators import AiredAttested
from bluezone.rollout.bulletins.models import Airing, Bulletin
from bluezone.rollout.loudspeakers import zone_setup
from bluezone.rollout.loudspeakers.models import Assignment, Playing, Unit
from bluezone.rollout.loudspeakers.playback import AiredProven
from bluezone.rollout.report_week import Week

__all__ = ["public"]
pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


@pytest.fixture
def place():
    return zone()


@pytest.fixture
def speaker(place):
    return machine(place)


@pytest.fixture
def airing(place, speaker):
    schedule_bulletin(approved_bulletin(seconds=2.0), place.outlet)
    return Airing.objects.order_by("due_at").first()


def report(airing, outcome="played", late=0.0, sink="ffplay", **more):
    began = airing.due_at.timestamp() + late
    values = {"began": began, "ended": began + 2, "heard": 2.0, "interrupted": 0.0, "reason": ""}
    if outcome == "missed":
        values = {"reason": "was_off"}
    return {"airing": airing.key, "outcome": outcome, "sink": sink, **values, **more}


def tell(client, token, **body):
    return client.post("/v1/speakers/played", json.dumps(body), content_type="application/json", **bearer_header(token))


def row_of(airing, now=None):
    found = airings_between(airing.due_at, airing.due_at + DAY).get(pk=airing.pk)
    return log_rows([found], now or airing.due_at + DAY)[0]


def test_a_report_that_comes_twice_counts_once_and_the_first_word_stays(client, public, speaker, airing):
    for late in (0.0, 0.0, 500.0):
        answer = tell(client, speaker[1], played=[report(airing, late=late)])
        assert (answer.status_code, answer.json()["accepted"]) == (200, 1)

    assert Playing.objects.count() == 1
    assert (row_of(airing).aired, row_of(airing).proven.aired) == (AiringOutcome.AIRED, 1)


@pytest.mark.parametrize(
    ("told", "word"),
    [
        ({"late": 90.0}, AiringOutcome.LATE),
        ({"outcome": "preempted"}, AiringOutcome.PREEMPTED),
        ({"outcome": "missed"}, AiringOutcome.MISSED),
        ({"sink": "null"}, AiringOutcome.UNHEARD),
        ({"sink": "file"}, AiringOutcome.UNHEARD),
        ({}, AiringOutcome.AIRED),
    ],
)
def test_late_cut_short_missed_and_unheard_airings_are_called_so(client, public, speaker, airing, told, word):
    tell(client, speaker[1], played=[report(airing, **told)])
    assert row_of(airing).aired is word


def test_what_broke_off_is_not_called_not_aired_and_what_was_said_again_is_called_so(client, public, speaker, airing):
    began = airing.due_at.timestamp()
    cut = {"began": began, "ended": began + 8, "heard": 8.0, "reason": "cut_off"}
    tell(client, speaker[1], played=[report(airing, "missed", **cut)])
    assert row_of(airing).aired is AiringOutcome.BROKEN_OFF
    assert (row_of(airing).proven.aired, row_of(airing).proven.silent) == (0, 0)

    Playing.objects.all().delete()
    tell(client, speaker[1], played=[report(airing, reason="said_again", late=30.0, earlier=[[began, 8.0]])])
    assert (row_of(airing).aired, row_of(airing).proven.again) == (AiringOutcome.AIRED, 1)
    assert Playing.objects.get().earlier == [[began, 8.0]]


@pytest.mark.parametrize("earlier", [5, [[1.0]], [["x", 1.0]], [[1.0, -1.0]], [[1.0, 2.0]] * 101])
def test_earlier_attempts_that_are_none_are_refused(client, public, speaker, airing, earlier):
    answer = tell(client, speaker[1], played=[report(airing, earlier=earlier)])
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "speaker_report_invalid")


def test_a_machine_without_a_loudspeaker_that_broke_off_was_heard_by_nobody(client, public, speaker, airing):
    cut = {"began": airing.due_at.timestamp(), "heard": 8.0, "reason": "cut_off", "sink": "null"}
    tell(client, speaker[1], played=[report(airing, "missed", **cut)])
    assert row_of(airing).aired is AiringOutcome.MISSED


@pytest.mark.parametrize(
    ("told", "word", "on_second"),
    [
        ({"second": {"sink": "rtp", "heard": 2.0}}, "played", 1),
        ({"second": {"sink": "file", "heard": 2.0}}, "played", 0),
        ({"second": {"sink": "rtp", "heard": 0.5}}, "played", 0),
        ({"second": {"sink": "rtp", "heard": 2.0}, "sink": "null"}, "played", 1),
        ({"second": {"sink": "rtp", "heard": 2.0}, "reason": "second_only", "heard": 0.0}, "played", 1),
        ({"second": {"sink": "file", "heard": 2.0}, "reason": "second_only", "heard": 0.0}, "unheard", 0),
    ],
)
def test_the_log_says_that_an_emergency_had_its_tone_and_a_second_channel(
    client, public, speaker, airing, told, word, on_second
):
    tell(client, speaker[1], played=[report(airing, tone=3.0, **told)])

    proven = row_of(airing).proven
    assert (getattr(proven, word), proven.on_second, proven.with_tone) == (1, on_second, int(word == "played"))


@pytest.mark.parametrize("more", [{"tone": -1}, {"tone": "3"}, {"second": [2]}, {"second": {"heard": "all"}}])
def test_a_tone_or_a_second_channel_that_is_none_is_refused(client, public, speaker, airing, more):
    assert tell(client, speaker[1], played=[report(airing, **more)]).status_code == 422
    assert not Playing.objects.exists()


def test_silence_is_called_silence_and_a_late_word_is_still_taken(client, public, speaker, airing):
    assert row_of(airing, airing.due_at).aired is AiringOutcome.TO_COME
    assert row_of(airing).aired is AiringOutcome.SILENT
    tell(client, speaker[1], played=[report(airing)])
    assert row_of(airing).aired is AiringOutcome.AIRED


def test_what_was_played_after_it_left_the_plan_is_in_the_log_all_the_same(client, public, speaker, airing):
    key, due = airing.key, airing.due_at
    timetable.stop_schedule(airing.schedule, make_people()[0], NOW)
    assert not Airing.objects.exists()

    answer = tell(client, speaker[1], played=[{**report(airing), "airing": key}, {**report(airing), "airing": "1-2-3"}])
    assert answer.json() | {"server_time": 0} == {"server_time": 0, "accepted": 1, "unknown": 1}
    assert Airing.objects.get(key=key).due_at == due


@pytest.mark.parametrize(
    "rows",
    [["x"], [{}], [{"airing": "a", "outcome": "sung"}], [{"airing": "a", "outcome": "played"}], "x",
     [{"airing": "a", "outcome": "played", "began": "now"}], [{"airing": "a", "outcome": "missed", "heard": -1}]],
)  # fmt: skip
def test_a_report_that_is_none_is_refused_whole(client, public, speaker, airing, rows):
    good = [report(airing)] if isinstance(rows, list) else []
    answer = tell(client, speaker[1], played=good + rows if isinstance(rows, list) else rows)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "speaker_report_invalid")
    assert not Playing.objects.exists()


def test_a_report_of_the_future_says_that_the_clock_is_wrong(client, public, speaker, airing):
    future = datetime.datetime.now(datetime.UTC).timestamp() + 1200
    answer = tell(client, speaker[1], played=[report(airing, began=future)])
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "speaker_clock_wrong")


def test_a_machine_says_how_it_is(client, public, speaker):
    tell(client, speaker[1], status={"sink": "aplay", "clock_off": 1200, "missing": 2, "problem": "clock_wrong"})
    unit = Unit.objects.get()
    assert (unit.sink, unit.clock_off_seconds, unit.missing, unit.problem) == ("aplay", 1200.0, 2, "clock_wrong")
    assert tell(client, speaker[1], status={"clock_off": "far"}).status_code == 422


def test_of_a_call_that_is_refused_the_status_is_not_taken_either(client, public, speaker, airing):
    assert tell(client, speaker[1], status={"sink": "aplay"}, played=[report(airing, heard=-1)]).status_code == 422
    assert (Unit.objects.get().sink, Unit.objects.get().heard_at) == ("", None)


def test_proven_and_attested_stand_apart_in_the_log_and_in_coverage(client, public, speaker, airing):
    radio = station()
    schedule_bulletin(approved_bulletin(seconds=2.0, title="Trên đài"), radio)
    on_radio = Airing.objects.filter(outlet=radio).order_by("due_at").first()
    tell(client, speaker[1], played=[report(airing)])
    bulletins_airing.attest_airing(
        on_radio, make_people()[0], on_radio.due_at + DAY, link="https://example.org/ban-tin"
    )

    counts = sum_rows(log_rows(list(airings_between(NOW, NOW + DAY)), NOW + DAY))
    assert (counts.machine_airings, counts.proven) == (1, 1)
    assert (counts.other_airings, counts.attested) == (1, 1)
    week = Week.of(NOW.date())
    proven, attested = list(AiredProven().figures(week)), list(AiredAttested().figures(week))
    # Two days of the week: due on each of seven, played and said on one.
    assert (sum(one.count for one in proven), sum(one.base for one in proven)) == (1, 7)
    assert (sum(one.count for one in attested), sum(one.base for one in attested)) == (1, 7)
    assert AiredProven.proof is not AiredAttested.proof


def test_practice_is_in_no_plan_and_no_figure(place, speaker):
    from bluezone.rollout.loudspeakers.plan_server import plan_of
    from bluezone.training import practice, purge

    with practice():
        schedule_bulletin(approved_bulletin(seconds=2.0), place.outlet)
        assert Airing.objects.count() > 0
    assert not Airing.objects.exists()
    assert plan_of(place.pk, int(NOW.timestamp()))["items"] == []
    assert list(AiredProven().figures(Week.of(NOW.date()))) == []
    # After seven days it is gone as a whole.
    purge(NOW + 8 * DAY)
    assert not Airing.everything.exists()
    assert not Bulletin.everything.exists()


def figures_of(indicator):
    """Count and base of the week of NOW, seen a day after it."""
    found = list(indicator().figures(Week.of(NOW.date())))
    return sum(one.count for one in found), sum(one.base for one in found)


def set_by_hand(place, by_hand, now):
    quiet = place.outlet.quiet_from, place.outlet.quiet_to
    zone_setup.configure_zone("bien", place, 80, quiet, now, by_hand=by_hand)
    place.refresh_from_db()


def test_a_machine_that_comes_later_changes_nothing_of_what_was_played_by_hand_before(place):
    schedule_bulletin(approved_bulletin(seconds=2.0), place.outlet)
    first, second, *_ = Airing.objects.order_by("due_at")
    bulletins_airing.attest_airing(first, make_people()[0], first.due_at)
    before = figures_of(AiredProven), figures_of(AiredAttested)
    # In the week after, so that the whole week before stays.
    machine(place, now=NOW + 7 * DAY)

    assert (row_of(first).aired, row_of(first).proven) == (AiringOutcome.AIRED, None)
    assert (row_of(second).aired, row_of(second).proven) == (AiringOutcome.SILENT, None)
    assert (figures_of(AiredProven), figures_of(AiredAttested)) == before == ((0, 0), (1, 7))


def test_a_second_machine_counts_from_when_it_came(client, public, place, speaker, airing):
    tell(client, speaker[1], played=[report(airing)])
    machine(place, "Loa 2", now=airing.due_at + datetime.timedelta(hours=1))
    after = Airing.objects.get(due_at=airing.due_at + DAY)

    assert (row_of(airing).aired, row_of(airing).proven.machines) == (AiringOutcome.AIRED, 1)
    assert row_of(after).proven.machines == 2


def test_a_machine_put_elsewhere_cut_off_or_a_zone_played_by_hand_leaves_the_past_as_it_was(place, speaker, airing):
    kept, after = airing, Airing.objects.get(due_at=airing.due_at + DAY)
    between = airing.due_at + datetime.timedelta(hours=1)
    set_by_hand(place, True, between)
    assert (row_of(kept).proven.machines, row_of(after).proven) == (1, None)
    set_by_hand(place, False, between)
    assert (row_of(kept).proven.machines, row_of(after).proven.machines) == (1, 1)

    other = zone("Tổ 6")
    zone_setup.assign_machine("bien", speaker[0], other, between)
    assert (row_of(kept).proven.machines, row_of(after).proven) == (1, None)
    zone_setup.assign_machine("bien", speaker[0], place, between)
    Device.objects.filter(pk=speaker[0].pk).update(token_digest=None, revoked_at=between)
    assert (row_of(kept).proven.machines, row_of(after).proven) == (1, None)


def test_what_is_said_of_an_airing_of_a_silent_machine_is_attested_until_the_machine_reports(
    client, public, place, speaker, airing
):
    assert figures_of(AiredProven) == (0, 7)
    bulletins_airing.attest_airing(airing, make_people()[0], airing.due_at)
    assert (row_of(airing).aired, row_of(airing).proven) == (AiringOutcome.AIRED, None)
    assert (figures_of(AiredProven), figures_of(AiredAttested)) == ((0, 6), (1, 1))

    tell(client, speaker[1], played=[report(airing, late=90.0)])
    assert (row_of(airing).aired, row_of(airing).proven.aired) == (AiringOutcome.LATE, 1)
    assert (figures_of(AiredProven), figures_of(AiredAttested)) == ((1, 7), (0, 0))


def test_machines_that_were_in_a_zone_before_assignments_were_kept_play_there_since_their_enrolment(place, speaker):
    from importlib import import_module

    from django.apps import apps

    Assignment.objects.all().delete()
    machine(zone("Tổ 6", by_hand=True), "Loa 2")
    import_module("bluezone.rollout.loudspeakers.migrations.0003_machines_of_before").begin(apps, None)

    kept = Assignment.objects.get()
    assert (kept.device, kept.zone, kept.since, kept.until) == (speaker[0], place, speaker[0].enrolled_at, None)


@pytest.mark.parametrize(
    ("street", "counts"), [("heard", (1, 1)), ("not_heard", (0, 1)), ("not_known", (0, 0)), ("", (0, 0))]
)
def test_what_a_microphone_says_is_a_proof_of_its_own_and_changes_no_other(
    client, public, speaker, airing, street, counts
):
    tell(client, speaker[1], played=[report(airing, street=street)])

    row = row_of(airing)
    said = sum_rows([row])
    assert (said.in_street, said.listened) == counts
    assert (row.aired, said.proven, said.machine_airings, said.attested) == (AiringOutcome.AIRED, 1, 1, 0)


@pytest.mark.parametrize("street", ["perhaps", 1, ["heard"]])
def test_a_word_of_the_street_that_is_none_is_refused(client, public, speaker, airing, street):
    answer = tell(client, speaker[1], played=[report(airing, street=street)])
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "speaker_report_invalid")
