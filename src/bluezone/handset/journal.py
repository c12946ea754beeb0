# SPDX-License-Identifier: Apache-2.0
"""What the owner writes down for themselves: calls, tests, symptoms, notes; kept on this phone and sent to nobody.

The page reads the state after a warning or a report from it (face/static/journey.js).
"""

import secrets
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from bluezone.handset.clocks import PhoneTime
from bluezone.handset.store import Store
from bluezone.refusal import Refused

# Longer than a diary: a doctor asks for the days before and after the result.
KEPT_DAYS = 30
MOST_ENTRIES = 500
LONGEST_TEXT = 2000
# called: the health station. tested: a sample was taken. ended: the notice that a watch is over was read.
KINDS = ("called", "tested", "negative", "positive", "ended", "symptoms", "note")
# What is noted about warnings.
ABOUT_WARNINGS = ("called", "tested", "negative")
MOST_WARNINGS, LONGEST_NAME = 50, 100
SYMPTOMS = ("fever", "cough", "breath", "throat", "smell", "tired", "none")
_NAME = "journal"


class JournalInvalid(Refused):
    """An entry of the journal is of no known kind, of no day, or too long; nothing was written."""

    code = "journal_invalid"


class JournalFull(Refused):
    """The journal holds as many entries as it may; remove some. Nothing was written."""

    code = "journal_full"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal.

    id:    by which it is removed. day: the local day it is about, "YYYY-MM-DD". at: when it was written, Unix seconds.
    kind:  one of KINDS. text: the owner's words, of a note. marks: of "symptoms" names of SYMPTOMS; of
           a call or a test the warnings it is about, as the page calls them (face/static/journey.js).
    """

    id: str
    day: str
    kind: str
    text: str
    marks: tuple[str, ...]
    at: float


class Journal:
    """The owner's own entries, oldest first."""

    def __init__(self, store: Store, time: PhoneTime) -> None:
        self._store = store
        self._time = time

    def all(self) -> list[Entry]:
        """Every entry of the last 30 days; writes nothing."""
        kept: list[dict[str, Any]] = self._store.get(_NAME, [])
        oldest = self._oldest()
        entries = (Entry(**(entry | {"marks": tuple(entry["marks"])})) for entry in kept)
        return sorted((entry for entry in entries if entry.day >= oldest), key=lambda entry: (entry.day, entry.at))

    def write(self, day: str, kind: str, text: str = "", marks: tuple[str, ...] = ()) -> Entry:
        """Write an entry; of one day there is one of symptoms, the latest. Raises JournalInvalid, JournalFull."""
        if kind not in KINDS or len(text) > LONGEST_TEXT or not _are_marks(kind, marks):
            raise JournalInvalid(f"an entry of kind {kind!r} with {len(text)} characters is not one of the journal's")
        try:
            date.fromisoformat(day)
        except ValueError:
            raise JournalInvalid(f"{day!r} is not a day") from None
        if not self._oldest() <= day <= (self._time.today() + timedelta(days=1)).isoformat():
            raise JournalInvalid(f"the journal keeps {KEPT_DAYS} days, and {day} is not one of them")
        entry = Entry(secrets.token_hex(8), day, kind, text, marks, self._time.now())
        with self._store.transaction():
            kept = [one for one in self.all() if not (kind == one.kind == "symptoms" and one.day == day)]
            if len(kept) >= MOST_ENTRIES:
                raise JournalFull(f"the journal holds {MOST_ENTRIES} entries; remove some")
            self._keep([*kept, entry])
        return entry

    def remove(self, entry_id: str) -> None:
        """Remove an entry; one that is gone already is no error."""
        with self._store.transaction():
            self._keep([entry for entry in self.all() if entry.id != entry_id])

    def purge(self) -> None:
        """Remove what is older than 30 days."""
        with self._store.transaction():
            if self._store.get(_NAME) is not None:
                self._keep(self.all())

    def _keep(self, entries: list[Entry]) -> None:
        self._store.put(_NAME, [asdict(entry) for entry in entries] or None)

    def _oldest(self) -> str:
        return (self._time.today() - timedelta(days=KEPT_DAYS)).isoformat()


def _are_marks(kind: str, marks: tuple[str, ...]) -> bool:
    """Whether these can be the marks of an entry: names of warnings, or of symptoms."""
    if kind not in ABOUT_WARNINGS:
        return set(marks) <= set(SYMPTOMS)
    return len(marks) <= MOST_WARNINGS and all(len(mark) <= LONGEST_NAME for mark in marks)
