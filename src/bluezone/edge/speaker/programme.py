# SPDX-License-Identifier: Apache-2.0
"""What plays when: each airing of the plan at its second, an emergency over everything."""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bluezone.edge.speaker.book import PHRASES, TONE_SECONDS, SpeakerBook
from bluezone.edge.speaker.plan import EMPTY, LIVE, Item, Plan
from bluezone.edge.speaker.player import Player, PlayerUnavailable, Sounding
from bluezone.edge.speaker.relay import FALL_BACK, SILENCE, Relay, Relaying
from bluezone.edge.speaker.street import Sounding as HeardNow
from bluezone.edge.speaker.street import Street

_LIVE_KEY = "live-"
# What was spoken live comes to its end this late at most.
_LIVE_LATE_SECONDS = 15.0
# As in the office's plan: what has waited longer is not aired.
MOST_DELAY_SECONDS = 900.0
# A machine that was off when an airing fell due begins it this late at most: the next one may be near.
LATEST_SECONDS = 60.0
EMERGENCY_SECONDS = 600.0
# How often the book is told how much was heard: by so much the log may be wrong after a power cut.
NOTE_SECONDS = 0.25
# How long after its player failed an emergency is tried again.
AGAIN_SECONDS = 5.0
# How long an emergency waits for its sound until the fixed phrases are spoken in its place, and until they are again.
PHRASES_SECONDS = 10.0
PHRASES_AGAIN_SECONDS = 60.0
PHRASES_ONLY = "phrases_only"
# The plan names everything that began within an hour; what began then and is not in it was stopped.
_NAMED_SECONDS = 3600.0
# What is left of a relay must be worth beginning; one whose player does not end is stopped.
_LEAST_RELAY_SECONDS = 5.0
_RELAY_LATE_SECONDS = 15.0
# A second channel that plays on for longer after the first has ended hangs.
_SECOND_LATE_SECONDS = 10.0
# As many as the office takes of one airing (docs/reference/openapi-speakers.yaml).
_MOST_EARLIER = 100
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
    # Of an emergency: seconds of the tone before it, None while that plays; what sounds on the second channel.
    tone: float | None = 0.0
    second: Sounding | None = None
    # On `boot`: when the first channel ended, while the second still plays; when the second one did.
    silent_since: float | None = None
    second_silent_since: float | None = None
    relay: Relay | None = None
    # Whether the fixed phrases are spoken in its place.
    phrases: bool = False
    # Of the same airing, cut off by a kill or a power cut: Unix seconds of the beginning, and seconds heard.
    earlier: list[tuple[float, float]] = field(default_factory=list)


class Programme:
    """The programme of one loudspeaker. An emergency that was cut off is said again until it was heard whole.

    now: Unix seconds by the server. boot: seconds that only go forward. say: one line for whoever watches.
    second: plays emergencies at the same time as `player`. relaying: how stations are relayed. listens: whether a
    microphone says what is heard in the street.
    """

    def __init__(
        self,
        book: SpeakerBook,
        player: Player,
        now: Callable[[], float],
        boot: Callable[[], float],
        say: Callable[[str], None],
        second: Player | None = None,
        *,
        relaying: Relaying | None = None,
        listens: bool = False,
    ) -> None:
        self._second, self._relaying, self._listens = second, relaying or Relaying(), listens
        # Read by the thread that listens: what is played, and how far it was at a moment on `boot`; and its words.
        self._at: tuple[str, Path, float, float, float] | None = None
        self._street: dict[str, str] = {}
        self._book, self._player, self._now, self._boot, self._say = book, player, now, boot, say
        self._plan = EMPTY
        self._up_since = now()
        self._current: _Playing | None = None
        self._waiting: tuple[_Playing, float] | None = None
        self._noted_at = 0.0
        self._broken_off = book.begun()
        # Of emergencies whose player failed: why, and from when on (boot) they are tried again.
        self._failed: dict[str, tuple[str, float]] = {}

    @property
    def live(self) -> int | None:
        """The number of the live address that is played now; None while none is."""
        current = self._current
        return int(current.item.key.removeprefix(_LIVE_KEY)) if current is not None and current.item.is_live else None

    @property
    def relay(self) -> Relay | None:
        """The station that is relayed now; None while none is."""
        current = self._current
        return None if current is None else current.relay

    @property
    def is_playing(self) -> bool:
        """Whether something sounds now."""
        return self._current is not None

    def sounding(self) -> HeardNow | None:
        """The bulletin that is played now from a file, and where it is; None for a relay, a tone and a live address."""
        if (at := self._at) is None:
            return None
        key, path, heard, boot, seconds = at
        return HeardNow(key, path, heard + self._boot() - boot, seconds)

    def note_street(self, key: str, street: str) -> None:
        """Keep what the microphone says of an airing for its report."""
        self._street[key] = street

    def follow(self, plan: Plan) -> None:
        """Go by this plan from now on."""
        self._plan = plan

    def clock_was_set(self) -> None:
        """Note that the time jumped: what fell due before now is treated as if the machine had been off."""
        self._up_since = self._now()

    def step(self) -> None:
        """Do what is due now."""
        now = self._now()
        self._end_what_was_stopped(now)
        self._end_what_has_ended(now)
        if self._current is None:
            self._at = None
        self._tell_what_broke_off(now)
        if self._current is not None and self._boot() - self._noted_at >= NOTE_SECONDS:
            self._note_heard(self._current)
        due = self._due(now)
        if due and due[0].is_emergency and self._current and not self._current.item.is_emergency:
            self._interrupt(now)
        live = None if due and due[0].is_emergency else self._live(now)
        if live is not None and self._current is not None and not self._current.item.is_emergency:
            self._interrupt(now)
        if live is not None and self._current is None:
            self._begin(live, now)
        if self._current is None and self._waiting is not None and not (due and due[0].is_emergency):
            self._go_on(now)
        if self._current is None and due:
            self._begin(due[0], now)

    def stop(self, reason: str = "stopped") -> None:
        """Be silent; what was playing counts as cut short. Emergencies and relays are left to the next start."""
        now = self._now()
        for playing in filter(None, (self._current, self._waiting and self._waiting[0])):
            if playing is self._current:
                self._silence(playing)
            if playing is self._current and not playing.phrases:
                self._book.keep_heard(playing.item.key, playing.began, playing.heard)
            if not playing.item.is_emergency and playing.relay is None:
                self._report(playing, "missed", now, reason)
        self._current = self._waiting = None

    def _live(self, now: float) -> Item | None:
        """What somebody speaks now and is not played yet; what is played for too long is ended."""
        current = self._current
        if current is not None and current.item.is_live:
            if now > current.item.due + current.item.seconds:
                current.sounding.stop()
            return None
        if self._plan.live is None or now >= self._plan.live[1]:
            return None
        number, until = self._plan.live
        key = f"{_LIVE_KEY}{number}"
        taken = self._book.is_done(key) or key in self._broken_off
        return None if taken else Item(key, now, until - now + _LIVE_LATE_SECONDS, LIVE, "", "")

    def _end_what_was_stopped(self, now: float) -> None:
        """Be silent where the office's plan has it no more: its schedule was stopped, or its bulletin withdrawn."""
        planned = {item.key for item in self._plan.items}
        if self._waiting is not None and self._was_stopped(self._waiting[0].item, planned, now):
            waited, _since = self._waiting
            self._waiting = None
            self._report(waited, "missed", now, "stopped")
        playing = self._current
        if playing is None or not self._was_stopped(playing.item, planned, now):
            return
        self._silence(playing)
        self._current = None
        if playing.phrases:
            self._tell(playing.item.key, "missed", reason="stopped")
        else:
            self._report(playing, "missed", now, "stopped")

    def _was_stopped(self, item: Item, planned: set[str], now: float) -> bool:
        return not item.is_live and item.key not in planned and now - item.due < _NAMED_SECONDS

    def _tell_what_broke_off(self, now: float) -> None:
        """Report what was cut off and does not come back: bulletins, and emergencies and relays after their window."""
        if not self._broken_off:
            return
        again = {
            item.key
            for item in self._plan.items
            if (item.is_emergency or item.relay) and now - item.due <= self._most_late(item)
        }
        for key in self._broken_off.keys() - again:
            *earlier, (began, heard) = self._broken_off.pop(key)
            reason, _then = self._failed.pop(key, ("cut_off", 0.0))
            self._tell(key, "missed", reason=reason, began=began, ended=began + heard, heard=heard, earlier=earlier)

    def _due(self, now: float) -> list[Item]:
        """What may begin now, in order; what is too late is reported missed."""
        found = []
        for item in self._plan.items:
            if item.due > now or self._is_taken(item):
                continue
            late = now - item.due
            if late > self._most_late(item):
                self._tell(item.key, "missed", reason=self._why_missed(item))
            elif self._may_begin(item, late):
                found.append(item)
        return sorted(found, key=lambda item: item.order)

    def _may_begin(self, item: Item, late: float) -> bool:
        """Whether there is something to play of what is due, and its player has not failed just now."""
        is_here = bool(item.relay) or self._book.sound(item.sound) is not None
        reason, again_at = self._failed.get(item.key, ("", -math.inf))
        if self._boot() < again_at and not (is_here and reason == PHRASES_ONLY):
            return False
        return is_here or (item.is_emergency and late >= PHRASES_SECONDS)

    def _most_late(self, item: Item) -> float:
        if item.is_emergency:
            return EMERGENCY_SECONDS
        if item.relay:
            # Who turns the radio on later hears the rest.
            return item.seconds - _LEAST_RELAY_SECONDS
        return MOST_DELAY_SECONDS if item.due >= self._up_since else LATEST_SECONDS

    def _why_missed(self, item: Item) -> str:
        if item.key in self._failed:
            return self._failed.pop(item.key)[0]
        if self._book.sound(item.sound) is None and not item.relay:
            return "sound_missing"
        return "time_taken" if item.due >= self._up_since else "was_off"

    def _is_taken(self, item: Item) -> bool:
        mine = {playing.item.key for playing in (self._current, self._waiting and self._waiting[0]) if playing}
        return item.key in mine or self._book.is_done(item.key)

    def _begin(self, item: Item, now: float) -> None:
        tone = self._book.tone() if item.is_emergency else None
        phrases = item.is_emergency and self._book.sound(item.sound) is None
        spoken = PHRASES if phrases else self._sound_of(item)
        sounding = self._start(tone or spoken, 0.0)
        if sounding is None:
            if item.is_emergency:
                self._try_again(item, "player_unavailable")
            else:
                self._tell(item.key, "missed", reason="player_unavailable")
            return
        earlier: list[tuple[float, float]] = []
        if not phrases:
            self._book.begin(item.key, now)
            earlier = self._broken_off.pop(item.key, [])
        self._failed.pop(item.key, None)
        self._current = _Playing(item, now, sounding, self._boot(), earlier=earlier, phrases=phrases)
        if item.relay:
            self._current.relay = Relay(
                item.relay, self._book.sound(item.sound), self._boot() + item.due + item.seconds - now,
                self._now, self._boot, self._relaying,
            )  # fmt: skip
        if item.is_emergency:
            self._current.tone = None if tone else 0.0
            self._current.second = self._start_second(tone or spoken)
        self._noted_at = self._boot()
        what = "phrases in place of" if phrases else "playing"
        self._say(f"{what} {item.key} {now - item.due:+.2f} s{' again' if earlier else ''}")

    def _sound_of(self, item: Item) -> Path | None:
        if item.relay:
            return self._book.relay_pipe()
        return self._book.live_pipe() if item.is_live else self._book.sound(item.sound)

    def _interrupt(self, now: float) -> None:
        playing = self._current
        assert playing is not None
        self._silence(playing)
        self._book.keep_heard(playing.item.key, playing.began, playing.heard)
        if playing.item.is_live:
            # It cannot go on from where it was.
            self._current = None
            self._report(playing, "preempted", now, "emergency")
            return
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
        if playing.relay is None:
            is_late, skip = playing.interrupted > MOST_DELAY_SECONDS, playing.heard
        else:
            is_late, skip = playing.relay.is_over, 0.0
        sounding = None if is_late else self._start(self._sound_of(playing.item), skip)
        if sounding is None:
            self._report(playing, "preempted", now, "emergency")
            return
        playing.sounding, playing.since = sounding, self._boot()
        self._current = playing
        self._say(f"resumed {playing.item.key} from {playing.heard:.1f} s")

    def _end_what_has_ended(self, now: float) -> None:
        playing = self._current
        if playing is not None and playing.relay is not None and self._is_stuck(playing.relay):
            playing.sounding.stop()
        if playing is not None and playing.second is not None and not playing.second.is_running():
            playing.second_silent_since = playing.second_silent_since or self._boot()
        if playing is None or playing.sounding.is_running():
            return
        if self._is_second_waited_for(playing):
            playing.silent_since = playing.silent_since or self._boot()
            return
        if playing.tone is None and self._follow_tone(playing):
            return
        self._current = None
        if playing.phrases:
            self._try_again(playing.item, PHRASES_ONLY, PHRASES_AGAIN_SECONDS)
            return
        self._count_heard(playing)
        # How long somebody will speak is not known before. Of a relay nothing is made up for after an interruption.
        enough = 0.1 if playing.item.is_live else _WHOLE * playing.item.seconds
        if playing.relay is not None:
            enough = _WHOLE * max(0.0, playing.item.seconds - playing.interrupted)
            self._end_relay(playing, playing.relay, enough, now)
            return
        whole = (playing.sounding.ended_well() or playing.item.is_live) and playing.heard >= enough
        if whole or self._second_was_whole(playing, enough):
            again = "said_again" if playing.earlier else ""
            self._report(playing, "played", now, again if whole else "second_only")
        elif playing.item.is_emergency:
            self._leave_for_another_try(playing)
        else:
            self._book.doubt(playing.item.sound)
            self._report(playing, "missed", now, "player_failed")

    def _leave_for_another_try(self, playing: _Playing) -> None:
        self._book.keep_heard(playing.item.key, playing.began, playing.heard)
        self._broken_off[playing.item.key] = [*playing.earlier, (playing.began, playing.heard)]
        self._book.doubt(playing.item.sound)
        self._try_again(playing.item, "player_failed")

    def _is_stuck(self, relay: Relay) -> bool:
        return self._boot() > relay.until + _RELAY_LATE_SECONDS

    def _end_relay(self, playing: _Playing, relay: Relay, enough: float, now: float) -> None:
        kinds = {kind for kind, _began, _seconds in relay.parts()}
        heard = playing.heard + sum(seconds for _began, seconds in playing.earlier)
        if heard >= enough:
            whole = "relay_resumed" if playing.earlier else ""
            self._report(playing, "played", now, "fell_back" if kinds & {FALL_BACK, SILENCE} else whole)
        elif relay.is_over:
            self._report(playing, "missed", now, "station_failed")
        else:
            self._leave_for_another_try(playing)

    def _follow_tone(self, playing: _Playing) -> bool:
        """Begin the bulletin after its tone, which may have failed; whether it could be begun."""
        playing.tone = self._sounded(playing) if playing.sounding.ended_well() else 0.0
        playing.silent_since = playing.second_silent_since = None
        sound = PHRASES if playing.phrases else self._book.sound(playing.item.sound)
        sounding = self._start(sound, 0.0)
        if sounding is None:
            # What would be counted as heard is the tone.
            playing.since, playing.second = math.inf, None
            return False
        playing.sounding, playing.since = sounding, self._boot()
        playing.second = self._start_second(sound)
        return True

    def _is_second_waited_for(self, playing: _Playing) -> bool:
        """Whether the second channel still plays; one that hangs is given up, so that it stops no other airing."""
        if playing.second is None or not playing.second.is_running():
            return False
        lasts = TONE_SECONDS if playing.tone is None else playing.item.seconds
        if self._boot() - playing.since <= lasts + _SECOND_LATE_SECONDS:
            return True
        playing.second.stop()
        # Whether anything came out of it nobody knows.
        playing.second_silent_since = playing.since
        return False

    def _try_again(self, item: Item, reason: str, seconds: float = AGAIN_SECONDS) -> None:
        self._failed[item.key] = reason, self._boot() + seconds
        self._say(f"failed {item.key} {reason}")

    def _silence(self, playing: _Playing) -> None:
        self._at = None
        playing.sounding.stop()
        if playing.second is not None:
            playing.second.stop()
        if playing.tone is not None:
            self._count_heard(playing)

    def _sounded(self, playing: _Playing) -> float:
        """Seconds since the player was started last that something came out of it, as far as it tells."""
        elapsed = max(0.0, (playing.silent_since or self._boot()) - playing.since)
        told = playing.sounding.heard()
        return elapsed if told is None else min(told, elapsed)

    def _second_heard(self, playing: _Playing) -> float:
        """Seconds of a bulletin on the second channel, as far as it tells, else until it was silent."""
        if playing.second is None:
            return 0.0
        told = playing.second.heard()
        if told is None:
            silent = self._boot() if playing.second_silent_since is None else playing.second_silent_since
            told = max(0.0, silent - playing.since)
        return min(playing.item.seconds, told)

    def _second_was_whole(self, playing: _Playing, enough: float) -> bool:
        second = playing.second
        known = second is not None and (second.ended_well() or second.heard() is not None)
        return known and self._second_heard(playing) >= enough

    def _count_heard(self, playing: _Playing) -> None:
        if playing.relay is not None:
            playing.relay.cut(self._sounded(playing))
            playing.heard = playing.relay.heard()
            return
        playing.heard += self._sounded(playing)

    def _note_heard(self, playing: _Playing) -> None:
        if playing.tone is None or playing.phrases:
            return
        self._noted_at = self._boot()
        sounded = self._sounded(playing)
        heard = playing.heard + sounded if playing.relay is None else playing.relay.heard(sounded)
        heard = min(playing.item.seconds, heard)
        self._book.note_heard(playing.item.key, playing.began, heard)
        path = None if playing.relay is not None or playing.item.is_live else self._book.sound(playing.item.sound)
        item = playing.item
        self._at = None if path is None else (item.key, path, heard, self._boot(), item.seconds)

    def _start(self, path: Path | None, skip: float) -> Sounding | None:
        return None if path is None else self._start_at(self._player, path, skip)

    def _start_second(self, path: Path | None) -> Sounding | None:
        return None if path is None or self._second is None else self._start_at(self._second, path, 0.0)

    def _start_at(self, player: Player, path: Path, skip: float) -> Sounding | None:
        try:
            return player.start(path, skip, self._plan.volume)
        except PlayerUnavailable as refused:
            logger.warning("%s", refused)
            return None

    def _report(self, playing: _Playing, outcome: str, now: float, reason: str) -> None:
        heard = min(playing.heard, playing.item.seconds)
        more: dict[str, Any] = {"tone": playing.tone or 0.0} if playing.item.is_emergency else {}
        if self._listens and not playing.item.is_live:
            more["street"] = self._street.pop(playing.item.key, Street.NOT_KNOWN)
        if playing.relay is not None:
            more["parts"] = playing.relay.parts()
        if playing.second is not None and self._second is not None:
            more["second"] = {"sink": self._second.sink, "heard": self._second_heard(playing)}
        self._tell(
            playing.item.key, outcome, began=playing.began, ended=now, heard=heard,
            interrupted=playing.interrupted, reason=reason, earlier=playing.earlier, **more,
        )  # fmt: skip

    def _tell(
        self, key: str, outcome: str, *, reason: str = "", earlier: list[tuple[float, float]] | None = None,
        **more: Any,
    ) -> None:  # fmt: skip
        body: dict[str, Any] = {"airing": key, "outcome": outcome, "sink": self._player.sink, "reason": reason, **more}
        if earlier:
            # Those in which most was heard, in their order.
            body["earlier"] = sorted(sorted(earlier, key=lambda attempt: attempt[1])[-_MOST_EARLIER:])
        self._book.report(key, body)
        self._say(f"{outcome} {key} {reason}".rstrip())
