# SPDX-License-Identifier: Apache-2.0
"""Whether what was played is heard in the street: a microphone's seconds against the sound that the player got.

A program can prove that it played; a cut cable or a horn that fell off it cannot notice. The recording stays in memory,
gives one of three words and is gone: the voices of the street are nobody's to keep.
"""

import contextlib
import enum
import itertools
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from bluezone.edge.speaker.player import PlayerUnavailable, bound_to_us

RATE = 8000
# What is recorded of one airing, and the least of it that says anything.
MOST_SECONDS, LEAST_SECONDS = 12.0, 6.0
# The listening begins when the sound has begun for sure, and is over before it ends.
_AFTER_SECONDS, _BEFORE_END_SECONDS = 1.5, 2.0
# The player's buffers and the way through the air: so much later may be heard what was given to the player; a player
# that does not tell how far it has come may be ahead of what is reckoned, too.
LATEST_SECONDS, EARLIEST_SECONDS = 4.0, 1.0
_WINDOW, _HOP = 512, 160
_HOP_SECONDS = _HOP / RATE
# What horns and telephones carry.
_BANDS, _LOWEST_HZ, _HIGHEST_HZ = 18, 250.0, 3600.0
# Slower changes are the noise of the street and the automatic level of a microphone, and not speech.
_SLOW_SECONDS = 0.6
# Likeness (0..1) of MOST_SECONDS under which it was not heard, and from which it was; of a shorter piece both are
# higher, as chance has more of a say. Measured on simulated streets (tests/edge/speaker/test_street.py).
NOT_HEARD_BELOW, HEARD_FROM = 0.18, 0.24
# A microphone that gives less is not connected; a reference with less change in it cannot be told from noise.
_DEAD_DBFS, _LEAST_CHANGE = -75.0, 0.2
_MOST_CLIPPED = 0.05


class Street(enum.StrEnum):
    """What the microphone says of one airing; a proof of its own, beside what the player says."""

    HEARD = "heard"
    NOT_HEARD = "not_heard"
    NOT_KNOWN = "not_known"


@dataclass(frozen=True)
class Compared:
    """likeness: of the best place, 0..1. delay_seconds: of what was heard behind what was played."""

    street: Street
    likeness: float
    delay_seconds: float


_NOTHING = Compared(Street.NOT_KNOWN, 0.0, 0.0)


class Microphone:
    """A sound input: `alsa:DEVICE`, `pulse:SOURCE`, or `file:PATH` for tests. Raises PlayerUnavailable."""

    def __init__(self, source: str) -> None:
        kind, _, name = source.partition(":")
        if kind not in ("alsa", "pulse", "file") or not name:
            raise PlayerUnavailable(f"{source} is not a microphone: expected alsa:DEVICE or pulse:SOURCE")
        self._source = ["-i", name] if kind == "file" else ["-f", kind, "-i", name]

    def record(self, seconds: float) -> np.ndarray:
        """Samples of so many seconds at RATE, from -1 to 1; fewer where the device fails."""
        return _samples([*self._source, "-t", f"{seconds:.2f}"], seconds + 10)


class Sounding(NamedTuple):
    """What a loudspeaker is playing now. position: seconds into the file; seconds: how long it is."""

    key: str
    path: Path
    position: float
    seconds: float


class Playing(Protocol):
    """Whatever tells what is played now, and keeps the word of the street until the report."""

    def sounding(self) -> Sounding | None:
        """What is played now; None for nothing, and for what no file holds."""

    def note_street(self, key: str, street: str) -> None:
        """Keep what the microphone says of an airing."""


class Ear:
    """Listens once to each airing that is long enough."""

    def __init__(self, playing: Playing, microphone: Microphone) -> None:
        self._playing, self._microphone = playing, microphone
        self._last = ""

    def step(self) -> None:
        """Listen if there is something to listen to; takes as long as the piece that is recorded."""
        now = self._playing.sounding()
        if now is None or now.key == self._last or now.position < _AFTER_SECONDS:
            return
        seconds = min(MOST_SECONDS, now.seconds - now.position - _BEFORE_END_SECONDS)
        self._last = now.key
        if seconds < LEAST_SECONDS:
            return
        street = listen(self._microphone, now.path, now.position, seconds)
        after = self._playing.sounding()
        # An emergency may have come between.
        is_same = after is not None and after.key == now.key
        self._playing.note_street(now.key, street if is_same else Street.NOT_KNOWN)


def reference(sound: Path, start: float, seconds: float) -> np.ndarray:
    """What the player got of a file from a moment on. start: seconds, may be negative."""
    skip = max(0.0, start)
    found = _samples(["-ss", f"{skip:.3f}", "-i", str(sound), "-t", f"{seconds + start - skip:.3f}"], 60)
    return np.concatenate([np.zeros(round(max(0.0, -start) * RATE), np.float32), found])


def listen(microphone: Microphone, sound: Path, position: float, seconds: float) -> Street:
    """Record so many seconds and say whether the sound is in them. position: where in it the player is now."""
    recorded = microphone.record(seconds)
    length = EARLIEST_SECONDS + seconds + LATEST_SECONDS
    return compare(recorded, reference(sound, position - LATEST_SECONDS, length)).street


def compare(recorded: np.ndarray, played: np.ndarray) -> Compared:
    """Look for what was played in what was recorded.

    recorded: samples at RATE from -1 to 1. played: from LATEST_SECONDS before the recording began until
    EARLIEST_SECONDS after it ended.
    """
    if len(recorded) < LEAST_SECONDS * RATE or len(played) < len(recorded):
        return _NOTHING
    level = float(np.sqrt(np.mean(np.square(recorded))))
    if level < 10 ** (_DEAD_DBFS / 20) or np.mean(np.abs(recorded) > 0.99) > _MOST_CLIPPED:
        return _NOTHING
    heard, given = changes(recorded), changes(played)
    if float(np.sqrt(np.mean(np.square(given)))) < _LEAST_CHANGE:
        return _NOTHING
    likeness = likenesses(heard, given)
    best = int(np.argmax(likeness))
    found, delay = float(likeness[best]), LATEST_SECONDS - best * _HOP_SECONDS
    harder = (MOST_SECONDS * RATE / len(recorded)) ** 0.5
    if found >= HEARD_FROM * harder:
        return Compared(Street.HEARD, found, delay)
    return Compared(Street.NOT_HEARD if found < NOT_HEARD_BELOW * harder else Street.NOT_KNOWN, found, delay)


def changes(samples: np.ndarray) -> np.ndarray:
    """How the loudness of each band changes in time, the slow changes left out; shape (bands, moments)."""
    count = max(0, (len(samples) - _WINDOW) // _HOP + 1)
    frames = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP][:count]
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(_WINDOW), axis=1)))
    edges = np.geomspace(_LOWEST_HZ, _HIGHEST_HZ, _BANDS + 1) * _WINDOW / RATE
    bands = np.stack([power[:, int(low) : max(int(low) + 1, int(high))].sum(axis=1) for low, high in
                      itertools.pairwise(edges)])  # fmt: skip
    # Pauses are as quiet as the noise lets them be: 40 dB under the loudest nothing more is told apart.
    floor = np.quantile(bands, 0.98, axis=1, keepdims=True) * 1e-4 + 1e-12
    loud = np.log10(bands + floor)
    width = round(_SLOW_SECONDS / _HOP_SECONDS)
    kernel = np.ones(2 * width + 1)
    share = np.convolve(np.ones(loud.shape[1]), kernel, "same")
    slow = np.stack([np.convolve(row, kernel, "same") / share for row in loud])
    found: np.ndarray = loud - slow
    return found


def likenesses(heard: np.ndarray, given: np.ndarray) -> np.ndarray:
    """The normalised correlation of what was heard with each stretch of the same length of what was played."""
    length = heard.shape[1]
    places = given.shape[1] - length + 1
    size = 1 << (given.shape[1] + length).bit_length()
    spectrum = np.fft.rfft(given, size) * np.conj(np.fft.rfft(heard, size))
    each = np.fft.irfft(spectrum, size)[:, :places]
    squares = np.concatenate([np.zeros((given.shape[0], 1)), np.cumsum(np.square(given), axis=1)], axis=1)
    weight = squares[:, length:][:, :places] - squares[:, :places]
    # Each band for itself, so that one in which a motor hums spoils no other.
    found: np.ndarray = np.mean(each / (np.sqrt(weight * np.square(heard).sum(axis=1, keepdims=True)) + 1e-9), axis=0)
    return found


def _samples(source: list[str], timeout: float) -> np.ndarray:
    command = [*bound_to_us(), "ffmpeg", "-nostdin", "-loglevel", "error", *source]
    shape = ["-vn", "-ac", "1", "-ar", str(RATE), "-f", "s16le", "-"]
    content = b""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        content = subprocess.run(  # noqa: S603 - fixed programs and options
            [*command, *shape], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=timeout, check=False
        ).stdout
    return np.frombuffer(content[: len(content) // 2 * 2], "<i2").astype(np.float32) / 32_768
