# SPDX-License-Identifier: Apache-2.0
"""A city may hold keys back until a fixed hour: never longer than it said, never before the embargo is over, and the
oldest come out among random ones of their day.
"""

import random
from collections import Counter

import pytest
from tests.builders.keyserver import DAY, HOUR, NOON, call, keys_for, open_server, report_of
from tests.builders.signer import export_of, past_days, signing

from bluezone.city_settings import City
from bluezone.keyserver.keys.keyfolder import SigningRefused
from bluezone.keyserver.publication import embargo
from bluezone.protocol.exports.files import read_export
from bluezone.protocol.intervals import day_at, first_interval
from bluezone.protocol.upload import Status

MIDNIGHT = NOON + 12 * HOUR


@pytest.fixture
def held(city_folder, clock, database, request):
    """A city that holds keys back, for a day unless said otherwise, and has made its first file. Seeded."""
    server = open_server(city_folder, clock, hold_hours=getattr(request, "param", 24), padding_mean=5)
    server.publication.random_bytes = random.Random(24).randbytes
    server.tick()
    yield server
    server.close()


def upload(server, **parts):
    phone = report_of(server, **parts)
    assert phone.upload().status is Status.OK
    return {key.key for key in phone.keys}


def live_until(server, clock, end):
    while clock.now < end:
        clock.pass_by(HOUR - clock.now % HOUR)
        server.tick()


def files(server):
    """End and keys of each file, oldest first."""
    exports = [
        read_export(call(server, "GET", f"/v1/exports/{entry.name}").body)
        for entry in server.indexes.read_index().entries
    ]
    return [(export.end_timestamp, export.keys) for export in exports]


def published_at(server, keys):
    """When each of some keys came out, Unix seconds; those that did not are left out."""
    return {key.key: end for end, listed in files(server) for key in listed if key.key in keys}


@pytest.mark.long
@pytest.mark.parametrize("held", [24, pytest.param(6, marks=pytest.mark.slow)], indirect=True)
def test_keys_come_out_at_the_next_fixed_hour_and_none_is_held_for_longer(held, clock):
    hold = held.city.hold_seconds
    promised = {}
    for _ in range(6):
        clock.pass_by(700)
        reach = embargo.reach_times(held.city, clock.now)
        promised |= dict.fromkeys(upload(held), (clock.now, reach.published_at))
        live_until(held, clock, clock.now + 3 * HOUR)
    live_until(held, clock, max(at for _, at in promised.values()))

    came = published_at(held, promised)
    assert came == {key: at for key, (_, at) in promised.items()}
    assert all((end - 2 * HOUR) % hold == 0 for end in came.values())
    # Yesterday's key of a report in the small hours waits for the end of its embargo first.
    assert all(came[key] - max(at, at // DAY * DAY + 2 * HOUR) <= hold for key, (at, _) in promised.items())
    assert all(bool(listed) == ((end - 2 * HOUR) % hold == 0) for end, listed in files(held)[1:])


@pytest.mark.long
def test_no_key_comes_out_before_its_embargo_is_over(held, clock):
    for _ in range(2):
        live_until(held, clock, clock.now + 7 * HOUR)
        upload(held, keys=keys_for(clock.now, days=4, newest_age=0))
    live_until(held, clock, MIDNIGHT + DAY + 2 * HOUR)

    listed = [(end, key) for end, keys in files(held) for key in keys]
    assert len(listed) > 1000
    assert all(end >= (key.start // 144 + 1) * DAY + 2 * HOUR for end, key in listed)


@pytest.mark.long
@pytest.mark.parametrize("into_the_day", [pytest.param(3 * HOUR, marks=pytest.mark.slow), 24 * HOUR - 1])
def test_the_oldest_keys_come_out_on_the_next_day_among_random_ones(held, clock, into_the_day):
    live_until(held, clock, MIDNIGHT + into_the_day // HOUR * HOUR)
    clock.now = MIDNIGHT + into_the_day
    oldest = keys_for(clock.now, days=1, newest_age=14)
    keys = upload(held, keys=oldest)
    live_until(held, clock, MIDNIGHT + DAY + 2 * HOUR)

    assert published_at(held, keys) == dict.fromkeys(keys, MIDNIGHT + DAY + 2 * HOUR)
    ((_, listed),) = [file for file in files(held) if file[0] == MIDNIGHT + DAY + 2 * HOUR]
    cells = Counter((key.start, key.days_since_onset, key.report_type) for key in listed)
    # An hour brings a third of the random keys of two, 5 in the mean: of 23 hours hardly fewer than 10.
    assert min(cells.values()) >= 10
    assert len({start for start, _, _ in cells}) == 15
    assert next(key for key in listed if key.key in keys).start == first_interval(day_at(MIDNIGHT) - 14)


@pytest.mark.long
def test_what_is_held_does_not_tell_for_longer_than_an_hour_when_it_came(held, clock):
    def hours():
        return {hour for (hour,) in held.keys_store.read("SELECT received_hour FROM waiting_key")}

    came = clock.now // HOUR
    keys = upload(held)
    assert came in hours()
    live_until(held, clock, NOON + 2 * HOUR)

    assert hours() == {0, clock.now // HOUR}
    waiting = {bytes(key) for (key,) in held.keys_store.read("SELECT key FROM waiting_key WHERE received_hour = 0")}
    assert keys <= waiting
    assert len(waiting) > 10 * len(keys)


@pytest.mark.long
def test_whoever_stood_still_at_the_fixed_hour_brings_what_was_held_with_the_next_file(held, clock):
    keys = upload(held)
    clock.now = MIDNIGHT + 5 * HOUR
    held.tick()

    assert published_at(held, keys) == dict.fromkeys(keys, MIDNIGHT + 4 * HOUR)


@pytest.mark.long
def test_phones_are_told_of_the_hold_and_of_none_where_there_is_none(held, tmp_path, clock, monkeypatch):
    assert held.configs.newest_config().waits["hold_seconds"] == DAY

    monkeypatch.delenv("BLUEZONE_DATABASE_URL", raising=False)
    server = open_server(tmp_path / "without", clock)
    assert b"hold_seconds" not in server.configs.payload(server.configs.newest_number())
    assert City.hold_hours == 0
    server.close()


@pytest.mark.long
def test_a_signer_signs_what_was_held_and_an_older_day_for_such_a_city_alone(city_folder, clock):
    end = MIDNIGHT + 2 * HOUR
    older = day_at(end) - 16
    with signing(city_folder, clock):
        server = open_server(city_folder, clock, hold_hours=24, padding_mean=5)
        server.tick()
        keys = upload(server)
        live_until(server, clock, end)
        assert published_at(server, keys) == dict.fromkeys(keys, end)
        clock.pass_by(2 * HOUR)
        key = server.secrets.export_key
        with pytest.raises(SigningRefused, match="older"):
            key.sign(export_of(key.public_key(), end + 2 * HOUR, [*past_days(end), older]), None)
        key.sign(export_of(key.public_key(), end + 2 * HOUR, [*past_days(end), older + 1]), None)
        server.close()


@pytest.mark.long
def test_a_signer_of_a_city_without_a_hold_signs_no_older_day(city_folder, clock):
    with signing(city_folder, clock):
        server = open_server(city_folder, clock, padding_mean=5)
        clock.pass_by(2 * HOUR)
        key = server.secrets.export_key
        with pytest.raises(SigningRefused, match="older"):
            key.sign(export_of(key.public_key(), NOON + 2 * HOUR, [*past_days(NOON), day_at(NOON) - 15]), None)
        server.close()


@pytest.mark.long
def test_a_file_after_a_hold_may_have_the_keys_of_as_many_periods(city_folder, clock):
    (city_folder / "signer").mkdir()
    (city_folder / "signer" / "signer.toml").write_text("most_keys_a_file = 300\n")
    with signing(city_folder, clock):
        server = open_server(city_folder, clock, hold_hours=24, padding_mean=2)
        live_until(server, clock, MIDNIGHT + 2 * HOUR)
        assert len(files(server)[-1][1]) > 300
        server.close()
