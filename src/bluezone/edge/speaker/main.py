# SPDX-License-Identifier: Apache-2.0
"""`bluezone speaker run` as a process: one thread plays, others talk to the office; stops on SIGTERM."""

import contextlib
import logging
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bluezone import __version__
from bluezone.edge.appliance.ticket import CODE_IS_GONE, Waiting
from bluezone.edge.speaker.book import SpeakerBook
from bluezone.edge.speaker.player import has_sound_device, open_player
from bluezone.edge.speaker.programme import Programme
from bluezone.edge.speaker.relay import Relay, Relaying
from bluezone.edge.speaker.street import Ear, Microphone
from bluezone.edge.speaker.sync import SpeakerClock, SpeakerRefused, SpeakerSync
from bluezone.refusal import Refused
from bluezone.servicemanager import ServiceManager

POLL_SECONDS = 2.0
STEP_SECONDS = 0.05
# A jump of the time by this much means that a clock was set; it is no drift.
CLOCK_JUMP_SECONDS = 30.0
# How often it is asked for more of what is spoken live, and after how long without any the address is over here.
LIVE_SECONDS = 0.5
LIVE_SILENT_SECONDS = 12.0
_TIDY_SECONDS = 3600.0

logger = logging.getLogger(__name__)


class SpeakerNotEnrolled(Refused):
    """The loudspeaker holds no token yet: it needs the one-time code of its page in the office."""

    code = "speaker_not_enrolled"


@dataclass(frozen=True)
class SpeakerSetup:
    """How a loudspeaker is to run. code: needed once. sink: as player.open_player reads it; second: for emergencies.

    ticket: where the code comes from, for a machine without a screen.
    local: whether stations of the local network may be relayed, as the commune's own receiver. listen: the microphone
    in the street, as street.Microphone reads it; None for none.
    """

    folder: Path
    server: str
    code: str | None
    sink: str
    second: str | None = None
    ticket: Waiting | None = None
    local: bool = False
    listen: str | None = None


def run_speaker(
    setup: SpeakerSetup,
    say: Callable[[str], None],
    wall: Callable[[], float] = time.time,
) -> None:
    """Play until the process is told to stop; once enrolled, the office may be out of reach.

    Raises SpeakerNotEnrolled, SpeakerBookUnusable, PlayerUnavailable, SpeakerOffline, SpeakerRefused (enrolling).
    """
    player = open_player(setup.sink)
    second = None if setup.second is None else open_player(setup.second)
    microphone = None if setup.listen is None else Microphone(setup.listen)
    if player.sink in ("file", "null"):
        say("no sound card: what is played is decoded but not heard, and is reported so")
    moment: list[Callable[[], float]] = [wall]
    book = SpeakerBook(setup.folder, lambda: moment[0]())
    try:
        clock = SpeakerClock(book, wall, time.monotonic)
        moment[0] = clock.now
        asking, telling, hearing = (
            SpeakerSync(setup.server, book, clock, time.monotonic, player.sink) for _ in range(3)
        )
        telling.health = lambda: _health(setup, player.sink)
        if setup.code is not None:
            _enrol(setup, setup.code, asking)
        if not book.get("token"):
            raise SpeakerNotEnrolled("this loudspeaker is not connected yet: give its one-time code with --code")
        programme = Programme(
            book, player, clock.now, time.monotonic, say, second, listens=microphone is not None,
            relaying=Relaying(lambda _: True) if setup.local else Relaying(),
        )  # fmt: skip
        feeds = [
            lambda stopped: feed_until(stopped, hearing, programme, book),
            lambda stopped: relay_until(stopped, programme, book),
        ]
        if microphone is not None:
            feeds.append(lambda stopped: listen_until(stopped, Ear(programme, microphone)))
        _run(programme, asking, telling, clock, say, feeds)
    finally:
        book.close()


def _enrol(setup: SpeakerSetup, code: str, asking: SpeakerSync) -> None:
    try:
        asking.enrol(code)
    except SpeakerRefused as refused:
        if setup.ticket is None or refused.reason != CODE_IS_GONE:
            raise
        # Without a token from before, the program says that it is not connected.
        setup.ticket.refused()
    else:
        if setup.ticket is not None:
            setup.ticket.used()


def _health(setup: SpeakerSetup, sink: str) -> dict[str, Any]:
    """What the office is told of this machine beside its clock and its sounds."""
    # Rounded down, so that each sound that is fetched is not told.
    free_mb = shutil.disk_usage(setup.folder).free // 50_000_000 * 50
    health = {"version": __version__, "free_mb": free_mb, "listens": setup.listen is not None}
    device = has_sound_device(sink)
    return health if device is None else {**health, "device": device}


def _run(
    programme: Programme,
    asking: SpeakerSync,
    telling: SpeakerSync,
    clock: SpeakerClock,
    say: Callable[[str], None],
    feeds: Sequence[Callable[[threading.Event], None]],
) -> None:
    stopped, manager = threading.Event(), ServiceManager()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    threads = [
        threading.Thread(target=_ask_until, args=(stopped, asking, clock, programme, say), name="plan"),
        threading.Thread(target=_tell_until, args=(stopped, asking, telling, clock), name="reports"),
        *(threading.Thread(target=feed, args=(stopped,), name="feed") for feed in feeds),
    ]
    programme.follow(asking.plan)
    for thread in threads:
        thread.start()
    say("ready")
    manager.ready()
    try:
        while not stopped.wait(STEP_SECONDS):
            manager.alive()
            programme.follow(asking.plan)
            # Without a time that can be trusted nothing is played; the office sees the machine as silent.
            if clock.is_sure:
                programme.step()
    finally:
        manager.stopping()
        programme.stop()
        stopped.set()
        for thread in threads:
            thread.join()
        with contextlib.suppress(Refused):
            telling.tell()


def _ask_until(
    stopped: threading.Event,
    asking: SpeakerSync,
    clock: SpeakerClock,
    programme: Programme,
    say: Callable[[str], None],
) -> None:
    """Ask for the plan every two seconds, and for an emergency's sound at once; nothing else may delay that."""
    trouble, told_clock = "", False
    while not stopped.is_set():
        begun = time.monotonic()
        try:
            was = clock.now()
            asking.poll()
            if abs(clock.now() - was) > CLOCK_JUMP_SECONDS:
                programme.clock_was_set()
            if clock.is_wrong and not told_clock:
                say(f"this machine's clock is off by {clock.off_seconds:.0f} s: playing by the server's time")
                told_clock = True
            asking.fetch(urgent=True)
            if trouble:
                say("the office is reached again")
            trouble = ""
        except Refused as refused:
            reason = refused.reason if isinstance(refused, SpeakerRefused) else refused.code
            if reason != trouble:
                say(f"office: {refused.message}")
            trouble = reason
        stopped.wait(max(0.0, POLL_SECONDS - (time.monotonic() - begun)))


def _tell_until(stopped: threading.Event, asking: SpeakerSync, telling: SpeakerSync, clock: SpeakerClock) -> None:
    """Fetch sounds ahead of time and send reports, over a connection of its own."""
    tidied = time.monotonic()
    while not stopped.is_set():
        telling.plan = asking.plan
        with contextlib.suppress(Refused):
            while telling.fetch() and not stopped.is_set():
                pass
        # Before the first answer nothing is known about the clock, so its state is not reported.
        if clock.is_measured:
            with contextlib.suppress(Refused):
                telling.tell()
        if time.monotonic() - tidied > _TIDY_SECONDS:
            tidied = time.monotonic()
            telling.tidy()
        stopped.wait(POLL_SECONDS)


def feed_until(stopped: threading.Event, hearing: SpeakerSync, programme: Programme, book: SpeakerBook) -> None:
    """Bring what is spoken live from the office to the player, over a connection of its own."""
    while not stopped.wait(LIVE_SECONDS / 2):
        number, path = programme.live, book.live_pipe()
        if number is not None and path is not None:
            with contextlib.suppress(OSError):
                _feed(stopped, hearing, programme, number, path)


def _feed(stopped: threading.Event, hearing: SpeakerSync, programme: Programme, number: int, path: Path) -> None:
    """Write the pieces of one address; the player ends when the pipe is closed, or OSError ends this if it is gone."""
    # Without somebody who reads, opening it fails: the player is not there yet, or not any more.
    with open(os.open(path, os.O_WRONLY | os.O_NONBLOCK), "wb", buffering=0) as pipe:
        os.set_blocking(pipe.fileno(), True)
        first, heard_at, more = 0, time.monotonic(), True
        while more and programme.live == number and time.monotonic() - heard_at < LIVE_SILENT_SECONDS:
            with contextlib.suppress(Refused):
                pieces, more = hearing.live(number, first)
                for piece in pieces:
                    pipe.write(piece)
                    first, heard_at = first + 1, time.monotonic()
            if stopped.wait(LIVE_SECONDS):
                return


def relay_until(stopped: threading.Event, programme: Programme, book: SpeakerBook) -> None:
    """Bring the station that is relayed to the player."""
    while not stopped.wait(LIVE_SECONDS / 4):
        relay, path = programme.relay, book.relay_pipe()
        if relay is not None and path is not None:
            # Without somebody who reads, opening it fails: the player is not there yet, or not any more.
            with contextlib.suppress(OSError):
                pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
                try:
                    os.set_blocking(pipe, True)
                    relay.feed(pipe, partial(_is_relayed, stopped, programme, relay), stopped.wait)
                finally:
                    os.close(pipe)


def _is_relayed(stopped: threading.Event, programme: Programme, relay: Relay) -> bool:
    return programme.relay is relay and not stopped.is_set()


def listen_until(stopped: threading.Event, ear: Ear) -> None:
    """Listen to what is heard in the street."""
    while not stopped.wait(LIVE_SECONDS):
        ear.step()
