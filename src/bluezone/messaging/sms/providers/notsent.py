# SPDX-License-Identifier: Apache-2.0
"""For a city without an operator: what would have been sent is written to a file, and shown everywhere as not sent.

Numbers are written with their last two digits only, so that the file needs no purge of its own.
"""

import json
import os
import time
from pathlib import Path

from bluezone.messaging.sms import segmentation
from bluezone.messaging.sms.destinations import masked
from bluezone.messaging.sms.providers import Accepted, Answer, Event, Outgoing, Question

_ROOM = 50


class NotSent:
    """Appends a line of JSON for each part; sends nothing."""

    name = "file"
    finds_references = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self._events: list[Event] = []
        self.trouble = ""

    def room(self) -> int:
        """Always some."""
        return _ROOM

    def hand_over(self, parts: list[Outgoing]) -> None:
        """Write the parts; the outbox hears that none was sent."""
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            for part in parts:
                text = (
                    part.octets.decode("utf-16-be")
                    if part.data_coding
                    else segmentation.decode_default_alphabet(part.octets)
                )
                line = {"sent": False, "at": int(time.time()), "to": masked(part.destination), "text": text}
                file.write(json.dumps({**line, "part": part.number, "of": part.count}, ensure_ascii=False) + "\n")
                self._events.append(Accepted(part.part_id, "", is_sent=False))

    def ask(self, question: Question) -> None:
        """Nothing was ever sent, so what is not known to be written may be written again."""
        self._events.append(Answer(question.part_id, found=False))

    def listen(self, seconds: float) -> list[Event]:
        """What was written since."""
        events, self._events = self._events, []
        if not events:
            time.sleep(seconds)
        return events

    def confirm(self) -> None:
        """Nobody to tell."""

    def close(self) -> None:
        """Nothing is open."""
