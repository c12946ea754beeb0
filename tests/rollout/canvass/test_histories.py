# SPDX-License-Identifier: Apache-2.0
"""Random offline histories of several canvassers with duplicated, reordered and lost pushes: whatever order they come
in, the merged state is the same, no visit is lost and none is doubled.
"""

import datetime
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.builders.canvass import NOW, Phone, street

from bluezone.rollout.canvass import leases
from bluezone.rollout.canvass.models import Aside, Change, Entry, Household, LeaseEnd, PhoneRun, Visit
from bluezone.rollout.canvass.progress import phone_rows
from bluezone.rollout.canvass.visits.intake import Push, receive

MINUTE = datetime.timedelta(minutes=1)
STATE = ("key", "head", "note", "smartphones", "versions", "disputed", "incomplete", "last_at", "last_visit",
         "last_outcome", "revisit", "reached_at")  # fmt: skip
steps = st.tuples(
    st.integers(0, 2), st.integers(0, 1), st.sampled_from(["leaflet", "not_home", "installed", None]),
    st.sampled_from([None, "head", "note"]), st.sampled_from(["An", "Bình", ""]), st.booleans(),
)  # fmt: skip


@pytest.fixture
def phones(committee, ward, clock):
    """Three phones that had the same list one after the other, so that each may still hold visits of it."""
    turf = street(ward, 2)
    found = []
    for number in range(3):
        if found:
            leases.end("officer", turf.leases.get(ended_at=None), LeaseEnd.GIVEN, NOW)
        found.append(Phone.leasing(turf, committee, f"Máy {number}"))
    return found


def played(phones, plays):
    """The entries of a history. A phone sees its own changes, and those of others where it had a sync in between."""
    doors = list(Household.objects.order_by("address"))
    seen = [{} for _ in phones]
    shared: dict = {}
    entries = []
    for minute, (who, where, outcome, field, value, synced) in enumerate(plays):
        phone, door = phones[who], doors[where]
        phone.now = NOW + minute * MINUTE
        if synced:
            seen[who].update(shared)
        place = (door.pk, field)
        changes = None if field is None else {field: (value, [seen[who].get(place, "")])}
        if outcome is None and changes is None:
            outcome = "locked"
        entry = phone.entry(door, outcome, changes, at=NOW - datetime.timedelta(hours=1) + minute * MINUTE)
        if changes:
            seen[who][place] = shared[place] = entry["changes"][field]["clock"]
        entries.append((who, entry))
    return entries


def pushed(phones, entries):
    """Send entries one by one in the order given; the state of the doors afterwards, and then nothing again."""
    now = NOW + datetime.timedelta(hours=2)
    for who, entry in entries:
        phone = phones[who]
        receive(phone.device, Push(phone.run, phone.number, 0, 0, 1, [entry]), now)
    state = list(Household.objects.order_by("pk").values(*STATE))
    counts = (Visit.objects.count(), Change.objects.count(), Entry.objects.count(), Aside.objects.count())
    gaps = {row.device.pk: row.missing for row in phone_rows([phone.device for phone in phones], now)}
    for model in (Visit, Change, Entry, Aside, PhoneRun):
        model._default_manager.all().delete()
    blank = {"head": "Hộ", "note": "", "smartphones": None, "versions": {}, "disputed": [], "is_disputed": False,
             "incomplete": [], "is_incomplete": False, "last_at": None, "last_visit": None, "last_outcome": "",
             "revisit": "", "reached_at": None}  # fmt: skip
    Household.objects.update(**blank)
    return state, counts, gaps


@pytest.mark.long
@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plays=st.lists(steps, min_size=1, max_size=10), seed=st.integers(0, 2**16), lost=st.sets(st.integers(0, 9)))
def test_whatever_the_order_the_repeats_and_the_losses_the_state_is_the_same(phones, plays, seed, lost):
    Household.objects.update(head="Hộ")
    for phone in phones:
        phone.number, phone.seen, phone.now = 0, [], NOW
    entries = [entry for place, entry in enumerate(played(phones, plays)) if place not in lost]
    straight = pushed(phones, entries)
    drawn = random.Random(seed)
    again = [*entries, *(drawn.choice(entries) for _ in range(len(entries) // 2 if entries else 0))]
    drawn.shuffle(again)

    assert pushed(phones, again) == straight
    visits = sum("visit" in entry for _who, entry in entries)
    assert straight[1][0] == visits
    assert straight[1][3] == 0, "nothing of an honest history is kept aside"


@pytest.mark.django_db
def test_a_lost_entry_is_shown_as_a_gap_and_the_changes_after_it_wait(phones):
    plays = [(0, 0, None, "note", value, False) for value in ("An", "Bình", "")]
    entries = played(phones, plays)
    state, _counts, gaps = pushed(phones, [entries[0], entries[2]])

    assert gaps[phones[0].device.pk] == [2]
    assert [row["incomplete"] for row in state if row["note"] == "An"] == [["note"]]
