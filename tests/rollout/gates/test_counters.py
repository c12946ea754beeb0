# SPDX-License-Identifier: Apache-2.0
import datetime
import json
import time
import uuid
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from tests.builders import devices
from tests.builders.devices import bearer_header
from tests.builders.gates import gate

from bluezone.edge.gate.book import UNDO_SECONDS, GateBook
from bluezone.edge.gate.check import GateCheck
from bluezone.edge.gate.city import GateCity
from bluezone.edge.gate.desk import GateDesk
from bluezone.edge.gate.passages import PROOF_OF as GATE_PROOF_OF
from bluezone.edge.gate.passages import Passage
from bluezone.rollout.gates import counters, registry
from bluezone.rollout.gates.counters import came_in, gate_days, store_counters, without_a_day
from bluezone.rollout.gates.models import (
    PROOF_OF,
    Gate,
    GateCounter,
    GateDay,
    Gatekeeper,
    PaperSlip,
    Shift,
    UndatedCounter,
    Verdict,
)
from bluezone.rollout.gates.queries import CodeFresh, RunningAtGates, SeenAtGates, people_inside
from bluezone.rollout.report_week import Week

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = int(devices.NOW.timestamp()) // 300 * 300
DAY = 86_400
TODAY = datetime.date(2020, 8, 10)
PATH = "/v1/gates/counters"


def post(public, token, **said):
    return public.post(PATH, said, content_type="application/json", **bearer_header(token))


def refusal(answer):
    return answer.status_code, answer.json()["error"]["code"]


def test_the_gate_and_the_office_speak_of_the_same_verdicts_and_classes():
    assert {verdict.value: proof.value for verdict, proof in PROOF_OF.items()} == GATE_PROOF_OF


def test_an_empty_word_tells_the_time_the_gate_and_the_roster(public, open_gate):
    made, token = open_gate
    registry.nominate("clerk", made, "Hà Thị Lan", timezone.localdate(), phone="0209 387", now=timezone.now())
    told = post(public, token).json()

    assert abs(told["server_time"] - timezone.now().timestamp()) < 60
    assert told["gate"] == {
        "number": made.number, "name": "Cổng chính", "agency": "UBND phường Sông Cầu", "closed": False,
        "sharing_key": told["gate"]["sharing_key"],
        "others": {"day": timezone.localdate().isoformat(), "inside": 0, "tablets": {}, "paper": 0},
    }  # fmt: skip
    assert len(bytes.fromhex(told["gate"]["sharing_key"])) == 32
    assert [(one["name"], len(one["badge"])) for one in told["roster"]] == [("Hà Thị Lan", 16)]
    # With a space, because digits alone may stand in the drawn hexadecimals beside it.
    assert "0209 387" not in str(told["roster"])


class Tablet:
    """One tablet's book and desk, and its exchange with the office."""

    def __init__(self, public, token, path):
        self.now = float(int(timezone.now().timestamp()))
        self.public, self.token = public, token
        self.book = GateBook(path, lambda: self.now)
        self.desk = GateDesk(self.book, GateCity(self.book, lambda: self.now), check(), lambda: None)

    def count(self, people, direction="in", verdict="told"):
        for _ in range(people):
            self.book.enter(Passage(direction, verdict))

    def exchange(self, days=0):
        self.now += UNDO_SECONDS + 1 + days * DAY
        counters = self.book.unsent()
        rows = [[one.bucket, one.passage.direction, one.passage.verdict, one.count] for one in counters]
        answer = post(self.public, self.token, counters=rows)
        assert answer.status_code == 200
        self.book.sent(counters)
        self.book.put("gate", json.dumps(answer.json()["gate"]))

    @property
    def inside(self):
        return self.desk.state()["inside"]


def check():
    return GateCheck(bytes(4), tuple, time.monotonic, time.time)


def test_two_tablets_of_one_gate_and_the_office_say_one_number_inside(public, open_gate, tmp_path):
    made, token = open_gate
    device, other_token = devices.connected_device(made.agency, name="Máy hai", now=timezone.now())
    registry.put_device("clerk", device, made)
    one = Tablet(public, token, tmp_path / "one")
    two = Tablet(public, other_token, tmp_path / "two")
    one.count(12)
    two.count(4, "out", "out")
    for tablet in (one, two, one):
        tablet.exchange()

    today = timezone.localdate()
    assert (one.inside, two.inside, people_inside(made, today).now) == (8, 8, 8)
    # At once, and not with the next exchange, for what this tablet counts itself.
    two.count(1, "out", "out")
    assert (one.inside, two.inside) == (8, 7)
    # Everybody stays inside at midnight.
    two.now += DAY
    assert two.inside == 7


def test_each_tablet_is_told_what_the_others_counted_and_one_key_for_all_of_a_gate(public, open_gate, tmp_path):
    made, token = open_gate
    device, other_token = devices.connected_device(made.agency, name="Máy 2", now=timezone.now())
    registry.put_device("clerk", device, made)
    strange, strange_token = gate("Cổng khác", now=timezone.now())
    one = Tablet(public, token, tmp_path / "one")
    one.count(3)
    one.count(1, "out", "out")
    one.exchange()
    PaperSlip.objects.create(gate=made, day=timezone.localdate(), part="morning", no_smartphone=5)

    mine, theirs, strangers = (post(public, one).json()["gate"] for one in (token, other_token, strange_token))
    (told,) = theirs["others"]["tablets"].values()
    assert told == {"told": 3, "out": 1}
    assert (theirs["others"]["paper"], theirs["others"]["inside"]) == (5, 7)
    assert mine["others"]["tablets"] == strangers["others"]["tablets"] == {}
    assert mine["sharing_key"] == theirs["sharing_key"] != strangers["sharing_key"]
    assert strange.pk != made.pk


def test_a_paper_slip_is_part_of_the_number_inside_at_the_tablet(public, open_gate, tmp_path):
    made, token = open_gate
    PaperSlip.objects.create(gate=made, day=timezone.localdate(), part="morning", no_smartphone=5, went_out=2)
    tablet = Tablet(public, token, tmp_path / "one")
    tablet.count(1)
    tablet.exchange()
    assert tablet.inside == 4


def test_a_queue_that_is_sent_twice_counts_once(public, open_gate):
    made, token = open_gate
    bucket = int(timezone.now().timestamp()) // 300 * 300 - 300
    rows = [[bucket, "in", "running", 7], [bucket, "out", "out", 3], [bucket, "in", "no_smartphone", 2]]
    answers = [post(public, token, counters=rows) for _ in range(3)]

    assert [(answer.status_code, answer.json()["accepted"]) for answer in answers] == [(200, 3)] * 3
    day = timezone.localdate(datetime.datetime.fromtimestamp(bucket, datetime.UTC))
    assert came_in(gate_days(day, day)[made.pk, day]) == 9
    assert people_inside(made, day).now == 6


def test_a_later_word_may_only_raise_a_counter(open_gate):
    made, _ = open_gate
    device = made.devices.get().device_id
    for count in (5, 3, 8, 8, 1):
        store_counters(device, made, [[NOW, "in", "running", count]], NOW, ZONE)

    assert GateCounter.objects.get().count == 8


def test_a_counter_that_stands_twice_in_one_call_is_one_and_the_larger(open_gate):
    made, _ = open_gate
    rows = [[NOW, "in", "running", 4], [NOW, "in", "running", 9], [NOW, "in", "running", 2]]

    assert store_counters(made.devices.get().device_id, made, rows, NOW, ZONE).accepted == 3
    assert GateCounter.objects.get().count == 9


def test_two_lanes_of_a_gate_are_added_and_never_merged(open_gate):
    made, _ = open_gate
    second, _ = devices.connected_device(made.agency, name="Làn 2")
    for device_id in (made.devices.get().device_id, second.pk):
        store_counters(device_id, made, [[NOW, "in", "running", 4]], NOW, ZONE)

    assert gate_days(TODAY, TODAY)[made.pk, TODAY][Verdict.RUNNING] == 8


@pytest.mark.parametrize(
    "row",
    [
        None, [], [NOW], [NOW, "in", "running", 0], [NOW, "in", "running", -1], [NOW, "in", "running", 10_001],
        [NOW + 1, "in", "running", 1], [-300, "in", "running", 1], [NOW, "out", "running", 1], [NOW, "in", "out", 1],
        [NOW, "in", "green", 1], [NOW, "in", "running", True], [float(NOW), "in", "running", 1],
        [2**60, "in", "told", 1], [NOW, ["in"], "running", 1], [NOW, "in", {"a": 1}, 1], {"bucket": NOW},
    ],
)  # fmt: skip
def test_a_row_that_is_no_counter_is_left_out_and_holds_up_no_other(public, open_gate, row):
    _, token = open_gate
    good = [int(timezone.now().timestamp()) // 300 * 300, "in", "running", 1]
    answer = post(public, token, counters=[row, good])

    assert (answer.status_code, answer.json()["accepted"], answer.json()["invalid"]) == (200, 1, 1)
    assert GateCounter.objects.get().count == 1


@pytest.mark.parametrize("off", [365 * DAY, 3 * 3_600, -31 * DAY, -2 * 365 * DAY])
def test_a_passage_that_a_wrong_clock_dated_is_kept_without_a_day_and_holds_up_no_other(public, open_gate, off):
    """Tablets of before send such rows among the others, and go by the answer's status alone."""
    made, token = open_gate
    bucket = int(timezone.now().timestamp()) // 300 * 300
    wrong = (bucket + off) // 300 * 300
    rows = [[wrong, "in", "told", 3], [bucket, "in", "running", 2], [wrong, "out", "out", 1]]
    answers = [post(public, token, counters=rows) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert (answers[0].json()["accepted"], answers[0].json()["undated"]) == (1, 2)
    assert GateCounter.objects.get().count == 2
    assert without_a_day(made) == 4


def test_a_device_that_knows_that_its_clock_was_wrong_says_so(public, open_gate):
    made, token = open_gate
    yesterday = int(timezone.now().timestamp()) // 300 * 300 - DAY
    answer = post(public, token, undated=[[yesterday, "in", "told", 3], [yesterday, "in", "told", 2]])

    assert (answer.json()["accepted"], answer.json()["undated"]) == (0, 2)
    assert not GateCounter.objects.exists()
    assert without_a_day(made) == 3


def test_a_counter_without_a_day_is_no_part_of_what_the_device_counts_when_that_time_comes(open_gate):
    made, _ = open_gate
    device = made.devices.get().device_id
    ahead = NOW + 3 * 3_600
    store_counters(device, made, [[ahead, "in", "told", 3]], NOW, ZONE)
    for _ in range(2):
        # The device goes on counting in the same five minutes, and its number is the sum of both.
        store_counters(device, made, [[ahead, "in", "told", 5]], ahead, ZONE)
    store_counters(device, made, [], ahead, ZONE, [[ahead, "in", "told", 6]])

    assert GateCounter.objects.get().count == 2
    assert without_a_day(made) == 4


def test_passages_without_a_day_are_forgotten_by_the_day_on_which_they_were_received(open_gate):
    made, _ = open_gate
    device = made.devices.get().device_id
    store_counters(device, made, [[NOW - 900 * DAY, "in", "told", 3], [NOW + 900 * DAY, "in", "told", 4]], NOW, ZONE)
    counters.purge(devices.NOW + datetime.timedelta(days=30))
    assert without_a_day(made) == 7
    counters.purge(devices.NOW + datetime.timedelta(days=32))

    assert not UndatedCounter.objects.exists()


def test_passages_without_a_day_are_in_no_share(open_gate):
    made, _ = open_gate
    rows = [[NOW, "in", "running", 1], [NOW, "in", "told", 1], [NOW + DAY, "in", "told", 8]]
    store_counters(made.devices.get().device_id, made, rows, NOW, ZONE)
    (figure,) = RunningAtGates().figures(Week.of(TODAY))

    assert (figure.count, figure.base) == (1, 2)


@pytest.mark.parametrize(("token", "status"), [("", 401), ("nobody", 401)])
def test_only_a_connected_gate_is_heard(public, open_gate, token, status):
    assert post(public, token, counters=[]).status_code == status


def test_another_kind_of_device_is_not_heard(public, open_gate):
    made, _ = open_gate
    _, token = devices.connected_device(made.agency, kind="speaker", name="Loa", now=timezone.now())

    assert refusal(post(public, token)) == (403, "device_kind_refused")


def test_a_gate_that_was_closed_meanwhile_still_gives_what_it_holds(public, open_gate):
    made, token = open_gate
    Gate.objects.filter(pk=made.pk).update(closed_at=timezone.now())
    bucket = int(timezone.now().timestamp()) // 300 * 300
    told = post(public, token, counters=[[bucket, "in", "told", 2]]).json()

    assert (told["accepted"], told["gate"]["closed"], told["roster"]) == (1, True, [])


def test_a_day_keeps_its_sum_after_30_days_and_nothing_finer(open_gate):
    made, _ = open_gate
    device = made.devices.get().device_id
    rows = [[NOW + 300 * step, "in", verdict, 3] for step in range(4) for verdict in ("running", "told")]
    store_counters(device, made, [*rows, [NOW, "out", "out", 5]], NOW + 1_200, ZONE)
    before = gate_days(TODAY, TODAY)
    later = devices.NOW + datetime.timedelta(days=32)
    counters.purge(later)
    counters.purge(later)

    assert gate_days(TODAY, TODAY) == before
    assert before[made.pk, TODAY] == {Verdict.RUNNING: 12, Verdict.TOLD: 12, Verdict.OUT: 5}
    assert not GateCounter.objects.exists()
    assert GateDay.objects.count() == 3


def test_a_day_that_may_still_grow_is_not_summed_up(open_gate):
    made, _ = open_gate
    store_counters(made.devices.get().device_id, made, [[NOW, "in", "running", 1]], NOW, ZONE)
    counters.purge(devices.NOW + datetime.timedelta(days=30))

    assert GateCounter.objects.exists()


def test_shifts_are_taken_once_and_forgotten_after_90_days(public, open_gate):
    made, token = open_gate
    badge = registry.nominate("clerk", made, "Hà Thị Lan", timezone.localdate(), now=timezone.now())
    started = int(timezone.now().timestamp()) - 3_600
    shift = {"id": str(uuid.uuid4()), "badge": badge.gatekeeper.badge, "started": started}
    for ended in (None, started + 600, started + 900):
        assert post(public, token, shifts=[{**shift, "ended": ended}]).status_code == 200

    found = Shift.objects.get()
    assert (found.ended_at - found.started_at).total_seconds() == 600
    counters.purge(timezone.now() + datetime.timedelta(days=90))
    assert not Shift.objects.exists()


def test_a_nomination_is_forgotten_90_days_after_its_end(open_gate):
    made, _ = open_gate
    kept = registry.nominate("clerk", made, "Ma Văn Bình", TODAY, now=devices.NOW).gatekeeper
    ended = registry.nominate("clerk", made, "Hà Thị Lan", TODAY, now=devices.NOW).gatekeeper
    registry.end("clerk", ended, TODAY)
    counters.purge(devices.NOW + datetime.timedelta(days=91))

    assert list(Gatekeeper.objects.all()) == [kept]


@pytest.mark.parametrize("shift", [{}, {"id": "x"}, "shift", {"id": str(uuid.uuid4()), "badge": "b", "started": "now"}])
def test_what_is_no_shift_is_left_out_and_holds_up_no_counter(public, open_gate, shift):
    made, token = open_gate
    badge = registry.nominate("clerk", made, "Hà Thị Lan", timezone.localdate(), now=timezone.now())
    started = int(timezone.now().timestamp()) - 3_600
    good = {"id": str(uuid.uuid4()), "badge": badge.gatekeeper.badge, "started": started, "ended": None}
    row = [int(timezone.now().timestamp()) // 300 * 300, "in", "running", 1]

    assert post(public, token, counters=[row], shifts=[shift, good]).status_code == 200
    assert Shift.objects.get().gatekeeper == badge.gatekeeper
    assert GateCounter.objects.get().count == 1


def test_a_badge_is_renewed_with_another_pin_and_the_pin_is_stored_nowhere(open_gate):
    made, _ = open_gate
    first = registry.nominate("clerk", made, "Hà Thị Lan", TODAY, now=devices.NOW)
    second = registry.new_badge("clerk", first.gatekeeper)
    kept = Gatekeeper.objects.get()

    assert first.text != second.text
    assert registry.pin_hash(second.pin, bytes.fromhex(kept.pin_salt)).hex() == kept.pin_hash
    # Six digits may stand in what was drawn or counted in microseconds.
    told = {name: value for name, value in vars(kept).items() if name not in ("badge", "pin_salt", "pin_hash")}
    assert second.pin not in str([value for value in told.values() if not isinstance(value, datetime.datetime)])


def test_three_shares_of_the_same_passages_stand_side_by_side(open_gate):
    made, _ = open_gate
    counts = {"running": 60, "valid_code": 10, "screen_seen": 6, "asked_before": 4, "told": 20, "no_smartphone": 9}
    store_counters(made.devices.get().device_id, made, [[NOW, "in", v, n] for v, n in counts.items()], NOW, ZONE)
    week = Week.of(TODAY)
    figures = [list(indicator.figures(week)) for indicator in (RunningAtGates(), CodeFresh(), SeenAtGates())]

    assert [[(one.count, one.base) for one in each] for each in figures] == [[(60, 100)], [(10, 100)], [(10, 100)]]


class ReplaysCannotDouble(TestCase):
    """Any order and repetition of a tablet's words ends with the last and largest of each counter."""

    @settings(max_examples=25, deadline=None)
    @given(
        st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["running", "told"]), st.integers(1, 50)), max_size=30)
    )
    def test_any_order(self, words):
        made, _ = gate()
        device = made.devices.get().device_id
        expected = {}
        for step, verdict, count in words + words[::-1]:
            store_counters(device, made, [[NOW + 300 * step, "in", verdict, count]], NOW + 1_200, ZONE)
            expected[step, verdict] = max(expected.get((step, verdict), 0), count)

        stored = GateCounter.objects.values_list("bucket", "verdict", "count")
        assert {((bucket - NOW) // 300, verdict): count for bucket, verdict, count in stored} == expected
