# SPDX-License-Identifier: Apache-2.0
"""What plays when: the plan as the office sent it, each airing at its second, an emergency over everything."""

import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass

from bluezone.edge.speaker.book import SpeakerBook
from bluezone.edge.speaker.player import Player, PlayerUnavailable, Sounding
from bluezone.refusal import Refused

_SHA256 = re.compile(r"[0-9a-f]{64}")
_ORDER = {"emergency": 0, "priority": 1, "normal": 2}


class SpeakerPlanInvalid(Refused):
    """The office's plan cannot be read; the one that is kept stays in force."""

    code = "speaker_plan_invalid"


@dataclass(frozen=True)
class Item:
    """One airing. due: Unix seconds; seconds: how long; sound: SHA-256 of its MP3."""

    key: str
    due: float
    seconds: float
    importance: str
    sound: str
    title: str

    @property
    def is_emergency(self) -> bool:
        """Whether it is played over everything else."""
        return self.importance == "emergency"

    @property
    def order(self) -> tuple[int, float, str]:
        """Sort key: which begins first where several are due."""
        return _ORDER[self.importance], self.due, self.key


@dataclass(frozen=True)
class Plan:
    """zone: name, None for a machine that nobody has put into one. volume: 0..100.

    ready: SHA-256 of sounds to hold in case an emergency is ordered.
    """

    zone: str | None
    volume: int
    items: tuple[Item, ...]
    ready: tuple[str, ...] = ()


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
        return Plan(None if zone is None else str(zone), volume, items, ready)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SpeakerPlanInvalid(f"the plan cannot be read: {type(error).__name__}") from None


def _item(one: dict[str, object]) -> Item:
    item = Item(
        str(one["key"]), float(str(one["due"])), float(str(one["seconds"])), str(one["importance"]),
        _sha256(one["sound"]), str(one["title"]),
    )  # fmt: skip
    if item.importance not in _ORDER or not 0 < item.seconds < 86_400:
        raise ValueError(item.key)
    return item


def _sha256(text: object) -> str:
    # It becomes the name of a file.
    if not isinstance(text, str) or not _SHA256.fullmatch(text):
        raise ValueError("no hash")
    return text


# As in the office's plan: what has waited longer is not aired.
MOST_DELAY_SECONDS = 900.0
# A machine that was off when an airing fell due begins it this late at most: the next one may be near.
LATEST_SECONDS = 60.0
EMERGENCY_SECONDS = 600.0
# A player that ends much before the sound does has failed.
_WHOLE = 0.8

logger = logging.getLogger(__name__)


@dataclass
class _Playing:
    item: Item
    began: float
    sounding: Sounding
    # Lengths are measured by seconds that only go forward: the clock may be put back while something plays.
    since: float
    heard: float = 0.0
    interrupted: float = 0.0


class Programme:
    """The programme of one loudspeaker.

    now: Unix seconds by the server. boot: seconds that only go forward. say: one line for whoever watches.
    """

    def __init__(
        self,
        book: SpeakerBook,
        player: Player,
        now: Callable[[], float],
        boot: Callable[[], float],
        say: Callable[[str], None],
    ) -> None:
        self._book, self._player, self._now, self._boot, self._say = book, player, now, boot, say
        self._plan = EMPTY
        self._up_since = now()
        self._current: _Playing | None = None
        self._waiting: tuple[_Playing, float] | None = None
        for key, at in book.begun():
            self._tell(key, "missed", began=at, reason="cut_off")

    @property
    def is_playing(self) -> bool:
        """Whether something sounds now."""
        return self._current is not None

    def follow(self, plan: Plan) -> None:
        """Go by this plan from now on."""
        self._plan = plan

    def clock_was_set(self) -> None:
        """Note that the time jumped: what fell due before now is treated as if the machine had been off."""
        self._up_since = self._now()

    def step(self) -> None:
        """Do what is due now."""
        now = self._now()
        self._end_what_has_ended(now)
        due = self._due(now)
        if due and due[0].is_emergency and self._current and not self._current.item.is_emergency:
            self._interrupt(now)
        if self._current is None and self._waiting is not None and not (due and due[0].is_emergency):
            self._go_on(now)
        if self._current is None and due:
            self._begin(due[0], now)

    def stop(self, reason: str = "stopped") -> None:
        """Be silent; what was playing counts as cut short."""
        now = self._now()
        for playing in filter(None, (self._current, self._waiting and self._waiting[0])):
            if playing is self._current:
                playing.sounding.stop()
                self._count_heard(playing)
            self._report(playing, "missed", now, reason)
        self._current = self._waiting = None

    def _due(self, now: float) -> list[Item]:
        """What may begin now, in order; what is too late is reported missed."""
        found = []
        for item in self._plan.items:
            if item.due > now or self._is_taken(item):
                continue
            late = now - item.due
            if late > self._most_late(item):
                self._tell(item.key, "missed", reason=self._why_missed(item))
            elif self._book.sound(item.sound) is not None:
                found.append(item)
        return sorted(found, key=lambda item: item.order)

    def _most_late(self, item: Item) -> float:
        if item.is_emergency:
            return EMERGENCY_SECONDS
        return MOST_DELAY_SECONDS if item.due >= self._up_since else LATEST_SECONDS

    def _why_missed(self, item: Item) -> str:
        if self._book.sound(item.sound) is None:
            return "sound_missing"
        return "time_taken" if item.due >= self._up_since else "was_off"

    def _is_taken(self, item: Item) -> bool:
        mine = {playing.item.key for playing in (self._current, self._waiting and self._waiting[0]) if playing}
        return item.key in mine or self._book.is_done(item.key)

    def _begin(self, item: Item, now: float) -> None:
        sounding = self._start(item, 0.0)
        if sounding is None:
            self._tell(item.key, "missed", reason="player_unavailable")
            return
        self._book.begin(item.key, now)
        self._current = _Playing(item, now, sounding, self._boot())
        self._say(f"playing {item.key} {now - item.due:+.2f} s")

    def _interrupt(self, now: float) -> None:
        playing = self._current
        assert playing is not None
        playing.sounding.stop()
        self._count_heard(playing)
        if self._waiting is not None:
            # Happens only in an emergency, while one airing waits and another plays; it is reported all the same.
            self._report(self._waiting[0], "preempted", now, "emergency")
        self._waiting, self._current = (playing, self._boot()), None
        self._say(f"interrupted {playing.item.key} after {playing.heard:.1f} s")

    def _go_on(self, now: float) -> None:
        assert self._waiting is not None
        playing, stopped = self._waiting
        self._waiting = None
        playing.interrupted += max(0.0, self._boot() - stopped)
        sounding = None if playing.interrupted > MOST_DELAY_SECONDS else self._start(playing.item, playing.heard)
        if sounding is None:
            self._report(playing, "preempted", now, "emergency")
            return
        playing.sounding, playing.since = sounding, self._boot()
        self._current = playing
        self._say(f"resumed {playing.item.key} from {playing.heard:.1f} s")

    def _end_what_has_ended(self, now: float) -> None:
        playing = self._current
        if playing is None or playing.sounding.is_running():
            return
        self._current = None
        self._count_heard(playing)
        whole = playing.sounding.ended_well() and playing.heard >= _WHOLE * playing.item.seconds
        self._report(playing, "played" if whole else "missed", now, "" if whole else "player_failed")

    def _count_heard(self, playing: _Playing) -> None:
        playing.heard += max(0.0, self._boot() - playing.since)

    def _start(self, item: Item, skip: float) -> Sounding | None:
        path = self._book.sound(item.sound)
        if path is None:
            return None
        try:
            return self._player.start(path, skip, self._plan.volume)
        except PlayerUnavailable as refused:
            logger.warning("%s", refused)
            return None

    def _report(self, playing: _Playing, outcome: str, now: float, reason: str) -> None:
        heard = min(playing.heard, playing.item.seconds)
        self._tell(
            playing.item.key, outcome, began=playing.began, ended=now, heard=heard,
            interrupted=playing.interrupted, reason=reason,
        )  # fmt: skip

    def _tell(self, key: str, outcome: str, *, reason: str = "", **more: float) -> None:
        body = {"airing": key, "outcome": outcome, "sink": self._player.sink, "reason": reason, **more}
        self._book.report(key, body)
        self._say(f"{outcome} {key} {reason}".rstrip())
