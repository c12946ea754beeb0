# SPDX-License-Identifier: Apache-2.0
"""The provider of a city without an operator: it writes messages to a file, and they are shown as not sent.

The file has only the last two digits of numbers, so it needs no purge.
"""

import json
import os
import time
from pathlib import Path

from bluezone.messaging.sms import segmentation
from bluezone.messaging.sms.destinations import mask
from bluezone.messaging.sms.providers import Accepted, Answer, Event, OutgoingPart, StatusQuery

_PARTS_AT_ONCE = 50


class LogFileProvider:
    """A provider that sends nothing, and appends a line of JSON for each part to a file."""

    name = "file"
    finds_references = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self._events: list[Event] = []
        self.trouble = ""

    def capacity(self) -> int:
        """A constant: a file always has room."""
        return _PARTS_AT_ONCE

    def submit(self, parts: list[OutgoingPart]) -> None:
        """Write the parts; the events report that none was sent."""
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            for part in parts:
                if part.data_coding:
                    text = part.octets.decode("utf-16-be")
                else:
                    text = segmentation.decode_default_alphabet(part.octets)
                line = {"sent": False, "at": int(time.time()), "to": mask(part.destination), "text": text}
                file.write(json.dumps({**line, "part": part.number, "of": part.count}, ensure_ascii=False) + "\n")
                self._events.append(Accepted(part.part_id, "", is_sent=False))

    def query(self, question: StatusQuery) -> None:
        """Answer that the part is not known: nothing is ever sent, so it may be written again."""
        self._events.append(Answer(question.part_id, is_known=False))

    def wait_for_events(self, seconds: float) -> list[Event]:
        """The events of the parts written since the last call."""
        events = self._events
        self._events = []
        if not events:
            time.sleep(seconds)
        return events

    def acknowledge(self) -> None:
        """Do nothing: there is no operator."""

    def close(self) -> None:
        """Do nothing: nothing is open."""
