# SPDX-License-Identifier: Apache-2.0
"""A ward's whole list goes into a city at work, on one real SQLite store: nobody who writes is refused or waits long.

Judged by counts, which a loaded machine leaves as they are: how many transactions it is, how many rows and how much of
Python each of them holds the store for, and how many of them pass while somebody else waits. bench/bench_bulk.py
measures seconds.
"""

import pytest
from tests.builders.bulkwork import bulkwork
from tests.builders.stores import prepared_store

ROWS, CHANGED, TAKEN_BACK = 1_000, 400, 600
A_PIECE = 200
# Storing 200 rows takes 75,000 calls, changing 200 twice as many; comparing every two doors took 2,000,000.
MOST_CALLS = 400_000
HEAVY = {"near", "propose", "read_table", "preview", "plan", "likeness"}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    data = tmp_path_factory.mktemp("bulk") / "data"
    prepared_store(data)
    return bulkwork(data, "import", rows=ROWS, changed=CHANGED, groups=2, taken_back=TAKEN_BACK)


def test_everybody_else_writes_all_along_and_nobody_is_refused(found):
    assert found["refused"] == []
    assert all(found["wrote"].values()), found["wrote"]
    # SQLite lets in whoever asks at the right moment, so a few may go before; not the whole import.
    assert found["passed"] < len(found["held"]) / 2, (found["passed"], len(found["held"]))


def test_no_transaction_holds_more_than_a_piece(found):
    held = sorted(found["held"], key=lambda one: one["rows"])
    *pieces, shown = held
    assert shown["rows"] == ROWS + 2, "all doors are shown by one statement, beside the state and the audit"
    assert shown["statements"] <= 6
    # Of a changed door: what was said, and the door.
    assert max(one["rows"] for one in pieces) <= 2 * A_PIECE + 2


def test_no_transaction_reads_the_file_or_looks_for_doubles(found):
    assert all(not HEAVY & set(one["names"]) for one in found["held"])
    assert max(one["calls"] for one in found["held"]) < MOST_CALLS


def test_all_of_it_is_stored_and_what_was_taken_back_is_not(found):
    there = 2 * 20 + ROWS
    assert found["doors"] == [there, there]
    assert found["changed"] == CHANGED
