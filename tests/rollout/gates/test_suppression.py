# SPDX-License-Identifier: Apache-2.0
"""What another agency's reader is not shown, over rows and columns together."""

import random
from collections import Counter

import pytest

from bluezone.rollout.coverage.api import agency_cell
from bluezone.rollout.gates.models import Verdict
from bluezone.rollout.gates.suppression import (
    GateWeek,
    gate_cell,
    passage_counts,
    suppressed_by_gate,
    suppressed_by_name,
)

PARTS = ("proven", "fresh", "attested", "other")


def week(agency, path="1/2/", **sums):
    return GateWeek(path, agency, passage_counts(Counter({Verdict(name): number for name, number in sums.items()})))


def test_what_a_row_hides_beside_a_small_number_is_not_worked_out_from_its_column():
    hidden = suppressed_by_name(
        {
            1: week(1, running=40, valid_code=6, screen_seen=3, told=9),
            2: week(2, running=50, valid_code=7, screen_seen=30, told=30),
        }
    )
    beside = [name for name in PARTS if gate_cell(1) in hidden[name] and name != "attested"]

    assert gate_cell(1) in hidden["attested"]
    assert beside
    for name in ("attested", *beside):
        # The sum of both is known, so the other gate's number may not be; and an agency of one gate is that gate.
        assert gate_cell(2) in hidden[name] or agency_cell(1) in hidden[name]


def test_two_gates_of_an_agency_are_hidden_together_where_coverage_shows_their_sum():
    hidden = suppressed_by_name({1: week(7, running=3), 2: week(7, running=40), 3: week(8, running=90)})

    assert {gate_cell(1), gate_cell(2)} <= hidden["proven"]
    assert agency_cell(7) not in hidden["proven"]


@pytest.mark.parametrize("seed", range(12))
def test_no_small_number_is_shown_and_none_is_left_over_in_its_row(seed):
    rng = random.Random(seed)
    names = [verdict.value for verdict in Verdict]
    gates = {
        pk: week(pk // 2, f"1/{10 + pk // 6}/", **{name: rng.choice((0, 2, 7, 30, 80)) for name in names})
        for pk in range(14)
    }
    for pk, names_hidden in suppressed_by_gate(gates, gates).items():
        row = vars(gates[pk].counted)
        assert {name for name, number in row.items() if 0 < number < 5} <= names_hidden
        for total, below in (("with_smartphone", PARTS), ("came_in", ("with_smartphone", "no_smartphone"))):
            unknown = [name for name in (total, *below) if row[name] and name in names_hidden]
            assert len(unknown) != 1, (pk, unknown)


def test_where_nothing_is_small_everything_is_shown():
    assert suppressed_by_gate({1: week(1, running=40, told=9)}, [1]) == {1: set()}
