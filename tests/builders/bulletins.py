# SPDX-License-Identifier: Apache-2.0
"""Bulletins, outlets and loudspeakers at any stage."""

import datetime
import functools
import hashlib
import subprocess
import tempfile
from pathlib import Path

from tests.builders.devices import agency, connected_device
from tests.builders.office import user

from bluezone.devices.models import DeviceKind
from bluezone.identity.models import User
from bluezone.rollout.bulletins.air import timetable
from bluezone.rollout.bulletins.air.outlets import create_outlet
from bluezone.rollout.bulletins.air.recurrence import Rule
from bluezone.rollout.bulletins.models import OutletKind, Sound
from bluezone.rollout.bulletins.texts import approval, scripts, sounds
from bluezone.rollout.loudspeakers import zone_setup

TEXT = (
    "Kính thưa bà con. UBND TP Bắc Kạn đề nghị bà con có điện thoại thông minh cài ứng dụng Bluezone và luôn bật "
    "Bluetooth. Xin cảm ơn bà con."
)
# A morning in Việt Nam: 07:00 on 10 August 2020.
NOW = datetime.datetime(2020, 8, 10, 0, 0, tzinfo=datetime.UTC)


def make_people():
    """Two editors: one who writes, and one who approves."""
    made = [User.objects.filter(username=name).first() or user(name, "editor") for name in ("bien", "duyet")]
    return made[0], made[1]


@functools.cache
def make_recording(seconds: float = 2.0, volume_db: float = -20.0) -> bytes:
    """A WAV of speech-like noise, as a person would upload it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        source = f"anoisesrc=d={seconds}:c=pink:r=44100:seed=7,volume={volume_db}dB"
        subprocess.run(["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", source, str(path)], check=True)
        return path.read_bytes()


@functools.cache
def _levelled(seconds: float) -> Sound:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        path.write_bytes(make_recording(seconds))
        content, measured = sounds._level(path, Path(folder), ["-f", "wav"], "44100", "96k")
    return Sound(
        sha256=hashlib.sha256(content).hexdigest(), content=content, seconds=measured.seconds,
        loudness_lufs=measured.loudness_lufs, peak_dbtp=measured.peak_dbtp, is_human=True,
    )  # fmt: skip


def stored_recording(seconds: float = 2.0) -> Sound:
    """A stored recording at the standard loudness, made once for all tests of a process."""
    made = _levelled(seconds)
    values = {name: getattr(made, name) for name in ("content", "seconds", "loudness_lufs", "peak_dbtp", "is_human")}
    return Sound.objects.get_or_create(sha256=made.sha256, defaults=values)[0]


def approved_bulletin(
    importance="normal", title="Cài Bluezone", text=TEXT, now=NOW, keeper=None, seconds=None, languages=("vi",)
):
    """A bulletin with approved texts. seconds: length of a recording, which replaces the synthetic voice."""
    writer, approver = make_people()
    bulletin = scripts.create_bulletin(writer, keeper or agency(), title, importance, {}, now)
    for language in languages:
        if seconds is None:
            script = scripts.add_machine_version(bulletin, language, text, writer, now)
        else:
            script = scripts.add_version(
                bulletin, language, text, writer, now, machine=None, recording=stored_recording(seconds)
            )
        listen_to_end(script, approver, now)
        approval.approve_script(script, approver, now + datetime.timedelta(hours=1))
    return bulletin


def listen_to_end(script, who, now=NOW):
    """Listen to a version to its end."""
    approval.begin_listening(script, who, now)
    approval.end_listening(script, who, now + datetime.timedelta(seconds=script.sound.seconds))


def zone(name="Tổ 5", keeper=None, by_hand=False):
    """A zone of loudspeakers."""
    return zone_setup.create_zone("bien", name, keeper or agency(), None, by_hand=by_hand)


def machine(of, name="Loa 1", now=NOW):
    """A connected machine of a zone, and its token."""
    device, token = connected_device(of.outlet.agency, DeviceKind.SPEAKER, name, now)
    zone_setup.assign_machine("bien", device, of, now)
    return device, token


def station(name="Đài tỉnh", kind=OutletKind.RADIO, keeper=None):
    """A radio station, or another outlet that no machine proves."""
    return create_outlet("bien", kind, name, keeper or agency())


def schedule_bulletin(bulletin, *places, times=("17:30",), first=None, last=None, now=NOW, languages=("vi",), **rule):
    """A schedule of a bulletin at outlets, every day by default."""
    made = Rule(
        first or datetime.date(2020, 8, 10), last, tuple(datetime.time.fromisoformat(text) for text in times), **rule
    )
    return timetable.schedule_airings(bulletin, list(places), list(languages), made, make_people()[0], now)
