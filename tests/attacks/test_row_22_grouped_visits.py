# SPDX-License-Identifier: Apache-2.0
"""Row 22: who reads packages, or the operator's disk afterwards, wants to know which visits one case made."""

import itertools
import random

import pytest
from tests.builders.keyserver import HOUR, NOON, Clock, open_server, report_of

from bluezone.keyserver.publication.series import VENUE_PACKAGES
from bluezone.protocol.upload import Slot, Status
from bluezone.protocol.venues.items import ITEM_LENGTH, open_item, slot_tag, split_package


def cases(count, rng):
    """The visits of so many cases, eight each."""
    made = []
    for _ in range(count):
        hours = rng.sample(range(NOON // HOUR - 200, NOON // HOUR - 1), 8)
        made.append(tuple(sorted((Slot(hour, rng.randbytes(32), 0, 30) for hour in hours), key=Slot.to_bytes)))
    return made


def packaged(server, reports):
    """Upload the reports in this order, let an hour pass, and return the items of the package."""
    for slots in reports:
        assert report_of(server, days=1, keys=(), slots=slots).upload().status is Status.OK
        server.clock.pass_by(60)
    server.clock.pass_by(HOUR)
    server.tick()
    entry = server.indexes.read_index(VENUE_PACKAGES).entries[-1]
    return list(split_package((server.data_dir / "venues" / entry.name).read_bytes()))


@pytest.mark.long
def test_row_22_the_order_of_a_package_is_that_of_its_bytes_whoever_came_first(server):
    server.tick()
    rng = random.Random(22)
    reports = cases(12, rng)
    items = packaged(server, reports)
    real = {slot_tag(slot.slot_key): number for number, slots in enumerate(reports) for slot in slots}
    owners = [real[item[:16]] for item in items if item[:16] in real]

    assert items == sorted(items)
    assert len(owners) == 12 * 8
    neighbours = sum(one == other for one, other in itertools.pairwise(owners))
    assert neighbours < 24, "by chance one in twelve: 8 of 95"


@pytest.mark.long
def test_row_22_another_order_of_uploads_gives_the_same_order_of_tags(tmp_path, monkeypatch):
    monkeypatch.delenv("BLUEZONE_DATABASE_URL", raising=False)
    orders = []
    for name in ("one", "other"):
        server = open_server(tmp_path / name, Clock())
        server.tick()
        reports = cases(6, random.Random(22))
        random.Random(name).shuffle(reports)
        seeded = random.Random(1)
        server.publication.random_bytes = seeded.randbytes
        orders.append([item[:16] for item in packaged(server, reports)])
        server.close()

    assert orders[0] == orders[1]


@pytest.mark.long
def test_row_22_padding_makes_the_count_random_and_looks_like_items(server):
    server.publication.random_bytes = random.Random(12).randbytes
    counts = []
    for _ in range(12):
        server.tick()
        counts.append(server.indexes.read_index(VENUE_PACKAGES).entries[-1].size // ITEM_LENGTH)
        server.clock.pass_by(HOUR)

    assert len(set(counts)) > 6
    assert min(counts) >= 1
    assert 20 < sum(counts) / len(counts) < 300


@pytest.mark.long
def test_row_22_after_publishing_no_item_is_left_in_the_store_or_on_its_disk_but_in_copies_of_packages(server):
    server.tick()
    reports = cases(5, random.Random(3))
    items = packaged(server, reports)
    real = [
        item
        for item in items
        for slots in reports
        for slot in slots
        if open_item(slot.slot_key, slot.hour, item) is not None
    ]
    # The copies of the packages have the same bytes as the packages, which everybody may fetch.
    server.keys_store.write(lambda transaction: transaction.execute("DELETE FROM published_content"))
    server.keys_store.erase_deleted_rows()

    assert len(real) == 40
    assert server.keys_store.read("SELECT * FROM waiting_item") == []
    columns = [row[0] for row in server.keys_store.read("SELECT content FROM venue_package")]
    assert columns == [None] * len(columns)
    if server.keys_store.dialect == "sqlite":
        disk = b"".join(path.read_bytes() for path in server.data_dir.glob("keys.sqlite3*"))
        assert not any(item[:16] in disk for item in real)


def test_row_22_while_they_wait_items_have_no_time_and_no_order_of_coming(server):
    server.tick()
    for slots in cases(3, random.Random(4)):
        assert report_of(server, days=1, keys=(), slots=slots).upload().status is Status.OK

    rows = server.keys_store.read("SELECT * FROM waiting_item")
    assert {len(row) for row in rows} == {3}, "tag, nonce, sealed record, and nothing else"
    if server.keys_store.dialect == "sqlite":
        assert [bytes(row[0]) for row in rows] == sorted(bytes(row[0]) for row in rows)
