# SPDX-License-Identifier: Apache-2.0
"""A text as sound, by a voice and ffmpeg where the operator has installed them: espeak-ng, or piper with the model that
`BLUEZONE_PIPER_VI` or `BLUEZONE_PIPER_EN` names.

A machine's voice is a draft; a person's recording is better, and the only way for Tày, Nùng, Dao and Mông.
"""

import logging
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bluezone.logs import event_fields
from bluezone.refusal import Refused

logger = logging.getLogger(__name__)

MOST_PROGRAM_SECONDS = 120
# Loudness of announcements; the peak leaves room for the MP3 encoder.
_LOUDNESS = "loudnorm=I=-16:TP=-1.5"


class SoundUnavailable(Refused):
    """espeak-ng or ffmpeg is not installed on this server, or made no sound."""

    code = "sound_unavailable"


class ProgramFailed(Exception):
    """A program is missing, took too long, or refused what it was given; the message is its last line."""


class Voice(Protocol):
    """A program that speaks one language. program: its name, as it is found on PATH."""

    @property
    def program(self) -> str: ...

    def command(self, wave: Path) -> list[str]:
        """How it is run to read a text from its input and write the WAV file `wave`."""
        ...

    def given(self, text: str) -> str:
        """The text as its input takes it."""
        ...


@dataclass(frozen=True)
class Espeak:
    """espeak-ng. name: one of its voices. pace: words a minute."""

    name: str
    pace: int
    program: str = "espeak-ng"

    def command(self, wave: Path) -> list[str]:
        """Options of espeak-ng."""
        return [self.program, "-v", self.name, "-s", str(self.pace), "--stdin", "-w", str(wave)]

    def given(self, text: str) -> str:
        """As it is: empty lines part paragraphs."""
        return text


@dataclass(frozen=True)
class Piper:
    """piper, as `pip install piper-tts` brings it. model: a voice, a file `….onnx` beside its `….onnx.json`."""

    model: Path
    program: str = "piper"

    def command(self, wave: Path) -> list[str]:
        """Options of piper."""
        return [self.program, "--model", str(self.model), "--output_file", str(wave)]

    def given(self, text: str) -> str:
        """In one line, for some versions keep the sound of one line only. A line without a stop gets one."""
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return " ".join(line if line[-1] in ".,;:!?…" else f"{line}." for line in lines)


# The bulletin of 30 seconds was measured: 30.9 s in Vietnamese at 150.
_MODEL_VARIABLES = {"vi": "BLUEZONE_PIPER_VI", "en": "BLUEZONE_PIPER_EN"}
_ESPEAK = {"vi": Espeak("vi", 150), "en": Espeak("en-gb", 160)}


def voices_of(language: str) -> list[Voice]:
    """The voices that speak a language on this server, the chosen one first. language: "vi" or "en"."""
    model = os.environ.get(_MODEL_VARIABLES[language])
    voices: list[Voice] = [Piper(Path(model))] if model else []
    return [voice for voice in [*voices, _ESPEAK[language]] if shutil.which(voice.program)]


def can_speak(language: str = "vi") -> bool:
    """Whether this server has a voice of the language, and ffmpeg."""
    return bool(voices_of(language) and shutil.which("ffmpeg"))


def say(text: str, language: str, wave: Path) -> None:
    """Write the text as sound to the WAV file `wave`. language: "vi" or "en".

    A chosen voice that fails is replaced by espeak-ng, so that an emergency is heard all the same; the log says so.
    Raises SoundUnavailable where a program is not installed, ProgramFailed where every voice fails.
    """
    if not can_speak(language):
        raise SoundUnavailable("no voice (espeak-ng, piper) or no ffmpeg is installed on this server")
    *chosen, last = voices_of(language)
    for voice in chosen:
        try:
            run_program(voice.command(wave), voice.given(text))
        except ProgramFailed as error:
            logger.warning("another voice speaks: %s", error, extra=event_fields("voice_failed", program=voice.program))
        else:
            return
    run_program(last.command(wave), last.given(text))


def spoken_mp3(text: str, language: str) -> bytes:
    """The text as MP3 at the loudness of announcements. Raises SoundUnavailable."""
    with tempfile.TemporaryDirectory() as folder:
        wave, sound = Path(folder) / "spoken.wav", Path(folder) / "spoken.mp3"
        coded = ["-af", _LOUDNESS, "-ar", "22050", "-ac", "1", "-b:a", "48k", str(sound)]
        try:
            say(text, language, wave)
            run_program(["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-i", str(wave), *coded])
        except ProgramFailed as error:
            raise SoundUnavailable(f"the voice made no sound: {error}") from None
        return sound.read_bytes()


def run_program(command: list[str], text: str | None = None) -> str:
    """Run a program of sound; what it wrote to stderr. text: its input. Raises ProgramFailed."""
    try:
        done = subprocess.run(  # noqa: S603 - fixed programs and options; a text goes in by stdin
            command,
            input=text,
            stdin=subprocess.DEVNULL if text is None else None,
            text=True,
            errors="replace",
            capture_output=True,
            timeout=MOST_PROGRAM_SECONDS,
            check=False,
        )
    except (subprocess.SubprocessError, OSError) as error:
        raise ProgramFailed(f"{command[0]}: {type(error).__name__}") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no word"]
        raise ProgramFailed(f"{command[0]}: {lines[-1][:200]}")
    return done.stderr
