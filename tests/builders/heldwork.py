# SPDX-License-Identifier: Apache-2.0
"""What transactions do while they hold the store: counted, so that no clock of a loaded machine is the judge."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection


@dataclass
class Held:
    """One transaction. statements: within it. calls: of Python functions while it was open, the measure of its work.

    names: of those functions. rows: that its statements inserted, changed or deleted. cpu_seconds: of this thread.
    """

    statements: list[str] = field(default_factory=list)
    calls: int = 0
    names: set[str] = field(default_factory=set)
    rows: int = 0
    cpu_seconds: float = 0.0


@contextmanager
def timed_work() -> Iterator[list[Held]]:
    """Note of every transaction of this thread's connection to SQLite its statements and the CPU it took, alone."""
    noted: list[Held] = []
    begun = [0.0]

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        answer = execute(sql, params, many, context)
        if sql.startswith("BEGIN"):
            noted.append(Held())
            begun[0] = time.thread_time()
        elif connection.in_atomic_block:
            noted[-1].statements.append(sql)
        return answer

    def end() -> None:
        commit()
        if noted:
            noted[-1].cpu_seconds = time.thread_time() - begun[0]

    database: Any = connection
    commit = database._commit
    with database.execute_wrapper(note):
        database._commit = end
        try:
            yield noted
        finally:
            del database._commit


def _rows(sql: str, changed: int) -> int:
    """How many rows a statement writes; of one that returns them SQLite does not say how many."""
    if sql.startswith("SELECT"):
        return 0
    return sql.count("(%s") if sql.startswith("INSERT") and " RETURNING " in sql else max(0, changed)


@contextmanager
def held_work() -> Iterator[list[Held]]:
    """Note every transaction of this thread's connection to SQLite; nothing may be open before."""
    assert not connection.in_atomic_block, "the test needs transactions of its own"
    noted: list[Held] = []

    def count(frame: Any, event: str, _argument: object) -> None:
        # It is open a moment before Django says so; only then can it be over.
        if not connection.in_atomic_block and noted[-1].statements:
            sys.setprofile(None)
        elif event == "call":
            noted[-1].calls += 1
            noted[-1].names.add(frame.f_code.co_name)

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("BEGIN"):
            noted.append(Held())
            answer = execute(sql, params, many, context)
            sys.setprofile(count)
            return answer
        answer = execute(sql, params, many, context)
        if connection.in_atomic_block:
            noted[-1].statements.append(sql)
            noted[-1].rows += _rows(sql, context["cursor"].rowcount)
        return answer

    with connection.execute_wrapper(note):
        try:
            yield noted
        finally:
            sys.setprofile(None)
