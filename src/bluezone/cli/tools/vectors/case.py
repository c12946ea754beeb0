# SPDX-License-Identifier: Apache-2.0
"""One case of a test-vector file, and how it comes out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from bluezone.refusal import Refused

Outcome = Literal["passed", "failed", "skipped"]
# Takes the case as it stands in the file; returns what this program makes of its input, and what the file expects.
Check = Callable[[Any], tuple[Any, Any]]


@dataclass(frozen=True)
class Case:
    """A case of a family; without a check it is one this version cannot do yet, and is skipped."""

    family: str
    name: str
    check: Check | None
    content: Any

    def outcome(self) -> tuple[Outcome, Any, Any]:
        """Return the outcome, and what was got and expected."""
        if self.check is None:
            return "skipped", None, None
        try:
            got, expected = self.check(self.content)
        except Refused as refusal:
            return "failed", f"refused: {refusal.code}", None
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            return "failed", f"case is not of the form known here: {error!r}", None
        return ("passed" if got == expected else "failed"), got, expected


def skipped(name: str) -> Case:
    """Return a case of a kind that is unknown here."""
    return Case(name, name, None, None)


def upper_hex(data: bytes) -> str:
    """Return hex digits as the app of 2020 wrote them."""
    return data.hex().upper()
