# SPDX-License-Identifier: Apache-2.0
"""A text as sound, by espeak-ng and ffmpeg where the operator has installed them.

A machine's voice is a draft; a person's recording is better, and the only way for Tày, Nùng, Dao and Mông.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

from bluezone.refusal import Refused

MOST_PROGRAM_SECONDS = 120
# Voice and words a minute by language; the bulletin of 30 seconds was measured: 30.9 s in Vietnamese at 150.
_VOICES = {"vi": ("vi", "150"), "en": ("en-gb", "160")}
# Loudness of announcements; the peak leaves room for the MP3 encoder.
_LOUDNESS = "loudnorm=I=-16:TP=-1.5"


class SoundUnavailable(Refused):
    """espeak-ng or ffmpeg is not installed on this server, or made no sound."""

    code = "sound_unavailable"


class ProgramFailed(Exception):
    """A program is missing, took too long, or refused what it was given; the message is its last line."""


def can_speak() -> bool:
    """Whether this server has both programs."""
    return bool(shutil.which("espeak-ng") and shutil.which("ffmpeg"))


def say(text: str, language: str, wave: Path) -> None:
    """Write the text as sound to the WAV file `wave`. language: "vi" or "en".

    Raises SoundUnavailable where a program is not installed, ProgramFailed where espeak-ng fails.
    """
    if not can_speak():
        raise SoundUnavailable("espeak-ng and ffmpeg are not installed on this server")
    voice, pace = _VOICES[language]
    run_program(["espeak-ng", "-v", voice, "-s", pace, "--stdin", "-w", str(wave)], text)


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
