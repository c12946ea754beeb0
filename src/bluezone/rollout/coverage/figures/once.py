# SPDX-License-Identifier: Apache-2.0
"""Read once for one page what several indicators count from: the gates bring four shares of the same passages."""

import contextlib
from collections.abc import Callable, Hashable, Iterator
from contextvars import ContextVar
from typing import Any, TypeVar

_Read = TypeVar("_Read")
_kept: ContextVar[dict[Hashable, Any] | None] = ContextVar("read for one page", default=None)


@contextlib.contextmanager
def reading_once() -> Iterator[None]:
    """Within it `once` reads each key once; afterwards everything is forgotten."""
    token = _kept.set({})
    try:
        yield
    finally:
        _kept.reset(token)


def once(key: Hashable, read: Callable[[], _Read]) -> _Read:
    """What `read` gives; outside `reading_once` it is read anew each time. The caller must not change it."""
    kept = _kept.get()
    if kept is None:
        return read()
    if key not in kept:
        kept[key] = read()
    found: _Read = kept[key]
    return found
