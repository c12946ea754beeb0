# SPDX-License-Identifier: Apache-2.0
"""The owner's answers during set-up, and whether Android killed the service: a small file without personal data."""

import errno
import json
import threading
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bluezone.handset.store import HandsetDiskFull

FILE = "setup.json"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class Answers:
    """The owner's answers.

    agreed:     whether the owner agreed on the first screen.
    *_asked:    whether the step was shown and left.
    killed:     whether Android has killed the service since the owner last read how to prevent this.
    language:   "vi" or "en".
    running_in: id of the boot of the phone in which the service runs; None after it was stopped.
    requested:  permissions that the app has requested.
    """

    agreed: bool = False
    notices_asked: bool = False
    battery_asked: bool = False
    maker_read: bool = False
    location_switch_asked: bool = False
    killed: bool = False
    language: str = "vi"
    running_in: str | None = None
    requested: tuple[str, ...] = ()


class Setup:
    """The answers of one phone, written at each change.

    folder: the app's own; created if missing. needed: the permissions without which nothing runs; the file has them for
    Java (Start.java), which checks before Python runs whether the service may start.
    problem: code of the refusal to store the last answer, None if it was stored.
    """

    def __init__(self, folder: Path, needed: tuple[str, ...] = ()) -> None:
        self._path = folder / FILE
        self._needed = needed
        self._lock = threading.Lock()
        self.problem: str | None = None
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.answers = self._read()

    def _read(self) -> Answers:
        """The stored answers; if the file cannot be read, none, so that nothing runs until the owner answers again."""
        try:
            stored: dict[str, Any] = json.loads(self._path.read_text("utf-8"))
            stored.pop("needed", None)
            requested = tuple(stored.pop("asked", ()))
            return Answers(**stored, requested=requested)
        except (OSError, ValueError, TypeError, AttributeError):
            return Answers()

    def update(self, **changes: Any) -> None:
        """Change some answers and store them. Raises HandsetDiskFull, and then changes none."""
        with self._lock:
            answers = replace(self.answers, **changes)
            # Earlier releases call the field "asked".
            document = asdict(answers)
            document["asked"] = document.pop("requested")
            unfinished = self._path.with_suffix(".unfinished")
            try:
                unfinished.write_text(json.dumps({**document, "needed": self._needed}), "utf-8")
                unfinished.replace(self._path)
            except OSError as error:
                if error.errno not in _NO_ROOM:
                    raise
                self.problem = HandsetDiskFull.code
                raise HandsetDiskFull("the disk is full: the answer was not written") from error
            self.answers = answers
            self.problem = None

    def note_start(self, boot_id: str) -> None:
        """Note that the service starts. If it ran earlier in this boot and was not stopped, it was killed."""
        self.update(running_in=boot_id, killed=self.answers.killed or self.answers.running_in == boot_id)

    def note_stop(self) -> None:
        """Note that the service was stopped."""
        self.update(running_in=None)

    def reset(self) -> None:
        """Return to the state of a new installation, except for the language."""
        self.answers = Answers(language=self.answers.language)
        self._path.unlink(missing_ok=True)
