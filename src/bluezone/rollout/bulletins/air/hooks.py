# SPDX-License-Identifier: Apache-2.0
"""Where the loudspeakers plug in: they are told when the plan changed, and asked what their machines proved."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Proven:
    """What the machines of one outlet said of one airing; a machine counts in one of them.

    machines: that were to play it. played: began within a minute of its time. late: began after that.
    preempted: cut short by an emergency and not resumed. missed: could not. unheard: played without a sound card.
    silent: have not said anything.
    """

    machines: int = 0
    played: int = 0
    late: int = 0
    preempted: int = 0
    missed: int = 0
    unheard: int = 0

    @property
    def silent(self) -> int:
        """Machines that have not reported."""
        return max(0, self.machines - self.played - self.late - self.preempted - self.missed - self.unheard)

    @property
    def aired(self) -> int:
        """Machines that aired the whole of it, in time or late."""
        return self.played + self.late


Reader = Callable[[Iterable[int]], dict[int, Proven]]
_listeners: list[Callable[[], None]] = []
_readers: list[Reader] = []


def when_plan_changes(listener: Callable[[], None]) -> None:
    """Call `listener` in the transaction of every change of the plan."""
    _listeners.append(listener)


def announce_plan_change() -> None:
    """Tell whoever hands the plan out."""
    for listener in _listeners:
        listener()


def read_proven_with(reader: Reader) -> None:
    """Ask `reader` what was proven: primary keys of airings -> what machines said, for those that have machines.

    Left out where a person said what became of an airing and no machine said anything: it counts as attested alone.
    """
    _readers.append(reader)


def proven(airings: Iterable[int]) -> dict[int, Proven]:
    """What machines proved of some airings, by primary key; nothing for those without machines."""
    keys = list(airings)
    found: dict[int, Proven] = {}
    for reader in _readers:
        found.update(reader(keys))
    return found
