# SPDX-License-Identifier: Apache-2.0
"""What the owner was asked once, and whether Android killed the service: flags in a small file, nothing personal."""

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
    """agreed: to what Bluezone does. *_asked: the step was shown and left. language: "vi" or "en".

    running_in: name of the start of the phone in which the service runs; None once it was told to end. killed: it was
    found to have been killed since the owner last read how to keep it alive.
    """

    agreed: bool = False
    notices_asked: bool = False
    battery_asked: bool = False
    maker_read: bool = False
    location_switch_asked: bool = False
    killed: bool = False
    language: str = "vi"
    running_in: str | None = None
    asked: tuple[str, ...] = ()


class Setup:
    """The answers of one phone, written at each change.

    folder: the app's own; made if it is not there. needed: the permissions without which nothing runs; they are in the
    file for Java (Start.java), which asks before Python is there whether the service may start.
    problem: code of what kept the last answer from being written, None if it was.
    """

    def __init__(self, folder: Path, needed: tuple[str, ...] = ()) -> None:
        self._path, self._needed = folder / FILE, needed
        self._lock = threading.Lock()
        self.problem: str | None = None
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.answers = self._read()

    def _read(self) -> Answers:
        """The stored answers; if the file cannot be read, everything is asked again, and nothing runs meanwhile."""
        try:
            kept: dict[str, Any] = json.loads(self._path.read_text("utf-8"))
            kept.pop("needed", None)
            return Answers(**{**kept, "asked": tuple(kept.get("asked", ()))})
        except (OSError, ValueError, TypeError, AttributeError):
            return Answers()

    def note(self, **changed: Any) -> None:
        """Change some answers, whole or not at all. Raises HandsetDiskFull; then they are as before."""
        with self._lock:
            answers = replace(self.answers, **changed)
            unfinished = self._path.with_suffix(".unfinished")
            try:
                unfinished.write_text(json.dumps({**asdict(answers), "needed": self._needed}), "utf-8")
                unfinished.replace(self._path)
            except OSError as error:
                if error.errno not in _NO_ROOM:
                    raise
                self.problem = HandsetDiskFull.code
                raise HandsetDiskFull("the disk is full: the answer was not written") from error
            self.answers = answers
            self.problem = None

    def started(self, boot_id: str) -> None:
        """Note that the service starts. If it had not ended before, in the same start of the phone, it was killed."""
        self.note(running_in=boot_id, killed=self.answers.killed or self.answers.running_in == boot_id)

    def ended(self) -> None:
        """Note that the service was told to end."""
        self.note(running_in=None)

    def forget(self) -> None:
        """Go back to the state of a new installation, but keep the language."""
        self.answers = Answers(language=self.answers.language)
        self._path.unlink(missing_ok=True)
