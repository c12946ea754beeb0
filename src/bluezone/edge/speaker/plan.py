# SPDX-License-Identifier: Apache-2.0
"""The plan of a loudspeaker as the office sent it."""

import json
import re
from dataclasses import dataclass

from bluezone.refusal import Refused

_SHA256 = re.compile(r"[0-9a-f]{64}")
_ORDER = {"emergency": 0, "priority": 1, "normal": 2}
LIVE = "live"


class SpeakerPlanInvalid(Refused):
    """The office's plan cannot be read; the one that is kept stays in force."""

    code = "speaker_plan_invalid"


@dataclass(frozen=True)
class Item:
    """One airing. due: Unix seconds; seconds: how long; sound: SHA-256 of its MP3.

    relay: the address of a station's stream that is played for so long; the sound is heard while it fails.
    """

    key: str
    due: float
    seconds: float
    importance: str
    sound: str
    title: str
    relay: str = ""

    @property
    def is_emergency(self) -> bool:
        """Whether it is played over everything else."""
        return self.importance == "emergency"

    @property
    def is_live(self) -> bool:
        """Whether somebody speaks it now."""
        return self.importance == LIVE

    @property
    def order(self) -> tuple[int, float, str]:
        """Sort key: which begins first where several are due."""
        return _ORDER[self.importance], self.due, self.key


@dataclass(frozen=True)
class Plan:
    """zone: name, None for a machine that nobody has put into one. volume: 0..100.

    ready: SHA-256 of sounds to hold in case an emergency is ordered. live: the number of what somebody speaks now, and
    until when at most (Unix seconds).
    """

    zone: str | None
    volume: int
    items: tuple[Item, ...]
    ready: tuple[str, ...] = ()
    live: tuple[int, float] | None = None


EMPTY = Plan(None, 0, ())


def read_plan(text: str) -> Plan:
    """The plan of the JSON of `GET /v1/speakers/plan`. Raises SpeakerPlanInvalid."""
    try:
        said = json.loads(text)
        items = tuple(_item(one) for one in said["items"])
        volume = int(said["volume"])
        if not 0 <= volume <= 100:
            raise ValueError(volume)
        zone = said["zone"]
        ready = tuple(_sha256(one) for one in said.get("ready", ()))
        live = said.get("live")
        spoken = None if live is None else (int(live["id"]), float(live["until"]))
        return Plan(None if zone is None else str(zone), volume, items, ready, spoken)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SpeakerPlanInvalid(f"the plan cannot be read: {type(error).__name__}") from None


def _item(one: dict[str, object]) -> Item:
    item = Item(
        str(one["key"]), float(str(one["due"])), float(str(one["seconds"])), str(one["importance"]),
        _sha256(one["sound"]), str(one["title"]), str(one.get("relay") or ""),
    )  # fmt: skip
    if item.importance not in _ORDER or not 0 < item.seconds < 86_400:
        raise ValueError(item.key)
    return item


def _sha256(text: object) -> str:
    # It becomes the name of a file.
    if not isinstance(text, str) or not _SHA256.fullmatch(text):
        raise ValueError("no hash")
    return text
