# SPDX-License-Identifier: Apache-2.0
"""The log of all data of the owner that ever left the phone, written before sending. It also counts random packets.

Source: docs/design.md, promise 2.
"""

import json
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from bluezone.handset.store import Store
from bluezone.protocol.intervals import day_at

# Name in the store of the flag that the last report was refused; also the code of the notice about it.
REPORT_REFUSED = "report_refused"

Kind = Literal["code_checked", "certificate_asked", "keys_sent", "declared", "help_asked"]
Outcome = Literal["unknown", "accepted", "refused", "not_reached"]


@dataclass(frozen=True, slots=True)
class SentRequest:
    """One request that carried the owner's data.

    kind: code_checked (the code was shown to the server), certificate_asked (code and blinded commitment),
          keys_sent (the keys of `days` and `slots` venue slots), declared (the warning of `days`),
          help_asked (what the owner wrote in the form).
    unix_seconds: trusted time.
    days: UTC days since 1970-01-01; for a declaration, the local day.
    outcome: "unknown" if the phone stopped before the answer came.
    """

    unix_seconds: float
    kind: Kind
    days: tuple[int, ...]
    outcome: Outcome
    slots: int = 0

    @property
    def dates(self) -> tuple[date, ...]:
        """UTC dates of the keys."""
        return tuple(date(1970, 1, 1) + timedelta(days=day) for day in self.days)


class SentLog:
    """The log that the owner sees. Only erasing the phone removes entries."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def log_request(self, kind: Kind, now: float, days: tuple[int, ...] = (), slots: int = 0) -> int:
        """Log a request before it is sent; return its number for `log_outcome`."""
        return self._store.add("sent", day_at(now), _encode(SentRequest(now, kind, days, "unknown", slots)))

    def log_outcome(self, number: int, outcome: Outcome) -> None:
        """Note how the request ended."""
        contents = self._store.row("sent", number)
        assert contents is not None
        sent = _decode(contents)
        self._store.replace("sent", number, day_at(sent.unix_seconds), _encode(replace(sent, outcome=outcome)))

    def all(self) -> list[SentRequest]:
        """Return all entries, oldest first."""
        return [_decode(contents) for _, _, contents in self._store.rows("sent")]

    @property
    def random_packets(self) -> int:
        """The number of rehearsals, which carry no data of the owner."""
        return int(self._store.get("random_packets", 0))

    def count_random_packet(self) -> None:
        """Count one rehearsal."""
        with self._store.transaction():
            self._store.put("random_packets", self.random_packets + 1)

    @property
    def report_refused(self) -> bool:
        """Whether the last report was refused after its owner had agreed to it."""
        return bool(self._store.get(REPORT_REFUSED))

    def note_report_refused(self, refused: bool) -> None:
        """Store whether the last report was refused."""
        self._store.put(REPORT_REFUSED, refused)


def _encode(sent: SentRequest) -> bytes:
    return json.dumps([sent.unix_seconds, sent.kind, list(sent.days), sent.outcome, sent.slots]).encode()


def _decode(contents: bytes) -> SentRequest:
    # Entries of releases without venues have no number of slots.
    unix_seconds, kind, days, outcome, *slots = json.loads(contents)
    return SentRequest(unix_seconds, kind, tuple(days), outcome, *slots)
