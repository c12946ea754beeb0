# SPDX-License-Identifier: Apache-2.0
"""Row 14: linking a case's keys in a file. Padding hides a lone patient among random keys of the same cells.

Two attackers who know more than they could: one knows the day, level and class of a key and points at one key of
that cell; the other knows ten cells of a case and decides by the best test there is (the likelihood ratio)
whether a file holds it.
"""

import random
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from tests.builders.keyserver import HOUR, NOON, Clock, open_server

from bluezone.protocol.exports.files import read_export
from bluezone.protocol.intervals import first_interval

MEAN = 50
# How many files of each kind, and how often the attacker may guess right: of fewer files more often, by chance.
SIZES = [pytest.param((80, 0.65), id="80"), pytest.param((200, 0.60), id="200", marks=pytest.mark.slow)]


def cell(key):
    return key.start, key.days_since_onset, key.report_type


@pytest.fixture(scope="module", params=SIZES)
def files(request, tmp_path_factory):
    """(patient's keys, keys of the file) of files with one patient each, then of as many without any; seeded."""
    number_of_files, _ = request.param
    rng = random.Random(14)
    server = open_server(tmp_path_factory.mktemp("city"), Clock())
    server.publication.random_bytes = rng.randbytes
    found = []
    for number in range(2 * number_of_files):
        patient = store_patient(server, rng) if number < number_of_files else {}
        server.tick()
        newest = max((server.data_dir / "exports").glob("*.zip"), key=lambda path: int(path.name.split("-")[0]))
        found.append((patient, read_export(newest.read_bytes()).keys))
        server.clock.pass_by(2 * HOUR)
    server.close()
    return found[:number_of_files], found[number_of_files:]


def store_patient(server, rng):
    """Ten keys of a case as an upload leaves them: high from two days before to three after onset, else standard."""
    newest = int(server.clock.now - 2 * HOUR) // 86400 - 1
    levels = [1, 1, 2, 2, 2, 2, 2, 2, 1, 1]
    rows = [
        (first_interval(newest - 9 + n), rng.randbytes(16), level, 1, int(server.clock.now) // HOUR)
        for n, level in enumerate(levels)
    ]
    sql = "INSERT INTO waiting_key VALUES (?, ?, ?, ?, ?)"
    server.keys_store.write(lambda transaction: transaction.execute_each(sql, rows))
    return {row[1] for row in rows}


def who_points_at_a_key_of_the_right_cell_is_right_in_under_8_percent(files):
    right, tried = 0.0, 0
    for patient, keys in files[0]:
        cells = Counter(cell(key) for key in keys)
        for key in keys:
            if key.key in patient:
                right += 1 / cells[cell(key)]
                tried += 1

    assert tried == len(files[0]) * 10
    assert right / tried < 0.08


def who_knows_ten_cells_of_a_case_hardly_knows_whether_it_is_in_the_file(files, most):
    def evidence(keys):
        cells = Counter(cell(key) for key in keys)
        days = sorted({key.start for key in keys})[-10:]
        known = [(start, onset, 1) for start, onset in zip(days, [7, 7, 0, 0, 0, 0, 0, 0, 7, 7], strict=True)]
        # P(count - 1) / P(count) of the negative binomial with r = 2, up to a constant.
        return sum(np.log(cells[each] / (cells[each] + 1)) if cells[each] else -np.inf for each in known)

    with_case, without = ([evidence(keys) for _, keys in group] for group in files)
    auc = np.mean([(one > other) + (one == other) / 2 for one in with_case for other in without])

    # Who is wrong more often than a coin knows as much, and guesses the opposite.
    assert 1 - most < auc < most


def nothing_but_chance_orders_or_marks_the_keys_of_a_file(files):
    for _, keys in files[0][:20]:
        assert all(earlier.key < later.key for earlier, later in pairwise(keys))
        assert {key.period for key in keys} == {144}
        assert {key.transmission_risk_level for key in keys} == {None}
    # A cell is empty with a chance of 0.0015; a real key hardly ever stands alone in one.
    own = [cell(key) for patient, keys in files[0] for key in keys if key.key in patient]
    alone = [
        cell(key)
        for patient, keys in files[0]
        for key in keys
        if key.key in patient and not any(cell(other) == cell(key) for other in keys if other.key not in patient)
    ]
    assert len(alone) <= 0.01 * len(own)


@pytest.mark.long
def test_neither_who_points_nor_who_knows_ten_cells_finds_a_case_in_a_file(request, files):
    """One test, because the files take seconds and two processes would make them twice."""
    who_points_at_a_key_of_the_right_cell_is_right_in_under_8_percent(files)
    _, most = request.node.callspec.params["files"]
    who_knows_ten_cells_of_a_case_hardly_knows_whether_it_is_in_the_file(files, most)
    nothing_but_chance_orders_or_marks_the_keys_of_a_file(files)


@pytest.mark.long
def test_a_re_run_yields_the_same_file(tmp_path, monkeypatch):
    from bluezone.keyserver.publication import export_files

    server = open_server(tmp_path, Clock(NOON))
    server.tick()
    store_patient(server, random.Random(1))
    server.clock.pass_by(2 * HOUR)
    with monkeypatch.context() as patch:
        patch.setattr(export_files.ExportFiles, "_complete", lambda *arguments: None)
        server.tick()
        first = {path.name: path.read_bytes() for path in (server.data_dir / "exports").glob("2-*.zip")}
        server.tick()
        server.tick()
    server.tick()
    again = {path.name: path.read_bytes() for path in (server.data_dir / "exports").glob("2-*.zip")}
    server.close()

    assert len(first) == 1
    assert again == first
