# SPDX-License-Identifier: Apache-2.0
"""Relay of a station ("tiếp sóng"): its stream into the player for a bounded time, what was named beforehand while the
stream fails or is silent, and a book of what was heard from when to when.

The machine fetches the stream itself; the office never does. Everything goes through one pipe as plain sound, so that
one player plays all of it and each tenth of a second is known to be of the station, of the fall-back, or silence.
"""

import os
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from bluezone.edge.speaker.player import bound_to_us
from bluezone.edge.speaker.way_out import WayOut, is_public

STATION, FALL_BACK, SILENCE = "station", "fall_back", "silence"
RATE = 32_000
FRAME_SECONDS = 0.1
FRAME_BYTES = 2 * round(RATE * FRAME_SECONDS)
_ZEROS = bytes(FRAME_BYTES)
# Below this a tenth of a second counts as silent: a dead microphone of a studio hisses at -60 dBFS or less.
QUIET_DBFS = -55.0
# So far ahead of what is heard the pipe is filled.
_AHEAD_SECONDS = 0.5
# What a station sends faster than it is heard waits on the way.
_HELD_FRAMES = 40
# So many tenths of a second, half of them loud, show that a station is back.
_BACK_FRAMES = 20
# A shorter change of what is heard belongs to what was before.
_SHORTEST_FRAMES = 5
# As many as the office takes of one airing (docs/reference/openapi-speakers.yaml).
MOST_PARTS = 200
# A playlist of a station may name other addresses of the web, and never a file of this machine.
_PROTOCOLS = "http,https,tcp,tls,crypto,httpproxy"
# The header of a WAV file without an end: one channel, 16 bits.
_HEADER = (
    b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0"
    + RATE.to_bytes(4, "little") + (2 * RATE).to_bytes(4, "little") + b"\x02\0\x10\0data\xff\xff\xff\xff"
)  # fmt: skip


@dataclass(frozen=True)
class Relaying:
    """allows: whether an IP address may be asked for a stream. Seconds: until a stream has to begin, may pause, may be
    silent; and between two tries.
    """

    allows: Callable[[str], bool] = is_public
    begin: float = 8.0
    pause: float = 3.0
    silent: float = 8.0
    again: float = 5.0


@dataclass
class _Span:
    """One run of the player. began: Unix seconds; kinds: of each tenth of a second."""

    began: float
    kinds: list[str] = field(default_factory=list)


class Relay:
    """One airing of a station. until: on `boot`, when it ends. fall_back: a file, or None for silence."""

    def __init__(
        self,
        address: str,
        fall_back: Path | None,
        until: float,
        now: Callable[[], float],
        boot: Callable[[], float],
        relaying: Relaying,
    ) -> None:
        self.address, self.until = address, until
        self._fall_back, self._now, self._boot = fall_back, now, boot
        self._relaying = relaying
        self._spans: list[_Span] = []
        # The player's thread reads what the thread that feeds it writes.
        self._lock = threading.Lock()

    @property
    def is_over(self) -> bool:
        """Whether its time has passed."""
        return self._boot() >= self.until

    def feed(self, pipe: int, is_wanted: Callable[[], bool], wait: Callable[[float], object]) -> None:
        """Write sound into a pipe until the time is over. Raises OSError when nobody reads it any more."""
        span = _Span(self._now())
        with self._lock:
            self._spans.append(span)
        mixing = _Mixing(self.address, self._fall_back, self._relaying)
        try:
            _write(pipe, _HEADER)
            begun = self._boot()
            while is_wanted() and not self.is_over:
                frame, kind, also = mixing.next(self._boot())
                with self._lock:
                    if also:
                        span.kinds[-also:] = [SILENCE] * also
                    span.kinds.append(kind)
                _write(pipe, frame)
                early = begun + len(span.kinds) * FRAME_SECONDS - self._boot() - _AHEAD_SECONDS
                if early > 0:
                    wait(early)
        finally:
            mixing.close()

    def cut(self, seconds: float) -> None:
        """Of the last run only so much came out of the player."""
        with self._lock:
            if self._spans:
                del self._spans[-1].kinds[round(seconds / FRAME_SECONDS) :]

    def heard(self, seconds: float | None = None) -> float:
        """Seconds that were heard of station and fall-back. seconds: that have come out of the last run; None: all."""
        with self._lock:
            kinds = [list(span.kinds) for span in self._spans]
        if seconds is not None and kinds:
            kinds[-1] = kinds[-1][: round(seconds / FRAME_SECONDS)]
        return FRAME_SECONDS * sum(kind != SILENCE for run in kinds for kind in run)

    def parts(self) -> list[tuple[str, float, float]]:
        """What was heard: kind, Unix seconds of its beginning, and seconds; the first MOST_PARTS."""
        found: list[tuple[str, float, float]] = []
        with self._lock:
            for span in self._spans:
                at = span.began
                for kind, frames in _runs(span.kinds):
                    found.append((kind, round(at, 1), round(frames * FRAME_SECONDS, 1)))
                    at += frames * FRAME_SECONDS
        return found[:MOST_PARTS]


class _Mixing:
    """Which of station, fall-back and silence is heard next."""

    def __init__(self, address: str, fall_back: Path | None, relaying: Relaying) -> None:
        self._relaying, self._fall_back_file = relaying, fall_back
        self._station = _Station(address, relaying)
        self._fall_back: _Decoder | None = None
        self._is_on_station, self._has_begun = True, False
        self._paused = self._quiet = 0

    def next(self, boot: float) -> tuple[bytes, str, int]:
        """A tenth of a second of sound, its kind, and how many before it turn out to have been silence."""
        self._station.go_on(boot)
        if not self._is_on_station and self._station.is_back():
            self._is_on_station, self._paused, self._quiet = True, 0, 0
            self._close_fall_back()
        if not self._is_on_station:
            self._station.drop()
            return *self._instead(), 0
        frame = self._station.take()
        if frame is None:
            self._paused += 1
            allowed = self._relaying.pause if self._has_begun else self._relaying.begin
            if self._paused * FRAME_SECONDS >= allowed:
                self._leave_station()
            return _ZEROS, SILENCE, 0
        self._has_begun, self._paused = True, 0
        self._quiet = 0 if is_loud(frame) else self._quiet + 1
        if self._quiet * FRAME_SECONDS >= self._relaying.silent:
            also = self._quiet - 1
            self._leave_station()
            return frame, SILENCE, also
        return frame, STATION, 0

    def close(self) -> None:
        self._station.close()
        self._close_fall_back()

    def _leave_station(self) -> None:
        self._is_on_station = False
        if self._fall_back_file is not None:
            self._fall_back = _Decoder(["-f", "mp3", "-i", str(self._fall_back_file)])

    def _instead(self) -> tuple[bytes, str]:
        if self._fall_back is not None:
            frame = self._fall_back.take(wait=True)
            if frame is not None:
                return frame, FALL_BACK
            self._close_fall_back()
        return _ZEROS, SILENCE

    def _close_fall_back(self) -> None:
        if self._fall_back is not None:
            self._fall_back.close()
            self._fall_back = None


class _Decoder:
    """ffmpeg that writes plain sound into a pipe; ends with the thread that began it."""

    def __init__(self, source: list[str], environment: dict[str, str] | None = None) -> None:
        shape = ["-vn", "-ac", "1", "-ar", str(RATE), "-f", "s16le", "-"]
        command = [*bound_to_us(), "ffmpeg", "-nostdin", "-loglevel", "error", *source, *shape]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)  # noqa: S603
        assert self._process.stdout is not None
        self._pipe = self._process.stdout.fileno()
        self._held = b""
        self.has_ended = False

    @property
    def frames(self) -> int:
        """Tenths of a second that wait."""
        return len(self._held) // FRAME_BYTES

    def pull(self, frames: int = _HELD_FRAMES, *, wait: bool = False) -> None:
        """Read what has come until so many tenths of a second wait; the rest waits on the way."""
        os.set_blocking(self._pipe, wait)
        while not self.has_ended and (room := frames * FRAME_BYTES - len(self._held)) > 0:
            try:
                content = os.read(self._pipe, room)
            except BlockingIOError:
                return
            self._held += content
            self.has_ended = not content

    def take(self, *, wait: bool = False) -> bytes | None:
        """The next tenth of a second, None where there is none (yet). wait: for the file of this machine."""
        if wait:
            self.pull(1, wait=True)
        if self.frames == 0:
            return None
        frame, self._held = self._held[:FRAME_BYTES], self._held[FRAME_BYTES:]
        return frame

    def is_loud(self) -> bool:
        """Whether half of what waits is loud; then what is silent before it is left out."""
        frames = [self._held[at * FRAME_BYTES : (at + 1) * FRAME_BYTES] for at in range(self.frames)]
        loud = [number for number, frame in enumerate(frames) if is_loud(frame)]
        if not loud or 2 * len(loud) < len(frames):
            return False
        self._held = self._held[loud[0] * FRAME_BYTES :]
        return True

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


class _Station:
    """The stream, tried again and again."""

    def __init__(self, address: str, relaying: Relaying) -> None:
        self._address, self._relaying = address, relaying
        self._decoder: _Decoder | None = None
        self._next_try = float("-inf")
        self._way_out = WayOut(relaying.allows)

    def go_on(self, boot: float) -> None:
        """Connect, or read what has come."""
        if self._decoder is not None and self._decoder.has_ended and self._decoder.frames == 0:
            self._leave()
            self._next_try = boot + self._relaying.again
        if self._decoder is None and boot >= self._next_try and is_web(self._address):
            self._decoder = self._connected()
        if self._decoder is not None:
            self._decoder.pull()

    def take(self) -> bytes | None:
        return None if self._decoder is None else self._decoder.take()

    def drop(self) -> None:
        """Let a tenth of a second pass unheard, once there is enough to see whether the station is back."""
        if self._decoder is not None and self._decoder.frames > _BACK_FRAMES:
            self._decoder.take()

    def is_back(self) -> bool:
        return self._decoder is not None and self._decoder.frames >= _BACK_FRAMES and self._decoder.is_loud()

    def close(self) -> None:
        self._leave()
        self._way_out.close()

    def _leave(self) -> None:
        if self._decoder is not None:
            self._decoder.close()
            self._decoder = None

    def _connected(self) -> "_Decoder":
        """The stream as ffmpeg fetches it. It follows at most eight redirects, all of them through the way out."""
        # An empty no_proxy would leave some hosts out of it (libavformat/network.c, ff_http_match_no_proxy).
        environment = {name: value for name, value in os.environ.items() if name != "no_proxy"}
        source = ["-protocol_whitelist", _PROTOCOLS, "-rw_timeout", "5000000", "-analyzeduration", "2000000"]
        return _Decoder([*source, "-i", self._address], {**environment, "http_proxy": self._way_out.address})


def is_web(address: str) -> bool:
    """Whether it is an http or https address with a host."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def is_loud(frame: bytes) -> bool:
    """Whether something can be heard in it. frame: 16-bit samples."""
    samples = np.frombuffer(frame, "<i2").astype(np.float32)
    return bool(np.mean(np.square(samples)) > (32_768.0 * 10 ** (QUIET_DBFS / 20)) ** 2)


def _runs(kinds: list[str]) -> list[tuple[str, int]]:
    """Runs of the same kind; one that is too short goes to the one before."""
    runs: list[tuple[str, int]] = []
    at = 0
    while at < len(kinds):
        end = at
        while end < len(kinds) and kinds[end] == kinds[at]:
            end += 1
        if runs and (end - at < _SHORTEST_FRAMES or runs[-1][0] == kinds[at]):
            runs[-1] = (runs[-1][0], runs[-1][1] + end - at)
        else:
            runs.append((kinds[at], end - at))
        at = end
    return runs


def _write(pipe: int, content: bytes) -> None:
    while content:
        content = content[os.write(pipe, content) :]
