# SPDX-License-Identifier: Apache-2.0
"""What a loudspeaker keeps through a kill or a power cut: its token, plan and sounds, and reports not sent yet."""

import hashlib
import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from bluezone.refusal import Refused

# Reports that the office has are kept a while, so that nothing is played twice after a restart.
KEPT_SECONDS = 3 * 86_400.0
UNUSED_SECONDS = 14 * 86_400.0
# In `sent`: 0 waits, 1 the office has it.
_SET_ASIDE = 2
_SCHEMA = """
CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS begun (airing TEXT PRIMARY KEY, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS report (
    airing TEXT PRIMARY KEY, at REAL NOT NULL, body TEXT NOT NULL, sent INTEGER NOT NULL
);
"""


class SpeakerBookUnusable(Refused):
    """The loudspeaker's own file cannot be opened or written: damaged, or the disk is full."""

    code = "speaker_book_unusable"


class SpeakerBook:
    """One loudspeaker's folder: speaker.sqlite3, and sounds/ with files named by their SHA-256. now: Unix seconds."""

    def __init__(self, folder: Path, now: Callable[[], float]) -> None:
        self._sounds = folder / "sounds"
        self._now = now
        self._lock = threading.Lock()
        try:
            self._sounds.mkdir(parents=True, exist_ok=True, mode=0o700)
            path = folder / "speaker.sqlite3"
            # It holds the token: for this account alone.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._store = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._store.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + _SCHEMA)
        except (sqlite3.DatabaseError, OSError) as error:
            raise SpeakerBookUnusable(f"the loudspeaker's folder cannot be used: {error}") from None

    def close(self) -> None:
        """Close the file, once no other thread is using it."""
        with self._lock:
            self._store.close()

    def get(self, name: str) -> str | None:
        """A value kept under a name, None where there is none."""
        rows = self._do("SELECT value FROM kept WHERE name = ?", (name,))
        return str(rows[0][0]) if rows else None

    def put(self, name: str, value: str) -> None:
        """Keep a value under a name."""
        self._do(
            "INSERT INTO kept VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value)
        )

    def begin(self, airing: str, at: float) -> None:
        """Remember that an airing has begun, in case the power goes."""
        self._do("INSERT OR IGNORE INTO begun VALUES (?, ?)", (airing, at))

    def begun(self) -> list[tuple[str, float]]:
        """Airings that began and were never reported: the program was killed while they played."""
        return [
            (str(key), float(at))
            for key, at in self._do("SELECT airing, at FROM begun WHERE airing NOT IN (SELECT airing FROM report)")
        ]

    def report(self, airing: str, body: dict[str, Any]) -> None:
        """Store the report of an airing; the first report of an airing stays."""
        self._do("INSERT OR IGNORE INTO report VALUES (?, ?, ?, 0)", (airing, self._now(), json.dumps(body)))

    def is_done(self, airing: str) -> bool:
        """Whether something was reported of an airing."""
        return bool(self._do("SELECT 1 FROM report WHERE airing = ?", (airing,)))

    def unsent(self, most: int) -> list[dict[str, Any]]:
        """Reports that the office does not have yet, oldest first."""
        rows = self._do("SELECT body FROM report WHERE sent = 0 ORDER BY at, airing LIMIT ?", (most,))
        return [json.loads(row[0]) for row in rows]

    def sent(self, airings: Iterable[str]) -> None:
        """The office has these; forget old ones."""
        for airing in airings:
            self._do("UPDATE report SET sent = 1 WHERE airing = ?", (airing,))
        bound = self._now() - KEPT_SECONDS
        self._do("DELETE FROM report WHERE sent != 0 AND at < ?", (bound,))
        self._do("DELETE FROM begun WHERE at < ?", (bound,))

    def set_aside(self, airing: str) -> None:
        """The office will never take this report: do not send it again, and forget it with those that were sent."""
        self._do("UPDATE report SET sent = ? WHERE airing = ?", (_SET_ASIDE, airing))

    def sound(self, sha256: str) -> Path | None:
        """The file of a sound, None while it is not here."""
        path = self._sounds / f"{sha256}.mp3"
        return path if path.is_file() else None

    def keep_sound(self, sha256: str, content: bytes) -> bool:
        """Store a sound if its hash is right; it gets its name when it is whole, so half of one is never played."""
        if hashlib.sha256(content).hexdigest() != sha256:
            return False
        aside = self._sounds / f"{sha256}.part"
        aside.write_bytes(content)
        aside.replace(self._sounds / f"{sha256}.mp3")
        return True

    def forget_sounds(self, but: Iterable[str], *, all_of_them: bool = False) -> None:
        """Delete sounds that are in no plan and were fetched long ago."""
        used = set(but)
        for path in self._sounds.glob("*.mp3"):
            if path.stem not in used and (all_of_them or path.stat().st_mtime < self._now() - UNUSED_SECONDS):
                path.unlink(missing_ok=True)

    def _do(self, statement: str, values: tuple[Any, ...] = ()) -> list[Any]:
        try:
            with self._lock:
                return self._store.execute(statement, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise SpeakerBookUnusable(f"the loudspeaker's file cannot be used: {error}") from None
