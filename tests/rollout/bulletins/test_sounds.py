# SPDX-License-Identifier: Apache-2.0
"""Loudness as ffmpeg's own meter says it, for a machine's voice, a quiet and a loud recording; and what is refused."""

import re
import subprocess

import pytest
from tests.builders.bulletins import TEXT, make_recording

from bluezone.rollout.bulletins.models import Sound
from bluezone.rollout.bulletins.texts import sounds
from bluezone.speech import spoken
from bluezone.speech.voice import SoundUnavailable

pytestmark = pytest.mark.django_db


def meter(content):
    """Integrated loudness in LUFS and true peak in dBTP by ffmpeg's ebur128, asked here by itself."""
    said = subprocess.run(
        ["ffmpeg", "-hide_banner", "-nostats", "-f", "mp3", "-i", "-", "-af", "ebur128=peak=true", "-f", "null", "-"],
        input=content, capture_output=True, check=True,
    ).stderr.decode()  # fmt: skip
    summary = said[said.rindex("Summary:") :]
    return float(re.search(r"I:\s+(\S+) LUFS", summary)[1]), float(re.search(r"Peak:\s+(\S+) dBFS", summary)[1])


def made_by(command):
    return subprocess.run(["ffmpeg", "-loglevel", "error", *command, "pipe:1"], capture_output=True, check=True).stdout


def damaged(content):
    """Every tenth byte wrong, but the first."""
    return content[:10] + b"".join(
        bytes([content[at] ^ 0xA5]) + content[at + 1 : at + 10] for at in range(10, len(content), 10)
    )


@pytest.mark.long
@pytest.mark.parametrize("kind", ["machine", "quiet", "loud and clipped", "opus"])
def test_every_sound_has_the_loudness_of_the_house(kind):
    if kind == "machine":
        sound = sounds.make_machine_sound(spoken(TEXT), "vi")
    elif kind == "opus":
        noise = "anoisesrc=d=3:c=pink:seed=3,volume=-25dB"
        sound = sounds.store_recording(made_by(["-f", "lavfi", "-i", noise, "-c:a", "libopus", "-f", "ogg"]))
    else:
        sound = sounds.store_recording(make_recording(3.0, -28.0 if kind == "quiet" else 12.0))

    loudness, peak = meter(bytes(sound.content))
    assert abs(loudness + 16) <= 1
    assert peak <= -1.5
    assert abs(loudness - sound.loudness_lufs) < 0.2
    assert sound.is_human is (kind != "machine")


@pytest.mark.long
def test_the_same_text_is_stored_once():
    first, second = (sounds.make_machine_sound("Kính thưa bà con.", "vi") for _ in range(2))
    assert first.pk == second.pk
    assert Sound.objects.count() == 1


@pytest.mark.long
@pytest.mark.parametrize(
    ("kind", "refusal"),
    [
        pytest.param("three hours", sounds.RecordingTooLong, marks=pytest.mark.slow),
        ("an instant", sounds.RecordingTooLong),
        ("silence", sounds.RecordingSilent),
        ("damaged all over", sounds.RecordingUnreadable),
        ("corrupt", sounds.RecordingUnreadable),
        ("half a WAV header", sounds.RecordingUnreadable),
        ("text", sounds.RecordingUnreadable),
        ("playlist", sounds.RecordingUnreadable),
        ("empty", sounds.RecordingUnreadable),
    ],
)
def test_what_cannot_be_aired_is_refused_and_nothing_is_stored(kind, refusal):
    silence = ["-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono"]
    contents = {
        "three hours": lambda: made_by([*silence, "-t", "10800", "-b:a", "8k", "-f", "mp3"]),
        "an instant": lambda: made_by(["-f", "lavfi", "-i", "anoisesrc=d=0.2", "-f", "wav"]),
        "silence": lambda: made_by([*silence, "-t", "3", "-f", "mp3"]),
        "damaged all over": lambda: damaged(made_by(["-f", "lavfi", "-i", "anoisesrc=d=5", "-f", "mp3"])),
        "corrupt": lambda: b"ID3" + bytes(range(256)) * 40,
        "half a WAV header": lambda: make_recording()[:30],
        "text": lambda: "Kính thưa bà con".encode(),
        "playlist": lambda: b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n/etc/passwd\n",
        "empty": lambda: b"",
    }

    with pytest.raises(refusal):
        sounds.store_recording(contents[kind]())
    assert not Sound.objects.exists()


def test_no_machine_speaks_a_language_that_only_people_speak():
    with pytest.raises(SoundUnavailable):
        sounds.make_machine_sound("Khảu chạu", "tay")
