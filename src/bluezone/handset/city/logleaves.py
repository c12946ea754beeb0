# SPDX-License-Identifier: Apache-2.0
"""What a phone has read of the public log: which leaf was the first of each name.

Source: docs/protocol.md section 9.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from bluezone.transparency.leaves import name_of
from bluezone.transparency.merkle import leaf_hash
from bluezone.transparency.reading import Frontier

# How many names of each series are retained, newest first: over a fortnight of hourly venue packages.
RETAINED_HEADS = 400
# How many leaves before the newest may have a name that is retained: over three months.
RETAINED_LEAVES = 5000
# How many second leaves are retained as evidence.
RETAINED_SECONDS = 10
_SERIES = ("exports ", "venues ")


@dataclass
class ReadLeaves:
    """The leaves that a phone has read, without their contents.

    frontier: of all leaves up to the last one read. first: number and hash (hex) of the first leaf by name. seconds:
    later leaves (text) of a name that was taken, as evidence.
    """

    frontier: Frontier
    first: dict[str, tuple[int, str]] = field(default_factory=dict)
    seconds: list[str] = field(default_factory=list)

    @classmethod
    def load(cls, members: dict[str, Any]) -> Self:
        """Read what `members` returned."""
        frontier = Frontier(members["size"], tuple(map(bytes.fromhex, members["hashes"])))
        return cls(frontier, {name: tuple(leaf) for name, leaf in members["first"].items()}, list(members["seconds"]))

    def members(self) -> dict[str, Any]:
        """The members to store."""
        return {
            "size": self.frontier.size, "hashes": [value.hex() for value in self.frontier.hashes],
            "first": self.first, "seconds": self.seconds,
        }  # fmt: skip

    def add(self, contents: list[bytes]) -> None:
        """Add the leaves that follow."""
        for number, content in enumerate(contents, self.frontier.size):
            name = name_of(content)
            if name is None:
                continue
            if name in self.first:
                self.seconds.append(content.decode(errors="replace"))
            else:
                self.first[name] = (number, leaf_hash(content).hex())
        self.frontier = self.frontier.append(contents)
        self.seconds = self.seconds[:RETAINED_SECONDS]

    def forget_old_names(self) -> None:
        """Forget names of which this phone needs no leaf any more."""
        oldest = {series: self._oldest_retained(series) for series in _SERIES}
        rest = self.frontier.size - RETAINED_LEAVES
        self.first = {
            name: leaf
            for name, leaf in self.first.items()
            if leaf[0] >= next((number for series, number in oldest.items() if name.startswith(series)), rest)
        }

    def _oldest_retained(self, series: str) -> int:
        numbers = sorted(leaf[0] for name, leaf in self.first.items() if name.startswith(series))
        return numbers[-RETAINED_HEADS] if len(numbers) > RETAINED_HEADS else 0

    def position(self, content: bytes) -> int | None:
        """The number of a leaf that was the first of its name; None if another was, or neither was read."""
        number, digest = self.first.get(name_of(content) or "", (None, ""))
        return number if digest == leaf_hash(content).hex() else None

    def has_other(self, content: bytes) -> bool:
        """Whether another leaf was the first of this leaf's name."""
        return (name_of(content) or "") in self.first and self.position(content) is None

    def position_of_any(self, contents: Iterable[bytes]) -> int | None:
        """The number of the first of these leaves that was the first of its name."""
        return next((number for content in contents if (number := self.position(content)) is not None), None)
