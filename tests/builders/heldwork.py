# SPDX-License-Identifier: Apache-2.0
"""What transactions do while they hold the store: counted, so that no clock of a loaded machine is the judge."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection


@dataclass
class Held:
    """One transaction. statements: within it. calls: of Python functions while it was open, the measure of its work."""

    statements: list[str] = field(default_factory=list)
    calls: int = 0
    names: set[str] = field(default_factory=set)


@contextmanager
def held_work() -> Iterator[list[Held]]:
    """Note every transaction of this thread's connection to SQLite; nothing may be open before."""
    assert not connection.in_atomic_block, "the test needs transactions of its own"
    noted: list[Held] = []

    def count(frame: Any, event: str, _argument: object) -> None:
        if not connection.in_atomic_block:
            sys.setprofile(None)
        elif event == "call":
            noted[-1].calls += 1
            noted[-1].names.add(frame.f_code.co_qualname if sys.version_info >= (3, 11) else frame.f_code.co_name)

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("BEGIN"):
            noted.append(Held())
            answer = execute(sql, params, many, context)
            sys.setprofile(count)
            return answer
        if connection.in_atomic_block:
            noted[-1].statements.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        try:
            yield noted
        finally:
            sys.setprofile(None)
