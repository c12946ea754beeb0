# SPDX-License-Identifier: Apache-2.0
"""A gate to practise at: judged like a real one, forgotten after seven days, its codes worth nothing elsewhere."""

import json
import subprocess
import time

import pytest
from tests.builders.serving import BLUEZONE
from tests.edge.test_gate_program import Gate

from bluezone.edge.gate.book import GateBook
from bluezone.edge.gate.check import Finding, GateCheck
from bluezone.edge.gate.practice import BADGE, KEPT_DAYS, KINDS, PIN, Practice, PracticeFolderUsed, furnish

EXPECTED = {
    "running": Finding.PROVEN,
    "browser": Finding.FRESH,
    "screenshot": Finding.NOT_HEARD,
    "off": Finding.BLUETOOTH_OFF,
    "foreign": Finding.FOREIGN,
}


@pytest.fixture(scope="module")
def practice():
    return Practice()


def gate(week_keys):
    return GateCheck(b"gate", week_keys, time.monotonic, time.time)


@pytest.mark.parametrize("kind", KINDS)
def test_each_practice_code_is_judged_as_the_real_one_would_be(practice, kind):
    check = gate(practice.week_keys)

    assert check.judge(practice.code(kind, check)) is EXPECTED[kind]


def test_a_practice_code_is_worth_nothing_at_another_gate(practice):
    here, elsewhere = gate(practice.week_keys), gate(Practice().week_keys)

    assert {elsewhere.judge(practice.code(kind, here)).lets_in for kind in KINDS} == {False}


def test_what_was_practised_is_forgotten_after_seven_days(tmp_path):
    now = [1_795_595_100.0]
    book = GateBook(tmp_path / "gate.sqlite3", lambda: now[0], KEPT_DAYS, reports=False)
    from bluezone.edge.gate.passages import Passage

    book.enter(Passage("in", "told"))
    now[0] += 60
    book.settle()
    now[0] += 7 * 86_400 - 600
    furnish(book)
    assert sum(book.totals(0).values()) == 1
    now[0] += 1_200
    furnish(book)
    assert book.totals(0) == {}
    book.close()


def test_the_book_of_a_real_gate_is_not_practised_in(tmp_path):
    book = GateBook(tmp_path / "gate.sqlite3", time.time)
    book.put("token", "x")
    with pytest.raises(PracticeFolderUsed):
        furnish(book)
    book.close()


class Nowhere:
    """No server at all: a gate to practise at asks for none."""

    public = "http://127.0.0.1:1"


def test_the_program_practises_without_a_server_and_tells_nobody(tmp_path):
    gate = Gate(Nowhere, tmp_path, "--training")
    try:
        state = gate.state()
        assert (state["training"], state["sync_problem"], state["gate"]["name"]) == (True, None, "Cổng tập huấn")
        code = gate.call("POST", "practise", kind="running")[1]["text"]
        assert gate.call("POST", "judge", text=code)[1]["verdict"] == "running"
        assert gate.call("POST", "practise", kind="green")[0] == 400
        badge = gate.call("POST", "badge")[1]
        assert badge == {"badge": f"BZGK:{BADGE}", "pin": PIN}
        assert gate.call("POST", "signIn", **badge)[0] == 200
        assert gate.call("POST", "signOut")[1]["totals"] == {}
        assert gate.call("POST", "help", contact="0912")[1]["ticket"] == "TAP-HUAN"
        assert [path.name for path in tmp_path.iterdir()] == ["gate-training"]
    finally:
        gate.stop()
    ran = subprocess.run(
        [BLUEZONE, "gate", "run", "--data", tmp_path, "--training", "--code", "x", "--json"],
        capture_output=True,
        text=True,
    )
    assert (ran.returncode, "leave --trust and --code out" in ran.stderr + ran.stdout) == (2, True)


def test_a_real_gate_answers_no_practice_call(tmp_path):
    from tests.builders.gatepage import paged_gate

    with paged_gate(tmp_path) as made:
        assert not {"api/practise", "api/badge"} & set(made.page.changing)
        assert json.loads(json.dumps(made.desk.state()))["training"] is False
