# SPDX-License-Identifier: Apache-2.0
"""Slots of reports become hourly packages, of which nothing stays in the store."""

import hashlib
import os
import random
from dataclasses import replace

import pytest
from tests.builders.keyserver import DAY, HOUR, NOON, call, keys_for, report_of
from tests.builders.venue import keys_of, signed_venue

from bluezone.keyserver.publication import folder
from bluezone.keyserver.publication.adoption import requeue_items
from bluezone.keyserver.publication.series import VENUE_PACKAGES
from bluezone.protocol.signed.envelope import CHAIN_START
from bluezone.protocol.signed.index import chain_value, follow_index
from bluezone.protocol.upload import Slot, Status, commitment
from bluezone.protocol.venues.items import (
    ITEM_LENGTH,
    NONCE_LENGTH,
    TAG_LENGTH,
    Record,
    open_item,
    split_package,
)

PERIOD = {"publish_period_seconds": 7200}


def slot_of(venue, hours_ago=5, start=10, end=40, now=NOON):
    hour = now // HOUR - hours_ago
    return Slot(hour, keys_of(venue, hour * HOUR, hour * HOUR)[hour], start, end)


def reported(server, *slots, keys=()):
    """A report of these slots, uploaded; returns its phone."""
    phone = report_of(server, days=1, keys=keys, slots=tuple(sorted(slots, key=Slot.to_bytes)))
    assert phone.upload().status is Status.OK
    return phone


def packages(server):
    return [
        (server.data_dir / "venues" / entry.name).read_bytes()
        for entry in server.indexes.read_index(VENUE_PACKAGES).entries
    ]


def found(server, slot, packages_of):
    items = [item for package in packages_of for item in split_package(package)]
    return [record for item in items if (record := open_item(slot.slot_key, slot.hour, item))]


@pytest.mark.long
def test_a_reported_slot_stands_in_the_next_package_and_in_no_table(server, clock):
    server.tick()
    slot = slot_of(signed_venue())
    reported(server, slot)
    clock.pass_by(HOUR)
    server.tick()

    (_, package) = packages(server)
    assert found(server, slot, [package]) == [Record(2, 10, 40, slot.hour)]
    assert server.keys_store.read("SELECT * FROM waiting_item") == []
    assert server.keys_store.read("SELECT content FROM venue_package WHERE content IS NOT NULL") == []


def test_a_report_of_visits_alone_is_taken(server):
    assert reported(server, slot_of(signed_venue())).keys == ()


@pytest.mark.long
def test_a_clinical_case_weighs_less(server, clock):
    server.tick()
    slot = slot_of(signed_venue())
    phone = report_of(server, "clinical", days=1, keys=keys_for(NOON, 1), slots=(slot,))
    assert phone.upload().status is Status.OK
    clock.pass_by(HOUR)
    server.tick()

    assert [record.level for record in found(server, slot, packages(server))] == [1]


@pytest.mark.long
def test_there_is_one_package_an_hour_reports_or_not(server, clock):
    server.publication.random_bytes = random.Random(4).randbytes
    for _ in range(4):
        server.tick()
        server.tick()
        clock.pass_by(HOUR)

    sizes = [len(package) for package in packages(server)]
    assert len(sizes) == 4
    assert all(size and size % ITEM_LENGTH == 0 for size in sizes)
    assert len(set(sizes)) > 1


@pytest.mark.long
def test_the_index_chains_the_packages_and_phones_can_follow_it(server, clock):
    for _ in range(3):
        server.tick()
        clock.pass_by(HOUR)
    index = server.indexes.read_index(VENUE_PACKAGES)

    assert (index.kind, index.number) == ("venues", 3)
    assert [entry.number for entry in follow_index(index, 0, CHAIN_START)] == [1, 2, 3]
    assert follow_index(index, 2, chain_value(index, 2)) == [index.entries[2]]
    for entry, package in zip(index.entries, packages(server), strict=True):
        assert hashlib.sha256(package).hexdigest() == entry.sha256
        answered = call(server, "GET", f"/v1/venues/{entry.name}")
        assert (answered.status, answered.body) == (200, package)
        assert "immutable" in answered.headers["Cache-Control"]
    assert call(server, "GET", "/v1/venues/index.json").status == 200


@pytest.mark.long
def test_a_crash_between_the_steps_yields_the_same_package(server, clock, monkeypatch):
    server.tick()
    slot = slot_of(signed_venue())
    reported(server, slot)
    clock.pass_by(HOUR)
    monkeypatch.setattr(folder, "write_new_file", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        server.publication.venue_packages.publish_due_package(clock.now)
    ((content,),) = server.keys_store.read("SELECT content FROM venue_package WHERE number = 2")
    monkeypatch.undo()
    clock.pass_by(60)
    server.tick()

    assert packages(server)[1] == bytes(content)
    assert len(found(server, slot, packages(server))) == 1


@pytest.mark.long
def test_packages_and_their_rows_are_gone_after_fourteen_days(server, clock):
    server.tick()
    old = server.indexes.read_index(VENUE_PACKAGES).entries[0]
    clock.pass_by(7 * DAY)
    server.tick()
    clock.pass_by(7 * DAY + HOUR)
    server.tick()

    assert not (server.data_dir / "venues" / old.name).exists()
    assert [entry.number for entry in server.indexes.read_index(VENUE_PACKAGES).entries] == [2, 3]
    assert call(server, "GET", f"/v1/venues/{old.name}").status == 404


def test_the_chain_goes_on_after_a_long_silence(server, clock):
    server.tick()
    before = server.indexes.read_index(VENUE_PACKAGES)
    clock.pass_by(15 * DAY)
    server.publication.index_writer.renew_indexes(clock.now)
    silent = server.indexes.read_index(VENUE_PACKAGES)

    assert silent.entries == ()
    assert silent.chain_before == chain_value(before, 1).hex()


@pytest.mark.parametrize("path", ["../keys/pepper", f"1-{32 * '0'}.zip", f"1-{32 * '0'}.bin", "index.json.bak"])
def test_nothing_else_is_served_from_the_folder(server, path):
    assert call(server, "GET", f"/v1/venues/{path}").status == 404


@pytest.mark.long
def test_the_same_upload_again_adds_nothing(server, clock):
    server.tick()
    slot = slot_of(signed_venue())
    phone = reported(server, slot)
    assert phone.upload().status is Status.OK
    clock.pass_by(HOUR)
    server.tick()

    assert len(found(server, slot, packages(server))) == 1


def test_a_rehearsal_leaves_no_item(server):
    chaff = next(key for key in server.secrets.week_keys.all() if key.purpose == "chaff")
    phone = report_of(server, days=1, keys=())
    slots = (slot_of(signed_venue()),)
    signed = replace(phone, kid=chaff.kid, chaff=True, slots=slots, blinded=None)
    assert signed.redeem_code().status is Status.OK
    assert signed.upload().status is Status.OK
    assert signed.input_msg.endswith(commitment(signed.salt, (), slots))

    assert server.keys_store.read("SELECT * FROM waiting_item") == []


def test_items_that_waited_before_the_upgrade_are_still_published(database, city_folder, clock, monkeypatch):
    from bluezone.keyserver.storage import migrations
    from bluezone.keyserver.storage.opening import open_store

    url = os.environ.get("BLUEZONE_DATABASE_URL")
    real = migrations._scripts
    monkeypatch.setattr(
        migrations, "_scripts", lambda name, dialect: {n: s for n, s in real(name, dialect).items() if n < 3}
    )
    store = open_store("keys", city_folder, url)
    row = (os.urandom(16), os.urandom(12), os.urandom(24), 1)
    store.write(
        lambda transaction: transaction.execute(
            "INSERT INTO venue_item (tag, nonce, sealed, received_day) VALUES (?, ?, ?, ?)", row
        )
    )
    store.close()
    monkeypatch.undo()
    if url:
        monkeypatch.setenv("BLUEZONE_DATABASE_URL", url)
    store = open_store("keys", city_folder, url)

    assert [tuple(map(bytes, kept)) for kept in store.read("SELECT tag, nonce, sealed FROM waiting_item")] == [row[:3]]
    store.close()


def test_items_of_a_package_that_was_never_published_wait_again_as_they_were(server):
    content = os.urandom(3 * ITEM_LENGTH)
    row = "INSERT INTO venue_package (number, end_timestamp, content, chain_before) VALUES (1, ?, ?, ?)"
    server.keys_store.write(lambda transaction: transaction.execute(row, (NOON, content, bytes(32))))

    server.keys_store.write(requeue_items)

    waiting = server.keys_store.read("SELECT tag, nonce, sealed FROM waiting_item")
    items = {content[at : at + ITEM_LENGTH] for at in range(0, len(content), ITEM_LENGTH)}
    assert {b"".join(map(bytes, item)) for item in waiting} == items
    assert {(len(tag), len(nonce)) for tag, nonce, _sealed in waiting} == {(TAG_LENGTH, NONCE_LENGTH)}
    assert server.keys_store.read("SELECT 1 FROM venue_package") == []
