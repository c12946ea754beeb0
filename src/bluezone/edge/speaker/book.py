# SPDX-License-Identifier: Apache-2.0
"""What a loudspeaker keeps through a kill or a power cut: its token, plan and sounds, and reports not sent yet."""

import contextlib
import hashlib
import json
import logging
import math
import os
import sqlite3
import threading
import wave
from array import array
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from bluezone.refusal import Refused

# Reports that the office has are kept a while, so that nothing is played twice after a restart.
KEPT_SECONDS = 3 * 86_400.0
UNUSED_SECONDS = 14 * 86_400.0
# In `sent`: 0 waits, 1 the office has it.
_SET_ASIDE = 2
# What every machine can say in an emergency of which it has no sound: Vietnamese, then English.
PHRASES = Path(__file__).with_name("phrases.mp3")
# As long as the smallest block that a disk writes whole.
_NOTE_BYTES = 512
# Before an emergency: two pitches in turn, low enough for small horns and for a telephone's band.
TONE_SECONDS = 3.0
_TONE_RATE, _TONE_PITCHES, _TONE_TURN_SECONDS, _TONE_FADE_SECONDS = 16_000, (660.0, 880.0), 0.5, 0.01
# Of the file: a header, and two bytes a sample.
_TONE_BYTES = 44 + 2 * round(TONE_SECONDS * _TONE_RATE)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS attempt (
    airing TEXT NOT NULL, at REAL NOT NULL, heard REAL NOT NULL DEFAULT 0, PRIMARY KEY (airing, at)
);
CREATE TABLE IF NOT EXISTS report (
    airing TEXT PRIMARY KEY, at REAL NOT NULL, body TEXT NOT NULL, sent INTEGER NOT NULL
);
-- Of programs that noted one attempt of an airing, and not how much of it was heard.
CREATE TABLE IF NOT EXISTS begun (airing TEXT PRIMARY KEY, at REAL NOT NULL);
INSERT OR IGNORE INTO attempt (airing, at) SELECT airing, at FROM begun;
DROP TABLE begun;
"""


logger = logging.getLogger(__name__)


class SpeakerBookUnusable(Refused):
    """The loudspeaker's own file cannot be opened or written: damaged, or the disk is full."""

    code = "speaker_book_unusable"


class SpeakerBook:
    """One loudspeaker's folder. now: Unix seconds.

    speaker.sqlite3; `heard`, how much of what plays was heard; sounds/ with files named by their SHA-256.
    """

    def __init__(self, folder: Path, now: Callable[[], float]) -> None:
        self._sounds = folder / "sounds"
        self._tone = folder / "tone.wav"
        self._now = now
        self._lock = threading.Lock()
        # Of sounds whose hash was right since the start: size and time of the file then.
        self._whole: dict[str, tuple[int, int]] = {}
        try:
            self._sounds.mkdir(parents=True, exist_ok=True, mode=0o700)
            path = folder / "speaker.sqlite3"
            # It holds the token: for this account alone.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._store = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._store.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + _SCHEMA)
            (folder / "heard").touch(mode=0o600)
            self._note = (folder / "heard").open("r+b", buffering=0)
        except (sqlite3.DatabaseError, OSError) as error:
            raise SpeakerBookUnusable(f"the loudspeaker's folder cannot be used: {error}") from None
        self._saving: threading.Thread | None = None
        self._take_note()

    def close(self) -> None:
        """Close the file, once no other thread is using it."""
        with self._lock:
            self._store.close()
            self._note.close()

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
        """Remember that an airing has begun, in case the power goes. at: Unix seconds."""
        self._do("INSERT OR IGNORE INTO attempt (airing, at) VALUES (?, ?)", (airing, at))

    def keep_heard(self, airing: str, at: float, seconds: float) -> None:
        """Store how much was heard of the attempt that began at `at`, because something else is to play."""
        self._do("UPDATE attempt SET heard = max(heard, ?) WHERE airing = ? AND at = ?", (seconds, airing, at))

    def note_heard(self, airing: str, at: float, seconds: float) -> None:
        """Note how much was heard of what plays, waiting for no disk: a kill loses nothing of it, a power cut a little.

        In place in a file of one block, so that a full disk does not refuse it; another thread brings it to the disk.
        """
        line = json.dumps([airing, at, seconds]).encode()
        with contextlib.suppress(OSError, ValueError):
            self._note.seek(0)
            self._note.write(line[:_NOTE_BYTES].ljust(_NOTE_BYTES))
        if self._saving is None or not self._saving.is_alive():
            self._saving = threading.Thread(target=self._save_note, daemon=True)
            self._saving.start()

    def _save_note(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            os.fdatasync(self._note.fileno())

    def _take_note(self) -> None:
        """Store what the program before noted last."""
        with contextlib.suppress(OSError, ValueError):
            airing, at, seconds = json.loads(self._note.read(_NOTE_BYTES))
            self.keep_heard(str(airing), float(at), float(seconds))

    def begun(self) -> dict[str, list[tuple[float, float]]]:
        """Airings that began and were never reported, as the program was killed while they played.

        To each its attempts, oldest first: Unix seconds of the beginning, and seconds that were heard.
        """
        found: dict[str, list[tuple[float, float]]] = {}
        rows = self._do(
            "SELECT airing, at, heard FROM attempt WHERE airing NOT IN (SELECT airing FROM report) ORDER BY rowid"
        )
        for airing, at, heard in rows:
            found.setdefault(str(airing), []).append((float(at), float(heard)))
        return found

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
        self._do("DELETE FROM attempt WHERE at < ?", (bound,))

    def set_aside(self, airing: str) -> None:
        """The office will never take this report: do not send it again, and forget it with those that were sent."""
        self._do("UPDATE report SET sent = ? WHERE airing = ?", (_SET_ASIDE, airing))

    def sound(self, sha256: str) -> Path | None:
        """The file of a sound, None while it is not here. One whose hash is wrong is deleted, to be fetched again."""
        path = self._sounds / f"{sha256}.mp3"
        try:
            state = path.stat()
            stamp = (state.st_size, state.st_mtime_ns)
            if self._whole.get(sha256) == stamp:
                return path
            if hashlib.sha256(path.read_bytes()).hexdigest() == sha256:
                self._whole[sha256] = stamp
                return path
            logger.warning("the sound %s is damaged: it is deleted and fetched again", sha256[:12])
            path.unlink()
        except OSError:
            # Not here, or on a disk that cannot be read.
            pass
        self._whole.pop(sha256, None)
        return None

    def doubt(self, sha256: str) -> None:
        """Look at the whole of a sound before it is played again, because its player failed."""
        self._whole.pop(sha256, None)

    def tone(self) -> Path | None:
        """The file of the tone that comes before an emergency, TONE_SECONDS long; None where it cannot be written."""
        try:
            if not self._tone.is_file() or self._tone.stat().st_size != _TONE_BYTES:
                aside = self._tone.with_suffix(".part")
                with wave.open(str(aside), "wb") as file:
                    file.setparams((1, 2, _TONE_RATE, 0, "NONE", ""))
                    file.writeframes(_tone_samples().tobytes())
                aside.replace(self._tone)
        except OSError:
            return None
        return self._tone

    def live_pipe(self) -> Path | None:
        """The named pipe through which a player gets what is spoken live; None where there can be none."""
        return self._pipe("live.webm")

    def relay_pipe(self) -> Path | None:
        """The named pipe through which a player gets a station that is relayed; None where there can be none."""
        return self._pipe("relay.wav")

    def _pipe(self, name: str) -> Path | None:
        path = self._tone.with_name(name)
        try:
            if not path.is_fifo():
                os.mkfifo(path, 0o600)
        except OSError:
            return None
        return path

    def keep_sound(self, sha256: str, content: bytes) -> bool:
        """Store a sound if its hash is right; it gets its name when it is whole, so half of one is never played.

        On the disk, not only in memory: an empty file is what a power cut would leave of it.
        """
        if hashlib.sha256(content).hexdigest() != sha256:
            return False
        aside = self._sounds / f"{sha256}.part"
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self._sounds / f"{sha256}.mp3")
        folder = os.open(self._sounds, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
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


def _tone_samples() -> "array[int]":
    turn = round(_TONE_TURN_SECONDS * _TONE_RATE)
    fade = _TONE_FADE_SECONDS * _TONE_RATE
    samples = array("h")
    for number in range(round(TONE_SECONDS * _TONE_RATE)):
        pitch, place = _TONE_PITCHES[number // turn % len(_TONE_PITCHES)], number % turn
        loud = 0.5 * min(1.0, place / fade, (turn - place) / fade)
        samples.append(round(32_767 * loud * math.sin(2 * math.pi * pitch * place / _TONE_RATE)))
    return samples
