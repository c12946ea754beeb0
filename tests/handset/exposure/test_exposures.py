# SPDX-License-Identifier: Apache-2.0
"""Which sightings of a published key count on a handset."""

import dataclasses
import os

import pytest

from bluezone.handset.clocks import Stamp
from bluezone.handset.encounters.log import EncounterLog
from bluezone.handset.exposure.exposures import EncounterIndex, Receiver, build_file_windows
from bluezone.handset.store import Store
from bluezone.protocol.exports.columns import ABSENT, KeyColumns
from bluezone.protocol.identifiers import Metadata, crypt_metadata, rolling_proximity_identifier
from bluezone.protocol.keys import DiagnosisKey
from bluezone.protocol.risk.assessment import load_profile
from bluezone.radio.interface import Burst, Sighting

DAY = 20782
START = DAY * 144
HEARD_AT = (START + 70) * 600.0
KEY = os.urandom(16)
GOOD = Stamp("b", 1, HEARD_AT, False, True, 0, 4)


@pytest.fixture
def log(tmp_path):
    store = Store.open(tmp_path)
    yield EncounterLog(store)
    store.close()


def published_keys(key: bytes = KEY, report_type: int = 1) -> KeyColumns:
    return KeyColumns.from_keys([DiagnosisKey(key, START, 144, report_type, 0)])


def windows(log, stamp, *, number=5, own=frozenset(), correction_db=0, interval=START + 70, power=-18, ended=None):
    """Hear KEY's identifier of `interval` for ten minutes from boot 0 under `stamp`, and match file `number`."""
    identifier = rolling_proximity_identifier(KEY, interval)
    sealed = crypt_metadata(KEY, identifier, Metadata(power, 3).to_bytes())
    for burst in range(20):
        log.burst_started(Burst(burst, burst * 30.0, 30.0))
        for rssi_dbm in (-80, -78):
            log.add_sighting(Sighting(identifier, sealed, rssi_dbm, burst, burst * 30.0 + 1), stamp, DAY)
    return build_file_windows(
        EncounterIndex(log), published_keys(), number, set(own), Receiver(correction_db, 2), "Asia/Ho_Chi_Minh",
        load_profile("covid-19"), None, ended,
    )  # fmt: skip


def test_one_burst_is_one_instance_with_its_mean_and_its_least_attenuation(log):
    (window,) = windows(log, GOOD)
    assert len(window.scan_instances) == 20
    assert {(i.typical_attenuation_db, i.minimum_attenuation_db) for i in window.scan_instances} == {(61, 60)}
    assert sum(i.seconds_since_last_scan for i in window.scan_instances) == 600
    assert (window.confidence, window.own_confidence, window.report_type) == (3, 2, 1)


def test_the_receiver_s_correction_is_added_to_what_it_measured(log):
    (window,) = windows(log, GOOD, correction_db=5)
    assert window.scan_instances[0].typical_attenuation_db == 56


@pytest.mark.parametrize(
    "change",
    [
        {"trusted": False},
        {"offset_seconds": None},
        {"newest_export": 5},
        {"newest_export": 6},
        {"offset_seconds": HEARD_AT + 45 * 60},
        {"offset_seconds": HEARD_AT - 30 * 60},
    ],
    ids=str,
)
def test_sightings_without_trusted_and_fitting_time_or_of_a_key_known_before_do_not_count(log, change):
    assert windows(log, dataclasses.replace(GOOD, **change)) == []


def test_a_neighbour_s_file_has_its_time_in_place_of_a_number_of_the_own_city(log):
    # A key that is published while it runs, as other makers do: whoever reads the file can send what is still to come.
    ended = int(HEARD_AT) - 600
    stamp = dataclasses.replace(GOOD, newest_export=99, floor_seconds=ended - 1)
    assert windows(log, stamp, ended=ended)


def test_what_was_heard_after_a_neighbour_s_file_may_have_been_out_does_not_count(log):
    ended = int(HEARD_AT) - 600
    assert windows(log, dataclasses.replace(GOOD, newest_export=0, floor_seconds=ended), ended=ended) == []


@pytest.mark.parametrize("minutes", [-10, 0, 10, 19])
def test_sightings_from_one_interval_early_to_two_late_count(log, minutes):
    stamp = dataclasses.replace(GOOD, offset_seconds=HEARD_AT + minutes * 60)
    assert len(windows(log, stamp)) == 1


def test_the_phone_s_own_key_never_warns_it(log):
    assert windows(log, GOOD, own={KEY}) == []


def test_metadata_that_allows_no_attenuation_says_nothing(log):
    assert windows(log, GOOD, power=100) == []


def test_a_key_that_was_not_heard_makes_no_window(log):
    windows(log, GOOD)
    told = build_file_windows(
        EncounterIndex(log), published_keys(os.urandom(16)), 5, set(), Receiver(0, 2), "UTC", load_profile("covid-19")
    )
    assert told == []


def test_a_revoked_key_makes_no_window(log):
    windows(log, GOOD)
    told = build_file_windows(
        EncounterIndex(log), published_keys(report_type=5), 5, set(), Receiver(0, 2), "UTC", load_profile("covid-19")
    )
    assert told == []


def heard_beside(log, levels, bursts=3):
    """Hear KEY's identifier at -70 dBm in each burst, and beside it others at `levels` dBm."""
    identifier = rolling_proximity_identifier(KEY, START + 70)
    sealed = crypt_metadata(KEY, identifier, Metadata(-18, 3).to_bytes())
    for burst in range(bursts):
        log.burst_started(Burst(burst, burst * 30.0, 30.0))
        log.add_sighting(Sighting(identifier, sealed, -70, burst, burst * 30.0), GOOD, DAY)
        for number, level in enumerate(levels):
            other = bytes([number]) * 20
            for rssi_dbm in (level - 2, level + 2):
                log.add_sighting(Sighting(other[:16], other[16:], rssi_dbm, burst, burst * 30.0), GOOD, DAY)
    (window,) = build_file_windows(
        EncounterIndex(log), published_keys(), 5, set(), Receiver(0, 2), "UTC", load_profile("covid-19")
    )
    return {(one.others, one.others_spread_db) for one in window.scan_instances}


@pytest.mark.parametrize(
    ("levels", "told"),
    [([], (0, None)), ([-60], (1, None)), ([-60, -60], (2, 0)), ([-60, -70], (2, 5)), ([-50, -60, -91], (3, 17))],
    ids=str,
)
def test_who_else_a_burst_heard_and_how_differently(log, levels, told):
    assert heard_beside(log, levels) == {told}


def test_those_of_other_bursts_are_not_beside_a_burst_and_a_copy_with_other_metadata_is_nobody_else(log):
    identifier = rolling_proximity_identifier(KEY, START + 70)
    log.burst_started(Burst(90, 90 * 30.0 - 2400, 30.0))
    log.add_sighting(Sighting(bytes(16), bytes(4), -60, 90, 300.0), GOOD, DAY)
    for burst in range(3):
        log.burst_started(Burst(burst, burst * 30.0, 30.0))
        log.add_sighting(Sighting(identifier, b"fake", -60, burst, burst * 30.0), GOOD, DAY)
    assert heard_beside(log, [-60]) == {(1, None)}


def test_a_key_without_type_is_of_an_unknown_one_and_one_without_onset_of_standard_infectiousness(log):
    windows(log, GOOD)
    keys = published_keys()
    onset = keys.days_since_onset[0]
    said = []
    for report_type, days in ((1, onset), (ABSENT, onset), (1, ABSENT)):
        keys.report_types[0], keys.days_since_onset[0] = report_type, days
        found = build_file_windows(EncounterIndex(log), keys, 5, set(), Receiver(0, 2), "UTC", load_profile("covid-19"))
        said.append([(one.report_type, one.infectiousness) for one in found])

    assert said == [[(1, 2)], [(0, 2)], [(1, 1)]]
