# SPDX-License-Identifier: Apache-2.0
"""An index stays as small as phones accept, however often a city publishes."""

import hashlib

from tests.builders.keyserver import call

from bluezone.keyserver.publication.series import EXPORT_FILES, MOST_LISTED
from bluezone.protocol.signed.envelope import CHAIN_START, MAX_SIGNED_BYTES, extend_chain
from bluezone.protocol.signed.index import chain_value, follow_index

# The widest numbers and sizes that a file may have.
FIRST_NUMBER = 999_900_000
SIZE = 30_000_000


def store_files(server, count, end):
    """Store rows of `count` files, one a minute, the last of which ends at `end`; return the chain after the last."""
    rows = []
    chain = CHAIN_START
    for number in range(FIRST_NUMBER, FIRST_NUMBER + count):
        digest = hashlib.sha256(number.to_bytes(8, "big")).digest()
        ends = end - 60 * (FIRST_NUMBER + count - number - 1)
        name = f"{number}-{digest.hex()[:32]}.zip"
        rows.append((number, ends - 60, ends, 0, 0, chain, digest, name, SIZE))
        chain = extend_chain(chain, digest)
    columns = "number, start_timestamp, end_timestamp, newest_day, padding_mean, chain_before, sha256, name, size"
    sql = f"INSERT INTO export_file ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    server.keys_store.write(lambda transaction: transaction.execute_each(sql, rows))
    return chain


def test_an_index_of_a_city_that_publishes_every_minute_is_one_that_phones_accept(server, clock):
    chain = store_files(server, MOST_LISTED + 2000, int(clock()))
    server.publication.index_writer.renew_index(clock())

    assert len(call(server, "GET", "/v1/exports/index.json").body) < MAX_SIGNED_BYTES
    index = server.indexes.read_index(EXPORT_FILES)
    assert len(index.entries) == MOST_LISTED
    assert chain_value(index, index.number) == chain


def test_a_phone_follows_an_index_from_which_the_oldest_files_have_gone(server, clock):
    store_files(server, MOST_LISTED, int(clock()))
    server.publication.index_writer.renew_index(clock())
    before = server.indexes.read_index(EXPORT_FILES)
    server.keys_store.write(lambda transaction: transaction.execute("DELETE FROM export_file"))
    store_files(server, MOST_LISTED + 100, int(clock()) + 60)
    server.publication.index_writer.renew_index(clock() + 60)
    index = server.indexes.read_index(EXPORT_FILES)

    new = follow_index(index, before.number, chain_value(before, before.number))
    assert [entry.number for entry in new] == list(range(before.number + 1, before.number + 101))
    assert len(index.entries) == MOST_LISTED
