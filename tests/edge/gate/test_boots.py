# SPDX-License-Identifier: Apache-2.0
"""Gates on machines with and without a clock battery, whose power comes and goes: simulated clocks, days without a
network.
"""

import datetime

import pytest

from bluezone.edge.gate.book import GateBook
from bluezone.edge.gate.check import GateCheck
from bluezone.edge.gate.city import Boot, GateCity
from bluezone.edge.gate.desk import GateDesk, HourInvalid
from bluezone.edge.gate.passages import Passage

pytestmark = pytest.mark.field
ZONE = datetime.timezone(datetime.timedelta(hours=7))
DAY, HOUR = 86_400, 3_600
MONDAY = datetime.datetime(2026, 11, 23, 7, 30, tzinfo=ZONE).timestamp()
IN = Passage("in", "no_smartphone")


class Machine:
    """A machine and its gate. now: the true time. battery: whether its clock runs on while it is off."""

    def __init__(self, path, now, battery):
        self.path, self.now, self.battery = path, now, battery
        self.set_wrong = 0.0
        self.stands_at = now
        self.boots = 0
        self.power_on()

    def power_on(self):
        """A power cut ends the run before; nothing is closed."""
        self.boots += 1
        self.on_at = self.now
        self.showed = self.now + self.set_wrong if self.battery else self.stands_at
        self.restart()

    def restart(self):
        """The program alone is started again."""
        clocks = [lambda: 0.0]
        self.book = GateBook(self.path, lambda: clocks[0]())
        boot = Boot(f"boot {self.boots}", lambda: self.now - self.on_at, self.battery)
        self.city = GateCity(self.book, self.wall, boot)
        clocks[0] = self.city.now
        self.desk = GateDesk(self.book, self.city, GateCheck(b"gate", tuple, self.seconds, self.city.now), lambda: None)

    def seconds(self):
        return self.now - self.on_at

    def wall(self):
        return self.showed + self.seconds()

    def off_until(self, now):
        self.stands_at = self.wall()
        self.now = now
        self.power_on()

    def count(self, people):
        for _ in range(people):
            self.book.enter(IN)
        self.now += 20
        self.book.settle()

    def reach_the_office(self):
        self.book.date_boots(self.city.take_server_time(self.now))

    def sends(self):
        return {_told(counter.bucket): counter.count for counter in self.book.unsent()}


def _told(unix):
    return datetime.datetime.fromtimestamp(unix, ZONE).strftime("%a %H:%M")


@pytest.fixture
def machine(tmp_path):
    """Makes a machine; its clock was right on Friday at 17:00, when the gate last reached the office."""

    def make(battery):
        made = Machine(tmp_path / "gate.sqlite3", MONDAY - 2 * DAY - 14.5 * HOUR, battery)
        made.reach_the_office()
        return made

    return make


def test_a_board_without_a_clock_books_monday_on_no_other_day_until_somebody_says_when_it_was(machine):
    board = machine(battery=False)
    board.off_until(MONDAY)
    board.count(60)
    board.off_until(MONDAY + DAY)
    board.count(50)
    board.off_until(MONDAY + 2 * DAY)
    board.count(7)
    board.reach_the_office()

    assert board.sends() == {"Wed 07:30": 7}
    monday, tuesday = board.desk.state()["lost"]
    assert (monday["came_in"], tuesday["came_in"]) == (60, 50)

    board.desk.date(monday["boot"], int(MONDAY))
    assert board.sends() == {"Mon 07:30": 60, "Wed 07:30": 7}
    with pytest.raises(HourInvalid):
        board.desk.date(tuesday["boot"], int(board.now + HOUR))
    board.desk.date(tuesday["boot"], int(MONDAY + DAY))
    assert board.sends() == {"Mon 07:30": 60, "Tue 07:30": 50, "Wed 07:30": 7}
    assert board.desk.state()["lost"] == []


def test_a_board_that_stays_on_dates_all_of_its_run_when_the_network_is_back(machine):
    board = machine(battery=False)
    board.off_until(MONDAY)
    board.count(60)
    board.now = MONDAY + DAY
    board.restart()
    board.count(50)
    assert board.sends() == {}
    assert board.desk.state()["unsent"] == 110
    board.reach_the_office()

    assert board.sends() == {"Mon 07:30": 60, "Tue 07:30": 50}


def test_a_machine_with_a_battery_sends_all_its_days_whichever_hour_it_was_set_to(machine):
    for wrong in (0, 3 * HOUR):
        tablet = machine(battery=True)
        tablet.set_wrong = wrong
        tablet.off_until(MONDAY)
        tablet.count(60)
        tablet.off_until(MONDAY + DAY)
        tablet.count(50)
        tablet.reach_the_office()

        assert tablet.sends() == {"Mon 07:30": 60, "Tue 07:30": 50}
        assert tablet.desk.state()["lost"] == []
        tablet.book.close()
        tablet.path.unlink()


def test_a_battery_that_died_is_a_clock_that_went_back(machine):
    tablet = machine(battery=True)
    tablet.off_until(MONDAY)
    tablet.count(60)
    tablet.set_wrong = -20 * 365 * DAY
    tablet.off_until(MONDAY + DAY)
    tablet.count(50)
    tablet.reach_the_office()

    assert tablet.sends() == {"Tue 07:30": 50}
    assert [one.came_in for one in tablet.book.lost_hours()] == [60]


def test_a_wall_clock_that_jumps_while_the_gate_counts_moves_nothing(machine):
    tablet = machine(battery=True)
    tablet.off_until(MONDAY)
    tablet.count(1)
    tablet.showed += 5 * DAY
    tablet.count(1)
    tablet.reach_the_office()

    assert tablet.sends() == {"Mon 07:30": 2}


def test_what_waited_to_be_undone_when_the_power_went_is_of_the_run_before(machine):
    board = machine(battery=False)
    board.off_until(MONDAY)
    board.book.enter(IN)
    board.off_until(MONDAY + DAY)
    board.reach_the_office()

    assert board.sends() == {}
    assert [one.came_in for one in board.book.lost_hours()] == [1]
