# SPDX-License-Identifier: Apache-2.0
"""Phones of the twin say "high" as often as was measured for the city's model, within what chance explains."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from tests.builders.protocol import make_config

from bluezone.handset.exposure.exposures import Exposures
from bluezone.handset.store import Store
from bluezone.planning.assumptions import read_warning_curve
from bluezone.planning.kernel import MEETING
from bluezone.protocol.exports.columns import KeyColumns
from bluezone.protocol.intervals import day_at
from bluezone.protocol.keys import INTERVALS_PER_KEY, DiagnosisKey, ReportType
from bluezone.protocol.risk.assessment import load_profile, profile_document
from bluezone.radio.air.figures import carriages, mean_rssi_dbm
from bluezone.radio.calibration import HAND_TO_HAND_1M_DB, calibration
from bluezone.twin.agreement import Agreement, Cell, compare
from bluezone.twin.air import above_zero_db
from bluezone.twin.meetings import METRES, MINUTES, NEAR_ROWS, START, Meetings
from bluezone.twin.phones import Crowd, File, Keys
from bluezone.twin.town import ZONE

# The UTC day of the meetings of the second day.
DAY = day_at(START) + 2


def test_what_was_told_is_held_against_its_chance_and_that_of_the_curve():
    curve = read_warning_curve()
    share = curve.high["0.45"][3, 2]
    rows = [[Cell(), Cell(), Cell(met=100, told=60), Cell()]]

    found = compare(rows, curve, 3)

    assert found.told == 60
    assert found.expected == pytest.approx(100 * share)
    assert found.error == pytest.approx(np.sqrt(100 * share * (1 - share) * (1 + 100 / 100)), abs=0.1)
    assert not found.agrees
    assert Agreement(47, 33.0, 6.6).agrees


@pytest.mark.parametrize("how", carriages())
def test_each_way_of_carrying_is_moved_to_the_zero_of_all_phones(how):
    model, power = load_profile("covid-19").nearness, calibration("virtual").effective_power_dbm
    beyond = [
        power - (mean - above_zero_db(how)) - model.attenuation_db(metres)
        for metres, mean in mean_rssi_dbm(how).items()
    ]

    assert np.mean(beyond) == pytest.approx(HAND_TO_HAND_1M_DB - model.at_1m_db, abs=1e-6)
    # The recordings themselves are up to 15 dB from it.
    assert abs(above_zero_db(how)) < 20


@pytest.mark.slow
def test_phones_say_high_of_meetings_with_one_case_as_often_as_the_warning_curve_has_it():
    # As many meetings in each cell, each of two people of their own. The shortest are never "high".
    meetings = 40
    cells = [place for place in range(len(METRES) * len(MINUTES)) if place % len(MINUTES)] * meetings
    drawn = np.random.default_rng(11)
    found = np.zeros(len(cells), dtype=MEETING)
    found["hash"] = drawn.integers(0, 1 << 63, len(cells), dtype=np.uint64) * 2
    found["one"], found["other"] = 2 * np.arange(len(cells)), 2 * np.arange(len(cells)) + 1
    found["cell"] = cells
    told = _told(Meetings(found, 1))
    counted = [[Cell() for _ in MINUTES] for _ in METRES]
    for person, place in zip(found["one"].tolist(), cells, strict=True):
        cell = counted[place // len(MINUTES)][place % len(MINUTES)]
        cell.met += 1
        cell.told += person in told
    curve = read_warning_curve()
    near, far = compare(counted[:NEAR_ROWS], curve), compare(counted[NEAR_ROWS:], curve, NEAR_ROWS)
    shown = [[cell.told for cell in row] for row in counted]

    assert near.agrees, (near, shown)
    assert far.agrees, (far, shown)


def test_the_crowd_keeps_windows_for_as_long_as_a_phone_does(tmp_path):
    # A quarter of an hour within a metre.
    found = np.zeros(1, dtype=MEETING)
    found["one"], found["other"], found["cell"] = 0, 1, 1
    crowd, _ = _crowd(Meetings(found, 1))
    store = Store.open(tmp_path)
    kept = Exposures(store)
    kept.add_windows(crowd.windows(0))

    for oldest in (DAY, DAY + 1):
        store.purge(oldest)
        crowd.forget(oldest)
        assert kept.all() == crowd.windows(0)
        assert bool(crowd.windows(0)) is (oldest == DAY)
    store.close()


def _told(meetings):
    """Who says "high" two days after a day's meetings in which each `other` is a case in its worst days."""
    crowd, warned = _crowd(meetings)
    today = datetime.fromtimestamp(START, UTC).astimezone(ZONE).date() + timedelta(days=3)
    profile = load_profile("covid-19")
    return {person for person in warned if crowd.assess(person, profile, today).level == "high"}


def _crowd(meetings):
    """A crowd that lived through the meetings of the second day, and who of it has windows of those who reported."""
    everybody = list(meetings)
    persons, cases = [one.one for one in everybody], [one.other for one in everybody]
    keys = Keys(11)
    crowd = Crowd(persons, cases, keys, 11)
    crowd.live(DAY, meetings)
    columns = KeyColumns.from_keys(
        DiagnosisKey(key, DAY * INTERVALS_PER_KEY, INTERVALS_PER_KEY, ReportType.CONFIRMED_TEST, 0, 0)
        for key in (keys.key(case, DAY) for case in cases)
    )
    file = File(1, columns)
    told = make_config(zone=ZONE.key, profile=profile_document("covid-19"))
    return crowd, crowd.take_in(file, crowd.look_up(file), persons, told)
