# SPDX-License-Identifier: Apache-2.0
"""What loudspeakers and other machines reported of airings. The code of the loudspeakers registers its reader here."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class MachineReports:
    """What the machines of one outlet reported of one airing, as counts of machines.

    Each machine counts in exactly one of played, late, preempted, missed, unheard, broken_off and silent.

    machines: all that were due to play it.
    played: started within a minute of its time. late: started after that.
    preempted: cut short by an emergency and not resumed.
    missed: could not play.
    unheard: played without a sound card.
    broken_off: stopped in the middle by a crash or a power cut. broken_seconds: the longest time that one of these
        played.
    again: machines that were stopped in this way, restarted, and then aired it.
    with_tone: machines that aired an emergency after the tone. on_second: those that aired it on a second channel too.
    parts: of a relay, at the machine where the station was heard least: (kind, start in Unix seconds, seconds).
    in_street, not_in_street, street_unknown: what microphones heard, at machines that have one. This is a separate
        proof and is never added to the others.
    """

    machines: int = 0
    played: int = 0
    late: int = 0
    preempted: int = 0
    missed: int = 0
    unheard: int = 0
    broken_off: int = 0
    broken_seconds: float = 0.0
    again: int = 0
    with_tone: int = 0
    on_second: int = 0
    parts: tuple[tuple[str, float, float], ...] = ()
    in_street: int = 0
    not_in_street: int = 0
    street_unknown: int = 0

    @property
    def silent(self) -> int:
        """Machines that have not reported."""
        reported = self.played + self.late + self.preempted + self.missed + self.unheard + self.broken_off
        return max(0, self.machines - reported)

    @property
    def aired(self) -> int:
        """Machines that aired all of it, on time or late."""
        return self.played + self.late


Reader = Callable[[Iterable[int]], dict[int, MachineReports]]
_readers: list[Reader] = []


def set_report_reader(reader: Reader) -> None:
    """Register a reader, which gets primary keys of airings and returns the machine reports of each.

    A reader leaves out airings without machines, and airings that a person has attested and no machine has reported:
    these count only as attested.
    """
    _readers.append(reader)


def read_machine_reports(airings: Iterable[int]) -> dict[int, MachineReports]:
    """What machines reported of some airings, by primary key; airings without machines are left out."""
    keys = list(airings)
    proofs: dict[int, MachineReports] = {}
    for reader in _readers:
        proofs.update(reader(keys))
    return proofs
