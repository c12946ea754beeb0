# SPDX-License-Identifier: Apache-2.0
"""From one check to the next only what is new in the log is read, and the index finds what a new one would."""

import dataclasses
import os
import zlib
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bluezone.handset.clocks import Stamp
from bluezone.handset.encounters import log as encounter_log
from bluezone.handset.encounters.log import EncounterLog, identifiers_per_day
from bluezone.handset.encounters.pages import HeardBurst, HeardIdentifier, Page, PageColumns
from bluezone.handset.exposure.exposures import EncounterIndex
from bluezone.handset.store import Store
from bluezone.handset.vault import HandsetStoreDamaged
from bluezone.protocol.exports.columns import KeyColumns
from bluezone.protocol.identifiers import rolling_proximity_identifiers
from bluezone.protocol.intervals import SECONDS_PER_DAY, SECONDS_PER_INTERVAL, day_at
from bluezone.protocol.keys import DiagnosisKey
from bluezone.protocol.matching import is_within_tolerance
from bluezone.radio.interface import Burst, Sighting

FIRST_DAY = 20782
DAYS = 30
PEOPLE = 3
NEW_YEAR = FIRST_DAY * SECONDS_PER_DAY + 43_200.0


def _keys() -> tuple[KeyColumns, dict[bytes, tuple[int, int]]]:
    """A key for each person and day, and where each identifier of theirs belongs: (row of its key, interval)."""
    rows = [(person, day) for person in range(PEOPLE) for day in range(FIRST_DAY, FIRST_DAY + DAYS)]
    names = [bytes([person, day - FIRST_DAY]) + bytes(14) for person, day in rows]
    keys = [DiagnosisKey(name, day * 144, 144, 1, 0, 0) for name, (_, day) in zip(names, rows, strict=True)]
    places = {
        identifier: (row, key.start + at)
        for row, key in enumerate(keys)
        for at, identifier in enumerate(rolling_proximity_identifiers(key.key, key.start))
    }
    return KeyColumns.from_keys(keys), places


KEYS, PLACES = _keys()
IDENTIFIERS = {place: identifier for identifier, place in PLACES.items()}


class Phone:
    """A log, the time it is stamped with, and the steps of a phone's life that change either."""

    def __init__(self, folder: Any) -> None:
        self.store = Store.open(folder)
        self.log = EncounterLog(self.store)
        self.now, self.booted_at, self.boots, self.burst = NEW_YEAR, NEW_YEAR - 60, 0, 0
        self.stamp = Stamp("boot-0", 1, None, False, True, 0, 0)

    def hear(self, person: int, bursts: int) -> None:
        """Hear one identifier of a person, which lives from now on, in some bursts 30 s apart."""
        interval = int(self.now // SECONDS_PER_INTERVAL)
        identifier = IDENTIFIERS[person * DAYS + interval // 144 - FIRST_DAY, interval]
        for _ in range(bursts):
            self.burst, boot = self.burst + 1, self.now - self.booted_at
            self.log.burst_started(Burst(self.burst, boot, 30.0))
            sighting = Sighting(identifier, bytes([person]) * 4, -70, self.burst, boot)
            self.log.add_sighting(sighting, self.stamp, day_at(self.stamp.unix_seconds(boot) or self.now))
            self.now += 30

    def wait(self, minutes: int) -> None:
        """Let time pass; after ten minutes the next frame opens another page."""
        self.now = min(self.now + 60 * minutes, NEW_YEAR + (DAYS - 2) * SECONDS_PER_DAY)

    def take_time(self, error_minutes: int) -> None:
        """See a signed file: from now on the offset is known, and so are the times of this boot's earlier pages."""
        first = self.stamp.offset_seconds is None or self.stamp.provisional
        offset = self.booted_at + 60 * error_minutes
        self.stamp = dataclasses.replace(self.stamp, offset_seconds=offset, provisional=False, trusted=True)
        if first:
            self.log.stamp_earlier(self.stamp)

    def distrust(self, _: int) -> None:
        """The wall clock jumps."""
        self.stamp = dataclasses.replace(self.stamp, trusted=self.stamp.offset_seconds is None)

    def start_program(self, _: int) -> None:
        """The program ends and starts again."""
        self.log.flush()
        folder = self.store.folder
        self.store.close()
        self.store = Store.open(folder)
        self.log = EncounterLog(self.store)
        self.stamp = dataclasses.replace(self.stamp, run=self.stamp.run + 1)

    def start_machine(self, wall_hours: int) -> None:
        """The machine starts again; the wall clock, wrong by some hours, is believed for the time being."""
        self.start_program(0)
        self.boots, self.booted_at = self.boots + 1, self.now
        offset = self.booted_at + 3600 * wall_hours if wall_hours else None
        self.stamp = dataclasses.replace(
            self.stamp, boot_id=f"boot-{self.boots}", offset_seconds=offset, provisional=offset is not None
        )

    def purge(self, days: int) -> None:
        """Remove what is older than some days."""
        self.store.purge(day_at(self.now) - days)
        self.log.measure()

    def check(self, _: int = 0) -> None:
        """Make the index, and compare it with a new log's and with a plain search through every page."""
        found = _found(EncounterIndex(self.log))
        assert found == _found(EncounterIndex(EncounterLog(self.store)))
        assert _that_count(found) == _searched(self.log)


def _found(index: EncounterIndex) -> list[tuple[int, int, bytes, bytes]]:
    return sorted(
        (key_row, interval, page.to_bytes(), heard.frame)
        for key_row, places in index.match(KEYS).items()
        for interval, page, heard in places
    )


def _that_count(found: list[tuple[int, int, bytes, bytes]]) -> list[tuple[int, int, bytes, bytes]]:
    """Those with a burst in time for its interval; the others of an equality are left out of the windows later."""
    return [
        (key_row, interval, contents, frame)
        for key_row, interval, contents, frame in found
        for page in [Page.from_bytes(contents)]
        if _in_time(page, page.heard[frame], interval)
    ]


def _searched(log: EncounterLog) -> list[tuple[int, int, bytes, bytes]]:
    return sorted(
        (*PLACES[heard.identifier], page.to_bytes(), heard.frame)
        for _, page in log.pages()
        for heard in page.heard.values()
        if _in_time(page, heard, PLACES[heard.identifier][1])
    )


def _in_time(page: Page, heard: HeardIdentifier, interval: int) -> bool:
    times = [page.stamp.unix_seconds(burst.boot_seconds) for burst in heard.bursts]
    return any(at is not None and is_within_tolerance(interval, at) for at in times)


STEP = st.one_of(
    st.tuples(st.just(Phone.hear), st.integers(0, PEOPLE - 1), st.integers(1, 25)),
    st.tuples(st.just(Phone.hear), st.integers(0, PEOPLE - 1), st.integers(1, 3)),
    st.tuples(st.just(Phone.wait), st.integers(1, 30)),
    st.tuples(st.just(Phone.wait), st.integers(1, 4).map(lambda days: 1440 * days)),
    st.tuples(st.just(Phone.take_time), st.integers(-20, 30)),
    st.tuples(st.sampled_from([Phone.distrust, Phone.start_program, Phone.check, Phone.check]), st.just(0)),
    st.tuples(st.just(Phone.start_machine), st.integers(-2, 2)),
    st.tuples(st.just(Phone.purge), st.integers(-1, 4)),
)


@pytest.mark.long
@settings(deadline=None)
@given(st.lists(STEP, max_size=25))
@example([(Phone.hear, 0, 3), (Phone.check, 0), (Phone.take_time, 0), (Phone.check, 0)])
@example([(Phone.take_time, 0), (Phone.hear, 0, 3), (Phone.check, 0), (Phone.hear, 1, 3), (Phone.check, 0)])
@example([(Phone.take_time, 0), (Phone.hear, 0, 3), (Phone.check, 0), (Phone.purge, -1), (Phone.hear, 1, 3)])
@example([(Phone.start_machine, 2), (Phone.hear, 0, 3), (Phone.check, 0), (Phone.take_time, 0), (Phone.check, 0)])
def test_the_index_finds_what_one_made_anew_finds_whatever_happened_between_two_checks(tmp_path_factory, steps):
    phone = Phone(tmp_path_factory.mktemp("phone"))
    for step, *how in steps:
        step(phone, *how)
    phone.check()
    phone.store.close()


@pytest.fixture
def phone(tmp_path):
    made = Phone(tmp_path)
    made.take_time(0)
    yield made
    made.store.close()


def opened_pages(phone: Phone, work: Any) -> int:
    """How many pages `work` opens."""
    statements: list[str] = []
    with phone.store.transaction() as connection:
        connection.set_trace_callback(statements.append)
    work()
    with phone.store.transaction() as connection:
        connection.set_trace_callback(None)
    return sum(statement.startswith("SELECT sealed FROM pages") for statement in statements)


def live(phone: Phone, pages: int) -> None:
    for _ in range(pages):
        phone.hear(0, 1)
        phone.wait(11)


def test_a_check_opens_no_page_that_this_run_of_the_program_wrote_or_read(phone):
    live(phone, 100)
    phone.start_program(0)
    assert opened_pages(phone, lambda: EncounterIndex(phone.log)) == 100
    live(phone, 24)
    assert opened_pages(phone, lambda: EncounterIndex(phone.log)) == 0
    assert opened_pages(phone, lambda: identifiers_per_day(phone.log, None)) == 0
    assert len(list(phone.log.pages())) == 124


def test_a_match_opens_only_the_page_it_was_found_in(phone):
    live(phone, 100)
    phone.wait(1440)
    phone.hear(1, 20)
    index = EncounterIndex(phone.log)
    keys = KeyColumns.from_keys(KEYS.diagnosis_keys()[DAYS : 2 * DAYS])
    assert opened_pages(phone, lambda: index.match(keys)) == 1


def test_what_was_purged_leaves_the_memory_too(phone):
    live(phone, 3)
    EncounterIndex(phone.log)
    phone.purge(-1)
    assert phone.log.columns() == []
    assert phone.log._columns == {}


def test_a_flood_is_not_kept_in_memory_and_still_found(phone, monkeypatch):
    monkeypatch.setattr(encounter_log, "KEPT_IDENTIFIERS", 3)
    live(phone, 4)
    phone.check()
    assert phone.log._columns == {}
    phone.check()


@given(
    st.lists(st.lists(st.tuples(st.floats(0, 1e9), st.integers(1, 255)), min_size=1, max_size=9), max_size=9),
    st.one_of(st.none(), st.floats(-1e9, 1e9)),
)
def test_columns_of_a_stored_page_are_those_of_the_page_in_memory(entries, offset):
    page = Page(Stamp("b", 1, offset, False, True, 500, 0), FIRST_DAY)
    for bursts in entries:
        heard = HeardIdentifier(os.urandom(16), os.urandom(4))
        heard.bursts += [HeardBurst(1, boot, 30.0, [-70] * frames) for boot, frames in bursts]
        page.heard[heard.frame] = heard
    columns = PageColumns.from_page(page)
    assert PageColumns.from_bytes(page.to_bytes()) == columns
    assert list(columns.iterate_frames()) == list(page.heard)
    assert len(columns.first_seconds) == (0 if offset is None else len(columns))


@given(st.binary(max_size=200), st.integers(1, 60))
def test_columns_of_a_damaged_page_are_refused_and_nothing_else(data, missing):
    page = Page(Stamp("b", 1, 0.0, False, True, 0, 0), FIRST_DAY)
    page.heard[bytes(20)] = HeardIdentifier(bytes(16), bytes(4), [HeardBurst(1, 0.0, 30.0, [-70] * 40)])
    whole = page.to_bytes()
    head = 4 + int.from_bytes(whole[:4], "big")
    cut = whole[:head] + zlib.compress(zlib.decompress(whole[head:])[:-missing])
    for damaged in (data, cut):
        with pytest.raises(HandsetStoreDamaged):
            PageColumns.from_bytes(damaged)
