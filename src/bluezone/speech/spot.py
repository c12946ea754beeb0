# SPDX-License-Identifier: Apache-2.0
"""The 30-second bulletin as sound, by espeak-ng and ffmpeg where the operator has installed them.

A machine's voice is a draft; a person's recording is better, and the only way for Tày, Nùng, Dao and Mông.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

from django.utils.translation import override

from bluezone.paper import phrases
from bluezone.paper.city_facts import Facts
from bluezone.refusal import Refused

_VOICES = {"vi": "vi", "en": "en-gb"}
# Measured for this text: 30.9 s in Vietnamese at 150 words a minute.
_WORDS_A_MINUTE = {"vi": "150", "en": "160"}
_SECONDS = 60
# Loudness of announcements; the peak leaves room for the MP3 encoder.
_LOUDNESS = "loudnorm=I=-16:TP=-1.5"


class SoundUnavailable(Refused):
    """espeak-ng or ffmpeg is not installed on this server."""

    code = "sound_unavailable"


def can_speak() -> bool:
    """Whether this server has both programs."""
    return bool(shutil.which("espeak-ng") and shutil.which("ffmpeg"))


def bulletin_sound(city: Facts) -> bytes:
    """MP3 of the bulletin. Raises SoundUnavailable."""
    if not can_speak():
        raise SoundUnavailable("espeak-ng and ffmpeg are not installed on this server")
    with override(city.language):
        text = phrases.bulletin(city)
    with tempfile.TemporaryDirectory() as folder:
        spoken, sound = Path(folder) / "bulletin.wav", Path(folder) / "bulletin.mp3"
        voice = ["-v", _VOICES[city.language], "-s", _WORDS_A_MINUTE[city.language], "--stdin", "-w", str(spoken)]
        _run(["espeak-ng", *voice], text)
        coded = ["-af", _LOUDNESS, "-ar", "22050", "-ac", "1", "-b:a", "48k", str(sound)]
        _run(["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-i", str(spoken), *coded])
        return sound.read_bytes()


def _run(command: list[str], text: str | None = None) -> None:
    try:
        subprocess.run(  # noqa: S603 - fixed programs and options; the text goes in by stdin
            command, input=text, text=True, check=True, capture_output=True, timeout=_SECONDS
        )
    except (subprocess.SubprocessError, OSError) as error:
        raise SoundUnavailable(f"{command[0]} did not make the sound: {type(error).__name__}") from None
