# SPDX-License-Identifier: Apache-2.0
"""Counts for the health authority: uploads and files, without identities or times of use.

Source: docs/contracts.md, Stores (only keyserver's published functions cross).
"""

from dataclasses import dataclass

from bluezone.keyserver.publication.file_repair import DAMAGED_DUTY
from bluezone.keyserver.storage.store import Store, Transaction

# At least four rounds of the worker; at most the time after which a person is alerted (docs/alerts.yml,
# PublicationOverdue).
_LEAST_LATE_SECONDS = 60
_MOST_LATE_SECONDS = 1800


@dataclass(frozen=True)
class UploadCount:
    """Reports of one UTC day and class; small counts of earlier days of the week are added to it."""

    day: int
    klass: int
    uploads: int


@dataclass(frozen=True)
class FileCount:
    """One export file: its number, when its period ended (Unix seconds), its size in bytes, its name."""

    number: int
    end_timestamp: int
    size: int
    name: str


def uploads_by_day(keys_store: Store) -> list[UploadCount]:
    """Reports of the last two weeks."""
    return [UploadCount(*row) for row in keys_store.read("SELECT * FROM upload_count ORDER BY day, class")]


def files(keys_store: Store) -> list[FileCount]:
    """Export files of the last two weeks, oldest first."""
    rows = keys_store.read(
        "SELECT number, end_timestamp, size, name FROM export_file WHERE sha256 IS NOT NULL ORDER BY number"
    )
    return [FileCount(*row) for row in rows]


def damaged_files(keys_store: Store) -> int:
    """How many listed files are damaged or missing and could not be written again, as of the last round."""
    rows = keys_store.read("SELECT done FROM duty WHERE name = ?", (DAMAGED_DUTY,))
    return int(rows[0][0]) if rows else 0


def overdue_seconds(keys_store: Store, period_seconds: int, listed: int, now: float) -> float:
    """How long phones have had no new export file although one was due; 0.0 while none is due.

    period_seconds: time between two files, 0 in a demo. listed: number of the newest file in the published index;
    phones do not get files that it does not list. now: Unix seconds.
    """
    ends = {number: int(end) for number, end in keys_store.read("SELECT number, end_timestamp FROM export_file")}
    phones_have = max((number for number in ends if number <= listed), default=None)
    unlisted = [ends[number] for number in sorted(ends) if number > listed]
    if phones_have is not None and period_seconds:
        due_at = (ends[phones_have] // period_seconds + 1) * period_seconds
    elif unlisted:
        # The first file is for a period that ended before the city began, so its own end says nothing.
        due_at = unlisted[0] if phones_have is not None else unlisted[0] + period_seconds
    else:
        return 0.0
    return max(0.0, now - due_at)


def late_after_seconds(period_seconds: int) -> int:
    """After how long an overdue file is a failure: after another period, at most half an hour."""
    return max(_LEAST_LATE_SECONDS, min(period_seconds, _MOST_LATE_SECONDS))


def guessing_alarm_hours(codes_store: Store) -> list[int]:
    """Hours (Unix seconds // 3600) of the last two weeks in which codes were being guessed."""
    return [hour for (hour,) in codes_store.read("SELECT hour FROM guessing_alarm ORDER BY hour")]


def note_guessing_alarm(codes_store: Store, hour: int) -> None:
    """Note that codes were being guessed in an hour (Unix seconds // 3600)."""

    def action(transaction: Transaction) -> None:
        transaction.execute("INSERT INTO guessing_alarm VALUES (?) ON CONFLICT DO NOTHING", (hour,))

    codes_store.write(action)


def note_guesses(codes_store: Store, hour: int, guesses: int) -> None:
    """Note the number of wrong codes in an hour (since 1970) so far; called at 64 and at each doubling."""

    def action(transaction: Transaction) -> None:
        transaction.execute(
            "INSERT INTO guess_count VALUES (?, ?) ON CONFLICT (hour) DO UPDATE SET guesses = excluded.guesses"
            " WHERE guess_count.guesses < excluded.guesses",
            (hour, guesses),
        )

    codes_store.write(action)


def waiting_keys(keys_store: Store) -> int:
    """How many keys wait for the end of their embargo."""
    return int(keys_store.read("SELECT COUNT(*) FROM waiting_key")[0][0])
