# SPDX-License-Identifier: Apache-2.0
"""How a loudspeaker plays sound: ffplay, or ffmpeg piped into aplay, as separate programs.

`file:FOLDER` and `null` are for machines without a sound card: the sound is really decoded, as long as it lasts, into
a WAV file or into nothing, and is reported as such, so that the office never counts it as heard.
"""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from bluezone.refusal import Refused

_CARDS = Path("/proc/asound/cards")


class PlayerUnavailable(Refused):
    """The program that is to play is not installed on this machine."""

    code = "speaker_player_unavailable"


class Sounding(Protocol):
    """Something that is playing."""

    def is_running(self) -> bool:
        """Whether it still plays."""

    def ended_well(self) -> bool:
        """Whether it came to its end by itself without an error."""

    def stop(self) -> None:
        """Be silent at once."""


class Player(Protocol):
    """Something that can play. sink: as the office is told."""

    sink: str

    def start(self, path: Path, skip_seconds: float, volume: int) -> Sounding:
        """Play a file from a position on, at 0..100 percent. Raises PlayerUnavailable."""


class ProcessSounding:
    """Programs in a pipe, the last of which plays the sound."""

    def __init__(self, processes: list[subprocess.Popen[bytes]]) -> None:
        self._processes = processes

    def is_running(self) -> bool:
        """Whether the last program still runs."""
        return self._processes[-1].poll() is None

    def ended_well(self) -> bool:
        """Whether all ended with 0."""
        return all(process.wait() == 0 for process in self._processes)

    def stop(self) -> None:
        """End them, the one that plays first."""
        for process in reversed(self._processes):
            if process.poll() is None:
                process.kill()
        for process in self._processes:
            process.wait()


class ProcessPlayer:
    """A player that is a command line. commands: (path, skip, volume) -> programs, piped one into the next."""

    def __init__(self, sink: str, commands: Callable[[Path, float, int], list[list[str]]]) -> None:
        self.sink = sink
        self._commands = commands

    def start(self, path: Path, skip_seconds: float, volume: int) -> Sounding:
        """Play. Raises PlayerUnavailable."""
        running: list[subprocess.Popen[bytes]] = []
        commands = self._commands(path, skip_seconds, volume)
        try:
            for number, command in enumerate(commands):
                running.append(
                    subprocess.Popen(  # noqa: S603 - fixed programs and options
                        command,
                        stdin=running[-1].stdout if running else subprocess.DEVNULL,
                        stdout=subprocess.PIPE if number < len(commands) - 1 else subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL,
                    )
                )
        except OSError as error:
            ProcessSounding(running).stop() if running else None
            raise PlayerUnavailable(f"{commands[len(running)][0]} cannot be started: {error.strerror}") from None
        return ProcessSounding(running)


def open_player(sink: str) -> Player:
    """The player of `auto`, `ffplay`, `aplay`, `file:FOLDER` or `null`. Raises PlayerUnavailable."""
    if sink == "auto":
        sink = _best()
    if sink == "ffplay" and shutil.which("ffplay"):
        return ProcessPlayer("ffplay", _ffplay)
    if sink == "aplay" and shutil.which("aplay") and shutil.which("ffmpeg"):
        return ProcessPlayer("aplay", _aplay)
    if shutil.which("ffmpeg") and sink == "null":
        return ProcessPlayer("null", lambda path, skip, volume: [[*_decoded(path, skip, volume), "-f", "null", "-"]])
    if shutil.which("ffmpeg") and sink.startswith("file:"):
        return ProcessPlayer("file", _into(Path(sink.removeprefix("file:"))))
    raise PlayerUnavailable(f"{sink} cannot play here: install ffmpeg (ffplay), or name another sink")


def _best() -> str:
    """The player for this machine's sound card; without one nothing is heard, and the sink says so."""
    has_card = _CARDS.is_file() and "no soundcards" not in _CARDS.read_text()
    return "null" if not has_card else "aplay" if shutil.which("aplay") else "ffplay"


def _ffplay(path: Path, skip: float, volume: int) -> list[list[str]]:
    quiet = ["-nodisp", "-autoexit", "-loglevel", "error", "-volume", str(volume)]
    return [["ffplay", *quiet, "-ss", f"{skip:.2f}", "-f", "mp3", str(path)]]


def _aplay(path: Path, skip: float, volume: int) -> list[list[str]]:
    decoding = [part for part in _decoded(path, skip, volume) if part != "-re"]
    return [[*decoding, "-f", "wav", "-"], ["aplay", "-q", "-"]]


def _into(folder: Path) -> Callable[[Path, float, int], list[list[str]]]:
    count = 0

    def commands(path: Path, skip: float, volume: int) -> list[list[str]]:
        nonlocal count
        folder.mkdir(parents=True, exist_ok=True)
        count += 1
        while (file := folder / f"{count:04}-{path.stem[:8]}.wav").exists():
            count += 1
        return [[*_decoded(path, skip, volume), "-flush_packets", "1", "-f", "wav", str(file)]]

    return commands


def _decoded(path: Path, skip: float, volume: int) -> list[str]:
    reading = ["-re", "-ss", f"{skip:.2f}", "-f", "mp3", "-i", str(path)]
    return ["ffmpeg", "-nostdin", "-loglevel", "error", "-y", *reading, "-af", f"volume={volume / 100:.2f}"]
