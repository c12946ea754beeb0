# SPDX-License-Identifier: Apache-2.0
"""The owner's journal: calls, tests, symptoms and notes, which never leave this phone.

From these entries the page derives which steps the owner has taken after a warning or a report
(face/static/journey.js).
"""

import secrets
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from bluezone.handset.clocks import PhoneTime
from bluezone.handset.store import Store
from bluezone.refusal import Refused

# Longer than the diary, because a doctor asks about the days before and after the result.
RETAINED_DAYS = 30
MOST_ENTRIES = 500
LONGEST_TEXT = 2000
# called: the owner called the health station. tested: the owner gave a sample. ended: the owner has read that they no
# longer need to watch their health.
KINDS = ("called", "tested", "negative", "positive", "ended", "symptoms", "note")
# The kinds of entry that refer to warnings.
ABOUT_WARNINGS = ("called", "tested", "negative")
MOST_WARNINGS = 50
LONGEST_NAME = 100
SYMPTOMS = ("fever", "cough", "breath", "throat", "smell", "tired", "none")
_NAME = "journal"


class JournalInvalid(Refused):
    """A journal entry has an unknown kind, no valid day, or is too long; nothing was written."""

    code = "journal_invalid"


class JournalFull(Refused):
    """The journal has the largest allowed number of entries; nothing was written."""

    code = "journal_full"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the journal.

    id:    identifies the entry for `remove`.
    day:   the local day to which it refers, "YYYY-MM-DD".
    kind:  one of KINDS.
    text:  the owner's words in a note.
    marks: for "symptoms", names from SYMPTOMS; for a call or a test, ids of the warnings to which it refers, as the
           page makes them (face/static/journey.js).
    at:    when it was written, Unix seconds.
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
        """Return the entries of the last 30 days; changes nothing in the store."""
        stored: list[dict[str, Any]] = self._store.get(_NAME, [])
        oldest = self._oldest()
        entries = (Entry(**(entry | {"marks": tuple(entry["marks"])})) for entry in stored)
        return sorted((entry for entry in entries if entry.day >= oldest), key=lambda entry: (entry.day, entry.at))

    def add_entry(self, day: str, kind: str, text: str = "", marks: tuple[str, ...] = ()) -> Entry:
        """Write an entry; new symptoms replace the symptoms of that day. Raises JournalInvalid, JournalFull."""
        if kind not in KINDS or len(text) > LONGEST_TEXT or not _are_marks(kind, marks):
            raise JournalInvalid(f"an entry of kind {kind!r} with {len(text)} characters is not one of the journal's")
        try:
            date.fromisoformat(day)
        except ValueError:
            raise JournalInvalid(f"{day!r} is not a day") from None
        if not self._oldest() <= day <= (self._time.today() + timedelta(days=1)).isoformat():
            raise JournalInvalid(f"the journal keeps {RETAINED_DAYS} days, and {day} is not one of them")
        entry = Entry(secrets.token_hex(8), day, kind, text, marks, self._time.now())
        with self._store.transaction():
            entries = [other for other in self.all() if not (kind == other.kind == "symptoms" and other.day == day)]
            if len(entries) >= MOST_ENTRIES:
                raise JournalFull(f"the journal holds {MOST_ENTRIES} entries; remove some")
            self._save([*entries, entry])
        return entry

    def remove(self, entry_id: str) -> None:
        """Remove an entry; do nothing if there is none with this id."""
        with self._store.transaction():
            self._save([entry for entry in self.all() if entry.id != entry_id])

    def purge(self) -> None:
        """Remove entries of days more than 30 days ago."""
        with self._store.transaction():
            if self._store.get(_NAME) is not None:
                self._save(self.all())

    def _save(self, entries: list[Entry]) -> None:
        self._store.put(_NAME, [asdict(entry) for entry in entries] or None)

    def _oldest(self) -> str:
        return (self._time.today() - timedelta(days=RETAINED_DAYS)).isoformat()


def _are_marks(kind: str, marks: tuple[str, ...]) -> bool:
    """Whether `marks` are allowed for an entry of a kind: ids of warnings, or names of symptoms."""
    if kind not in ABOUT_WARNINGS:
        return set(marks) <= set(SYMPTOMS)
    return len(marks) <= MOST_WARNINGS and all(len(mark) <= LONGEST_NAME for mark in marks)
