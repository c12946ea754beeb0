# SPDX-License-Identifier: Apache-2.0
"""The sound of a text: spoken by a machine (espeak-ng) or recorded by a person, levelled and measured with ffmpeg."""

import hashlib
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bluezone.refusal import Refused
from bluezone.rollout.bulletins.models import (
    MACHINE_LANGUAGES,
    Sound,
)
from bluezone.speech.voice import ProgramFailed, SoundUnavailable, run_program, say

MOST_SECONDS = 600.0
LEAST_SECONDS = 1.0
LOUDNESS_LUFS = -16.0
TOLERANCE_LUFS = 1.0
MOST_PEAK_DBTP = -1.5
_SILENT_LUFS = -50.0
_PASSES = 6
_MOST_FAULTS = 10
# (bytes, their offset in the file, the only demuxer of ffmpeg that may read such a file).
_FORMATS = (
    (b"ID3", 0, "mp3"), (b"\xff\xfb", 0, "mp3"), (b"\xff\xf3", 0, "mp3"), (b"\xff\xf2", 0, "mp3"), (b"WAVE", 8, "wav"),
    (b"OggS", 0, "ogg"), (b"fLaC", 0, "flac"), (b"ftyp", 4, "mov"), (b"\x1aE\xdf\xa3", 0, "matroska"),
)  # fmt: skip


class RecordingUnreadable(Refused):
    """The recording is damaged, or is not MP3, WAV, M4A, OGG, FLAC or WebM; nothing was stored."""

    code = "recording_unreadable"


class RecordingTooLong(Refused):
    """The recording lasts longer than ten minutes, or less than a second; nothing was stored."""

    code = "recording_too_long"


class RecordingSilent(Refused):
    """Nothing can be heard on the recording; nothing was stored."""

    code = "recording_silent"


@dataclass(frozen=True)
class SoundMeasurement:
    """A sound as ffmpeg's ebur128 measures it. seconds: of the decoded sound. peak_dbtp: the true peak."""

    seconds: float
    loudness_lufs: float
    peak_dbtp: float


def make_machine_sound(spoken_text: str, language: str) -> Sound:
    """Speak a text with espeak-ng and store the sound; the same sound is stored once.

    spoken_text: a text in the form of `read_aloud_form`. Raises SoundUnavailable.
    """
    if language not in MACHINE_LANGUAGES:
        raise SoundUnavailable(f"no machine speaks {language}; add a person's recording")
    with tempfile.TemporaryDirectory() as folder:
        wave = Path(folder) / "spoken.wav"
        try:
            say(spoken_text, language, wave)
            return _store(*_level(wave, Path(folder), ["-f", "wav"], "22050", "48k"), is_human=False)
        except (ProgramFailed, RecordingSilent) as error:
            raise SoundUnavailable(f"the voice made no sound: {error}") from None


def store_recording(data: bytes) -> Sound:
    """Level a person's recording and store the sound; the same sound is stored once.

    Raises RecordingUnreadable, RecordingTooLong, RecordingSilent, and SoundUnavailable if ffmpeg is missing.
    """
    kind = next((name for start, at, name in _FORMATS if data[at : at + len(start)] == start), None)
    if kind is None:
        raise RecordingUnreadable("the file is not MP3, WAV, M4A, OGG, FLAC or WebM")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "recording"
        source.write_bytes(data)
        try:
            plain = Path(folder) / "plain.wav"
            _decode(source, plain, kind)
            seconds = measure_sound(plain, ["-f", "wav"]).seconds
            if not LEAST_SECONDS <= seconds <= MOST_SECONDS:
                raise RecordingTooLong(f"the recording lasts {seconds:.0f} s, expected 1 to {MOST_SECONDS:.0f}")
            return _store(*_level(plain, Path(folder), ["-f", "wav"], "44100", "96k"), is_human=True)
        except ProgramFailed as error:
            raise RecordingUnreadable(f"the recording cannot be decoded: {error}") from None


def measure_sound(path: Path, as_format: list[str]) -> SoundMeasurement:
    """Measure a file with ffmpeg's ebur128. as_format: options before -i. Raises ProgramFailed."""
    command = ["ffmpeg", "-nostdin", "-hide_banner", "-nostats", *as_format, "-i", str(path)]
    output = run_program([*command, "-af", "ebur128=peak=true:framelog=verbose", "-f", "null", "-"])
    loudness = re.findall(r"\bI:\s+(-?[\d.]+|-inf) LUFS", output)
    peak = re.findall(r"\bPeak:\s+(-?[\d.]+|-inf) dBFS", output)
    times = re.findall(r"time=(\d+):(\d+):([\d.]+)", output)
    if not loudness or not peak or not times:
        raise ProgramFailed("ffmpeg did not measure the sound")
    hours, minutes, seconds = times[-1]
    duration = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    return SoundMeasurement(duration, float(loudness[-1]), float(peak[-1]))


def _decode(source: Path, plain: Path, kind: str) -> None:
    """Decode to WAV with one channel, up to a little more than the longest accepted length. Raises ProgramFailed."""
    reading = ["-protocol_whitelist", "file", "-f", kind, "-i", str(source)]
    writing = ["-map", "0:a:0", "-t", str(MOST_SECONDS + 5), "-ac", "1", "-ar", "44100", str(plain)]
    output = run_program(["ffmpeg", "-nostdin", "-loglevel", "error", "-y", *reading, *writing])
    faults = len(output.splitlines())
    # A truncated last frame is common and inaudible, but a file that is damaged throughout must not be aired.
    if faults > _MOST_FAULTS:
        raise ProgramFailed(f"{faults} faults in the file")


def _level(wave: Path, folder: Path, as_format: list[str], rate: str, bits: str) -> tuple[bytes, SoundMeasurement]:
    """The MP3 of a sound at LOUDNESS_LUFS, and its measures. Raises RecordingSilent, ProgramFailed.

    Coding changes the loudness, so gain and limiter are corrected until the MP3 itself is within the tolerance.
    """
    first = measure_sound(wave, as_format)
    if first.loudness_lufs < _SILENT_LUFS:
        raise RecordingSilent(f"the recording measures {first.loudness_lufs} LUFS")
    gain = LOUDNESS_LUFS - first.loudness_lufs
    limit_db = -3.0
    coded = folder / "levelled.mp3"
    measured = first
    for _ in range(_PASSES):
        limit = 10 ** (limit_db / 20)
        chain = f"volume={gain:.2f}dB,alimiter=limit={limit:.4f}:attack=2:release=40:level=disabled"
        writing = ["-map_metadata", "-1", "-ar", rate, "-ac", "1", "-b:a", bits, str(coded)]
        run_program(
            ["ffmpeg", "-nostdin", "-loglevel", "error", "-y", *as_format, "-i", str(wave), "-af", chain, *writing]
        )
        measured = measure_sound(coded, ["-f", "mp3"])
        missing = LOUDNESS_LUFS - measured.loudness_lufs
        excess = measured.peak_dbtp - MOST_PEAK_DBTP
        if abs(missing) <= TOLERANCE_LUFS / 2 and excess <= 0:
            break
        gain += missing
        if excess > 0:
            limit_db -= excess + 0.3
    if abs(LOUDNESS_LUFS - measured.loudness_lufs) > TOLERANCE_LUFS or measured.peak_dbtp > MOST_PEAK_DBTP:
        raise ProgramFailed("the loudness cannot be brought to -16 LUFS")
    return coded.read_bytes(), measured


def _store(content: bytes, measured: SoundMeasurement, *, is_human: bool) -> Sound:
    values = {
        "content": content,
        "seconds": measured.seconds,
        "loudness_lufs": measured.loudness_lufs,
        "peak_dbtp": measured.peak_dbtp,
        "is_human": is_human,
    }
    return Sound.objects.get_or_create(sha256=hashlib.sha256(content).hexdigest(), defaults=values)[0]
