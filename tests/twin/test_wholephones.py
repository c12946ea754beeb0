# SPDX-License-Identifier: Apache-2.0
"""Whole phones send the keys that the twin was told of, from one UTC midnight to the next."""

import pytest

from bluezone.protocol.intervals import SECONDS_PER_DAY, SECONDS_PER_HOUR, day_at
from bluezone.twin.cityserver import CityServer
from bluezone.twin.meetings import FIRST_HOUR, START, Meeting
from bluezone.twin.rehearsal import CHECK_HOURS
from bluezone.twin.wholephones import Hour, _Group

RIGHT, WRONG, OFF_AT_NIGHT = 1, 2, 3


def meetings(person, now):
    """Three minutes with somebody in each hour of a day, so that each phone looks at its clocks."""
    begins = [now + hour * SECONDS_PER_HOUR + 600 for hour in range(24)]
    return [Meeting(place, person, 99, at, at + 180, 1.0, 0, 0) for place, at in enumerate(begins)]


@pytest.mark.long
@pytest.mark.serve
def test_the_key_of_a_day_that_the_twin_was_told_is_the_one_that_the_phone_goes_on_with(tmp_path):
    server = CityServer(tmp_path / "server", float(START))
    home = (server.address, server.trust)
    groups = {
        "awake": _Group({RIGHT: home, WRONG: home}, tmp_path / "awake", 1),
        "off at night": _Group({OFF_AT_NIGHT: home}, tmp_path / "off", 1),
    }
    told = {name: {} for name in groups}
    for hour in range(2 * 24 + 12):
        now, of_day = float(START + hour * SECONDS_PER_HOUR), hour % 24
        server.ask("clock", now=now)
        server.ask("tick")
        for name, phones in groups.items():
            if of_day == FIRST_HOUR:
                told[name][day_at(now)] = phones.begin_day(now, {person: meetings(person, now) for person in (1, 2, 3)})
            moved = {12: {WRONG: 3.0 * SECONDS_PER_DAY}, 36: {WRONG: 0.0}}.get(hour, {})
            on = {22: False, 6: True}.get(of_day) if name == "off at night" else None
            # At midnight, too: a check removes keys of days that have not come by the phone's own time.
            phones.pass_hour(Hour(now, of_day in (*CHECK_HOURS, FIRST_HOUR), moved, on))
    kept = {
        name: {
            day: {
                person: phone.handset.encounters.keys.reportable_keys(day_at(now))[day].key for person, phone in group
            }
            for day in told[name]
        }
        for name, group in ((name, list(phones._phones.items())) for name, phones in groups.items())
    }
    for phones in groups.values():
        phones.close()
    server.stop()

    assert kept == told
