# SPDX-License-Identifier: Apache-2.0
"""What the owner writes down for themselves, and what the phone keeps so that an end can be told."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest
from tests.builders.face import PHO
from tests.builders.handset import meet_phone, publish_reports, report_patient

from bluezone.handset.journal import JournalFull, JournalInvalid
from bluezone.handset.page import shapes
from bluezone.handset.phone import LAST_WARNING

DAY = 86_400


@pytest.fixture
def phone(phones):
    phone = phones.new("phone")
    phone.check()
    return phone


def state(phone):
    return shapes.state_of(phone, "vi", None)


def test_entries_are_kept_by_day_and_of_symptoms_only_the_latest_of_a_day(phone):
    today = phone.time.today()
    phone.journal.add_entry(today.isoformat(), "called")
    phone.journal.add_entry(today.isoformat(), "symptoms", marks=("fever",))
    phone.journal.add_entry(today.isoformat(), "symptoms", marks=("none",))
    note = phone.journal.add_entry((today - timedelta(days=1)).isoformat(), "note", "Ăn cưới ở nhà chú Ba")

    assert [(entry.kind, entry.marks) for entry in phone.journal.all()] == [
        ("note", ()), ("called", ()), ("symptoms", ("none",)),
    ]  # fmt: skip
    assert [act["kind"] for act in state(phone)["acts"]] == ["called"]
    phone.journal.remove(note.id)
    assert [entry.kind for entry in phone.journal.all()] == ["called", "symptoms"]


def test_a_test_is_kept_with_the_warnings_that_it_is_about(phone):
    phone.journal.add_entry(phone.time.today().isoformat(), "negative", marks=("near-2026-11-25/high/>30",))

    (act,) = state(phone)["acts"]
    assert act["marks"] == ("near-2026-11-25/high/>30",)


def test_a_stay_is_compared_by_a_check_after_its_end(phone, server, world):
    poster = server.key_server.registrar.register_venue("dk-1", PHO)
    visit = phone.stays.check_in(poster.link, remember=True)
    phone.check()
    assert state(phone)["hasEvidence"]
    assert not state(phone)["compared"]

    world.pass_by(1200)
    phone.stays.check_out(visit.id)
    assert not state(phone)["compared"]
    phone.check()
    assert state(phone)["compared"]


def test_a_stay_is_not_compared_by_a_check_that_began_before_its_end(phone, server, world):
    poster = server.key_server.registrar.register_venue("dk-1", PHO)
    visit = phone.stays.check_in(poster.link, remember=True)
    requested, stay_is_over = Event(), Event()

    def slow(path, body):
        requested.set()
        stay_is_over.wait()
        return body

    server.tamper = slow
    with ThreadPoolExecutor() as pool:
        check = pool.submit(phone.check)
        requested.wait()
        world.pass_by(1200)
        phone.stays.check_out(visit.id)
        stay_is_over.set()
        check.result()

    assert not state(phone)["compared"]
    phone.check()
    assert state(phone)["compared"]


def test_what_was_heard_is_compared_by_a_check_after_it(phone, phones, world):
    assert not state(phone)["compared"]
    world.pass_by(1)
    meet_phone(phone, phones.new("other"), 10, world=world)
    assert not state(phone)["compared"]

    phone.check()
    assert state(phone)["compared"]


def test_what_is_older_than_thirty_days_is_gone(phone, world):
    phone.journal.add_entry(phone.time.today().isoformat(), "positive")
    world.pass_by(30 * DAY)
    assert [entry.kind for entry in phone.journal.all()] == ["positive"]
    world.pass_by(DAY)
    assert phone.journal.all() == []
    phone.purge()
    assert phone.store.get("journal") is None


@pytest.mark.parametrize(
    ("day", "kind", "text", "marks"),
    [
        (0, "cured", "", ()), (0, "note", "x" * 2001, ()), (0, "symptoms", "", ("hiccups",)), (31, "note", "old", ()),
        (-2, "note", "the day after tomorrow", ()), (0, "negative", "", ("w" * 101,)),
        (0, "called", "", tuple(str(number) for number in range(51))),
        (0, "positive", "", ("near-2026-11-25/high/>30",)),
    ],
)  # fmt: skip
def test_what_is_no_entry_is_refused_and_nothing_is_written(phone, day, kind, text, marks):
    with pytest.raises(JournalInvalid):
        phone.journal.add_entry((phone.time.today() - timedelta(days=day)).isoformat(), kind, text, marks)
    assert phone.journal.all() == []


def test_a_full_journal_says_so(phone, monkeypatch):
    monkeypatch.setattr("bluezone.handset.journal.MOST_ENTRIES", 2)
    today = phone.time.today().isoformat()
    for number in range(2):
        phone.journal.add_entry(today, "note", str(number))
    with pytest.raises(JournalFull):
        phone.journal.add_entry(today, "note", "one too many")


@pytest.mark.long
def test_the_end_of_a_watch_is_known_after_its_warning_has_gone(phones, server, world):
    patient, near = phones.new("patient"), phones.new("near")
    meet_phone(near, patient, 25, world=world)
    report_patient(patient, server)
    publish_reports(server, world)
    near.check()
    (warning,) = near.risk.warnings()
    kept = {"day": warning.day.isoformat(), "watchUntil": (warning.day + timedelta(days=14)).isoformat()}
    assert state(near)["lastWarning"] == kept
    assert state(near)["checkedDays"] == [near.time.today().isoformat()]
    assert state(near)["hasEvidence"]
    assert state(patient)["reportedAt"] is not None

    world.pass_by(14 * DAY)
    server.key_server.tick()
    near.check()
    assert near.risk.warnings() == []
    assert state(near)["lastWarning"] == kept


def test_a_warning_that_went_before_its_time_leaves_no_end_to_tell_of(phone):
    tomorrow = (phone.time.today() + timedelta(days=1)).isoformat()
    phone.store.put(LAST_WARNING, {"day": phone.time.today().isoformat(), "watchUntil": tomorrow})
    phone.check()
    assert state(phone)["lastWarning"] is None
