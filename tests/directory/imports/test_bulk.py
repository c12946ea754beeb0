# SPDX-License-Identifier: Apache-2.0
"""Lists of a country's units and agencies, and letters to all of them, on one real SQLite store: no transaction holds
it for more than a few rows a line, and none reads, plans or checks meanwhile.

Judged by counts, which a loaded machine leaves as they are; bench/bench_bulk.py measures seconds.
"""

import pytest
from tests.builders.bulkwork import bulkwork
from tests.builders.stores import prepared_store

AGENCIES, COMMUNES = 260, 210
A_PIECE = 200
# Of Python: storing or deleting 200 agencies takes 100,000 to 150,000. A letter is sent to all of them or to nobody.
MOST_CALLS = 250_000
HEAVY = {"read_table", "preview", "stored_directory", "state_of", "contradictions", "members_of", "meant_by"}
SENT = HEAVY - {"meant_by"}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    data = tmp_path_factory.mktemp("bulk") / "data"
    prepared_store(data)
    return bulkwork(data, "directory", agencies=AGENCIES, communes=COMMUNES)


@pytest.mark.parametrize(("what", "shown"), [("units", COMMUNES + 1), ("agencies", AGENCIES)])
def test_new_entries_are_stored_in_pieces_and_shown_by_one_statement(found, what, shown):
    *pieces, last = found["held"][what]
    assert last["rows"] == shown + 3, "beside the entries: the list, the number of the directory and the audit"
    assert last["statements"] <= 8
    # Of a new entry: itself, its path and its figure.
    assert max(one["rows"] for one in pieces) <= 3 * A_PIECE + 1


def test_changed_entries_are_stored_in_pieces_and_what_is_taken_back_goes_in_pieces(found):
    assert max(one["rows"] for one in found["held"]["changed"]) <= 2 * A_PIECE + 1
    assert max(one["rows"] for one in found["held"]["taken back"]) <= 3 * A_PIECE + 1
    assert found["agencies"] == AGENCIES


def test_no_transaction_reads_plans_or_checks_the_directory(found):
    for what, held in found["held"].items():
        heavy = SENT if what == "directive" else HEAVY
        assert all(not heavy & set(one["names"]) for one in held), what
        assert max(one["calls"] for one in held) < MOST_CALLS, what


def test_one_entry_by_hand_is_a_few_rows(found):
    assert max(one["rows"] for one in found["held"]["by hand"]) <= 6
