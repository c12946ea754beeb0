# SPDX-License-Identifier: Apache-2.0
import json

import pytest

from bluezone.edge.gate.book import GateBook
from bluezone.edge.gate.check import GateCheck
from bluezone.edge.gate.city import GateCity
from bluezone.edge.gate.desk import GateDesk
from bluezone.edge.gate.passages import PassageInvalid
from bluezone.edge.gate.shifts import SCRYPT, BadgeUnknown, NobodyOnDuty, PinLocked, PinWrong
from bluezone.rollout.gates.registry import SCRYPT as OFFICE_SCRYPT
from bluezone.rollout.gates.registry import pin_hash

MORNING = 1_795_595_100.0  # 07:25 on 25 November 2026 in Bắc Kạn
SALT = bytes(range(16))


class Clock:
    now = MORNING

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def book(tmp_path, clock):
    opened = GateBook(tmp_path / "gate.sqlite3", clock)
    entry = {"badge": "00" * 8, "name": "Hà Thị Lan", "salt": SALT.hex(), "hash": pin_hash("402817", SALT).hex()}
    days = {"since": "2026-11-25", "until": "2026-11-30"}
    opened.put(
        "roster", json.dumps([{**entry, **days}, {**entry, "badge": "01" * 8, "since": "2026-12-01", "until": ""}])
    )
    yield opened
    opened.close()


@pytest.fixture
def desk(book, clock):
    return GateDesk(book, GateCity(book, clock), GateCheck(b"gate", tuple, clock, clock), lambda: None)


def test_a_badge_and_its_pin_begin_a_shift_without_network(desk):
    assert desk.sign_in("BZGK:" + "00" * 8, " 402817 ")["name"] == "Hà Thị Lan"
    assert desk.state()["duty"]["name"] == "Hà Thị Lan"


def test_the_office_and_the_gate_hash_a_pin_alike():
    assert SCRYPT == OFFICE_SCRYPT


@pytest.mark.parametrize("badge", ["", "02" * 8, "01" * 8, "BZG1:000", "😀"])
def test_a_badge_that_is_not_of_this_gate_today_is_unknown(desk, badge):
    with pytest.raises(BadgeUnknown):
        desk.sign_in(badge, "402817")


@pytest.mark.long
def test_five_wrong_pins_lock_the_sign_in_and_not_the_counting(desk):
    for _ in range(5):
        with pytest.raises(PinWrong):
            desk.sign_in("00" * 8, "000000")
    with pytest.raises(PinLocked) as refused:
        desk.sign_in("00" * 8, "402817")

    assert 290 < refused.value.seconds <= 300
    assert desk.enter("in", "told")["number"]


@pytest.mark.parametrize("verdict", ["running", "valid_code"])
def test_nobody_books_by_hand_what_only_a_code_can_show(desk, book, verdict):
    with pytest.raises(PassageInvalid):
        desk.enter("in", verdict)

    assert book.totals(0) == {}


def test_a_slip_counts_what_happened_in_the_shift_and_nothing_before(desk, clock):
    desk.enter("in", "helped")
    clock.now += 60
    desk.sign_in("00" * 8, "402817")
    for verdict in ("helped", "helped", "no_smartphone"):
        desk.enter("in", verdict)
    desk.undo(desk.enter("in", "told")["number"])
    desk.enter("out", "out")
    clock.now += 3_600
    slip = desk.sign_out()

    assert slip["totals"] == {"helped": 2, "no_smartphone": 1, "out": 1}
    assert slip["ended"] - slip["started"] == 3_600
    assert desk.state()["duty"] is None
    with pytest.raises(NobodyOnDuty):
        desk.sign_out()


def test_the_next_person_ends_the_shift_before(desk, book, clock):
    desk.sign_in("00" * 8, "402817")
    clock.now += 600
    desk.sign_in("00" * 8, "402817")
    shifts = json.loads(book.get("shifts"))

    assert [shift["ended"] is None for shift in shifts] == [False, True]
    assert set(shifts[0]) == {"id", "badge", "started", "ended"}


def test_people_inside_stay_inside_at_midnight(desk, clock):
    for _ in range(5):
        desk.enter("in", "told")
    clock.now += 86_400
    assert desk.state()["inside"] == 5
    desk.enter("out", "out")
    assert desk.state()["inside"] == 4
    clock.now += 86_400
    assert desk.state()["inside"] == 4


def test_where_no_exit_is_counted_people_inside_are_those_of_today(desk, clock):
    for _ in range(3):
        desk.enter("in", "told")
        clock.now += 86_400

    assert desk.state()["inside"] == 0
