# SPDX-License-Identifier: Apache-2.0
"""What the audit tells of: the acts that duties declare, each with its words."""

from functools import cache

from bluezone.duties import catalogue
from bluezone.duties.duty import Text


class ActUnknown(ValueError):
    """No duty declares this act: a fault of the program that records it."""


@cache
def acts() -> dict[str, Text]:
    """Every act that can be recorded, with its words."""
    return catalogue.acts()


def words_of(act: str) -> str:
    """An act in the reader's language; the name itself of one that no duty declares any more."""
    return str(acts().get(act, act))


def check(act: str) -> None:
    """Raises ActUnknown."""
    if act not in acts():
        raise ActUnknown(f"no duty declares the act {act}")
