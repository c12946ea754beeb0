# SPDX-License-Identifier: Apache-2.0
"""Measure the work of transactions while they lock the store, by counts that do not depend on the machine's load."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection


@dataclass
class TransactionWork:
    """The work of one transaction.

    statements: its SQL. calls: how many calls of Python functions while it was open. names: those functions.
    rows: how many rows its statements inserted, changed or deleted. cpu_seconds: of this thread.
    """

    statements: list[str] = field(default_factory=list)
    calls: int = 0
    names: set[str] = field(default_factory=set)
    rows: int = 0
    cpu_seconds: float = 0.0


@contextmanager
def timed_work() -> Iterator[list[TransactionWork]]:
    """Record statements and CPU time of each transaction of this thread's connection to SQLite."""
    noted: list[TransactionWork] = []
    begun = [0.0]

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        answer = execute(sql, params, many, context)
        if sql.startswith("BEGIN"):
            noted.append(TransactionWork())
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
    """How many rows a statement writes; SQLite does not report it for one with RETURNING."""
    if sql.startswith("SELECT"):
        return 0
    if sql.startswith("INSERT") and " RETURNING " in sql:
        return sql.count("(%s")
    return max(0, changed)


@contextmanager
def transaction_work() -> Iterator[list[TransactionWork]]:
    """Record each transaction of this thread's connection to SQLite. No transaction may be open before."""
    assert not connection.in_atomic_block, "the test needs transactions of its own"
    noted: list[TransactionWork] = []

    def count(frame: Any, event: str, _argument: object) -> None:
        # A transaction is open a moment before Django's flag says so; it can be over only after that.
        if not connection.in_atomic_block and noted[-1].statements:
            sys.setprofile(None)
        elif event == "call":
            noted[-1].calls += 1
            noted[-1].names.add(frame.f_code.co_name)

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("BEGIN"):
            noted.append(TransactionWork())
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
