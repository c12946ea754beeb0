# SPDX-License-Identifier: Apache-2.0
"""What the answer for a public page depends on besides its address."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass


def keep_query(_path: str, _query: str) -> None:
    """A page depends on all of its query, so it is not cached."""


def is_always_known(_path: str) -> bool:
    """Each address may have a page."""
    return True


@dataclass(frozen=True)
class PageVariants:
    """What the answer for a public page depends on.

    language_cookie: the only cookie that it may depend on. store_state: returns a value that changes when the store
    does, None if that cannot be known. offered_language: returns the language of the answer for an Accept-Language
    header, if no cookie chooses one. is_known: whether an address may have a page; all others have the same "not
    found". read_query: returns the part of a query that the page of an address depends on, None for all of it.
    """

    language_cookie: str
    store_state: Callable[[], Hashable]
    offered_language: Callable[[str], str]
    is_known: Callable[[str], bool] = is_always_known
    read_query: Callable[[str, str], str | None] = keep_query
