# SPDX-License-Identifier: Apache-2.0
"""How a loudspeaker plays sound: ffplay, or ffmpeg piped into aplay, or ffmpeg alone, as separate programs.

`rtp:ADDRESS:PORT` sends it to loudspeakers of the local network, as RTP with G.711 (RFC 3551, payload type 0), which
IP loudspeakers such as Algo's and every SIP telephone take; the address may be a multicast group.
`file:FOLDER` and `null` are for machines without a sound card: the sound is really decoded, as long as it lasts, into
a WAV file or into nothing, and is reported as such, so that the office never counts it as heard.
"""

import contextlib
import ipaddress
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from bluezone.refusal import Refused

_CARDS = Path("/proc/asound/cards")
# ffmpeg says ten times a second how much has come out; in microseconds.
_PROGRESS = ("-progress", "pipe:1", "-stats_period", "0.1")
_COME_OUT = re.compile(rb"out_time_us=(\d+)\n")
# 20 ms of G.711 behind the 12 bytes of an RTP header, as telephones send it. TTL 1: not beyond the local network.
_RTP_OPTIONS = "pkt_size=172&ttl=1"
# From util-linux, which every Debian has. What plays ends with the thread that began it: a sound that went on after its
# program was killed would be heard and not logged, and the next one would be played over it.
# The shell looks whether that program still lives, because it may have been killed before the signal was asked for.
_BOUND = ("setpriv", "--pdeathsig", "KILL", "sh", "-c", '[ "$PPID" = "$0" ] && exec "$@"')


def bound_to_us() -> tuple[str, ...]:
    """What to put before a command, so that it ends with the thread that begins it, however that ends."""
    return (*_BOUND, str(os.getpid())) if shutil.which(_BOUND[0]) else ()


class PlayerUnavailable(Refused):
    """The program that is to play is not installed on this machine."""

    code = "speaker_player_unavailable"


class Sounding(Protocol):
    """Something that is playing."""

    def is_running(self) -> bool:
        """Whether it still plays."""

    def ended_well(self) -> bool:
        """Whether it came to its end by itself without an error."""

    def heard(self) -> float | None:
        """Seconds of sound that have come out so far; None where the player does not tell."""

    def stop(self) -> None:
        """Be silent at once."""


class Player(Protocol):
    """Something that can play. sink: as the office is told."""

    sink: str

    def start(self, path: Path, skip_seconds: float, volume: int) -> Sounding:
        """Play a file from a position on, at 0..100 percent. Raises PlayerUnavailable."""


class ProcessSounding:
    """Programs in a pipe, the last of which plays the sound; tells: it writes how much has come out."""

    def __init__(self, processes: list[subprocess.Popen[bytes]], *, tells: bool = False) -> None:
        self._processes = processes
        self._told = processes[-1].stdout if tells else None
        self._unread, self._heard = b"", 0.0
        if self._told is not None:
            os.set_blocking(self._told.fileno(), False)

    def is_running(self) -> bool:
        """Whether the last program still runs."""
        return self._processes[-1].poll() is None

    def ended_well(self) -> bool:
        """Whether all ended with 0."""
        return all(process.wait() == 0 for process in self._processes)

    def heard(self) -> float | None:
        """Seconds that ffmpeg has written, to a tenth; None for programs that do not say."""
        if self._told is None:
            return None
        ended = not self.is_running()
        with contextlib.suppress(OSError, ValueError):
            while content := self._told.read(65_536):
                lines, _, rest = (self._unread + content).rpartition(b"\n")
                self._unread = rest
                if found := _COME_OUT.findall(lines + b"\n"):
                    self._heard = int(found[-1]) / 1e6
        if ended:
            self._told.close()
        return self._heard

    def stop(self) -> None:
        """End them, the one that plays first."""
        for process in reversed(self._processes):
            if process.poll() is None:
                process.kill()
        for process in self._processes:
            process.wait()


class ProcessPlayer:
    """A player that is a command line. commands: (path, skip, volume) -> programs, piped one into the next.

    tells: the last one writes to its standard output how much has come out, as ffmpeg does for _PROGRESS.
    They end with the thread that calls `start`, however it ends.
    """

    def __init__(
        self, sink: str, commands: Callable[[Path, float, int], list[list[str]]], *, tells: bool = False
    ) -> None:
        self.sink = sink
        self._commands = commands
        self._tells = tells

    def start(self, path: Path, skip_seconds: float, volume: int) -> Sounding:
        """Play. Raises PlayerUnavailable."""
        running: list[subprocess.Popen[bytes]] = []
        commands = self._commands(path, skip_seconds, volume)
        bound = bound_to_us()
        try:
            for number, command in enumerate(commands):
                running.append(
                    subprocess.Popen(  # noqa: S603 - fixed programs and options
                        [*bound, *command],
                        stdin=running[-1].stdout if running else subprocess.DEVNULL,
                        stdout=subprocess.PIPE if self._tells or number < len(commands) - 1 else subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL,
                    )
                )
        except OSError as error:
            ProcessSounding(running).stop() if running else None
            raise PlayerUnavailable(f"{commands[len(running)][0]} cannot be started: {error.strerror}") from None
        return ProcessSounding(running, tells=self._tells)


def open_player(sink: str) -> Player:
    """The player of auto, ffplay, aplay, rtp:ADDRESS:PORT, file:FOLDER or null. Raises PlayerUnavailable."""
    if sink == "auto":
        sink = _best()
    if sink == "ffplay" and shutil.which("ffplay"):
        return ProcessPlayer("ffplay", _ffplay)
    if sink == "aplay" and shutil.which("aplay") and shutil.which("ffmpeg"):
        return ProcessPlayer("aplay", _aplay)
    if shutil.which("ffmpeg") and sink == "null":
        return ProcessPlayer("null", lambda *what: [[*_paced(*what), "-f", "null", "-"]], tells=True)
    if shutil.which("ffmpeg") and sink.startswith("file:"):
        return ProcessPlayer("file", _into(Path(sink.removeprefix("file:"))), tells=True)
    if shutil.which("ffmpeg") and sink.startswith("rtp:"):
        return ProcessPlayer("rtp", _sent_to(sink.removeprefix("rtp:")), tells=True)
    raise PlayerUnavailable(f"{sink} cannot play here: install ffmpeg (ffplay), or name another sink")


def has_sound_device(sink: str, cards: Path = _CARDS) -> bool | None:
    """Whether the sound card is there that a sink needs; None for a sink that needs none."""
    if sink not in ("aplay", "ffplay"):
        return None
    try:
        return "no soundcards" not in cards.read_text()
    except OSError:
        return False


def _best() -> str:
    """The player for this machine's sound card; without one nothing is heard, and the sink says so."""
    return "null" if not has_sound_device("aplay") else "aplay" if shutil.which("aplay") else "ffplay"


def _ffplay(path: Path, skip: float, volume: int) -> list[list[str]]:
    quiet = ["-nodisp", "-autoexit", "-loglevel", "error", "-volume", str(volume)]
    return [["ffplay", *quiet, *_source(path, skip)]]


def _aplay(path: Path, skip: float, volume: int) -> list[list[str]]:
    return [[*_decoded(path, skip, volume), "-f", "wav", "-"], ["aplay", "-q", "-"]]


def _into(folder: Path) -> Callable[[Path, float, int], list[list[str]]]:
    count = 0

    def commands(path: Path, skip: float, volume: int) -> list[list[str]]:
        nonlocal count
        folder.mkdir(parents=True, exist_ok=True)
        count += 1
        while (file := folder / f"{count:04}-{path.stem[:8]}.wav").exists():
            count += 1
        return [[*_paced(path, skip, volume), "-flush_packets", "1", "-f", "wav", str(file)]]

    return commands


def _sent_to(place: str) -> Callable[[Path, float, int], list[list[str]]]:
    """RTP to `ADDRESS:PORT`; an address of IPv6 in brackets. Raises PlayerUnavailable."""
    address, _, port = place.rpartition(":")
    try:
        ipaddress.ip_address(address.strip("[]"))
        if not 0 < int(port) < 65_536:
            raise ValueError(port)
    except ValueError:
        example = "expected rtp:ADDRESS:PORT, as in rtp:224.0.2.60:50002"
        raise PlayerUnavailable(f"rtp:{place} is not a sink: {example}") from None
    # Some devices take packets of 20 ms only.
    shape = "aresample=8000,asetnsamples=n=160"
    coding = ["-ac", "1", "-c:a", "pcm_mulaw", "-payload_type", "0", "-f", "rtp"]
    target = f"rtp://{address}:{int(port)}?{_RTP_OPTIONS}"
    # The description of the session, which ffmpeg would write between its progress, is fixed and of no use here.
    return lambda *what: [[*_paced(*what, shape), *coding, "-sdp_file", os.devnull, target]]


def _source(path: Path, skip: float) -> list[str]:
    # In a pipe, which carries what is spoken live, nothing can be skipped.
    return [*(["-ss", f"{skip:.2f}"] if skip else []), "-f", path.suffix[1:], "-i", str(path)]


def _decoded(path: Path, skip: float, volume: int, pace: tuple[str, ...] = (), *shape: str) -> list[str]:
    """shape: filters of ffmpeg behind the volume."""
    head = ["ffmpeg", "-nostdin", "-loglevel", "error", "-y", *pace]
    return [*head, *_source(path, skip), "-af", ",".join((f"volume={volume / 100:.2f}", *shape))]


def _paced(path: Path, skip: float, volume: int, *shape: str) -> list[str]:
    """As fast as it is heard, and telling how far it has come."""
    return _decoded(path, skip, volume, (*_PROGRESS, "-re"), *shape)
