# SPDX-License-Identifier: Apache-2.0
"""Texts of bulletins and their sound: written, recorded or spoken by a machine (espeak-ng and ffmpeg), and approved
after listening.
"""

import datetime
import hashlib
import re
import tempfile
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction
from django.db.models import Max

from bluezone.audit import hash_chain
from bluezone.directory.models import Agency
from bluezone.identity.models import User
from bluezone.refusal import Refused
from bluezone.rollout.bulletins.air import planner
from bluezone.rollout.bulletins.air.planner import announce_plan_change, plan_ahead
from bluezone.rollout.bulletins.models import (
    MACHINE_LANGUAGES,
    Bulletin,
    Language,
    Listening,
    Schedule,
    Script,
    Sound,
    SpokenWord,
)
from bluezone.speech import spoken
from bluezone.speech.voice import ProgramFailed, SoundUnavailable, run_program, say

MOST_SECONDS = 600.0
LEAST_SECONDS = 1.0
LOUDNESS_LUFS, TOLERANCE_LUFS = -16.0, 1.0
MOST_PEAK_DBTP = -1.5
_SILENT_LUFS = -50.0
_PASSES = 6
_MOST_FAULTS = 10
# First bytes -> the one demuxer that may read the file.
_FORMATS = (
    (b"ID3", 0, "mp3"), (b"\xff\xfb", 0, "mp3"), (b"\xff\xf3", 0, "mp3"), (b"\xff\xf2", 0, "mp3"), (b"WAVE", 8, "wav"),
    (b"OggS", 0, "ogg"), (b"fLaC", 0, "flac"), (b"ftyp", 4, "mov"), (b"\x1aE\xdf\xa3", 0, "matroska"),
)  # fmt: skip


class RecordingUnreadable(Refused):
    """The recording is damaged, or no MP3, WAV, M4A, OGG, FLAC or WebM; nothing was stored."""

    code = "recording_unreadable"


class RecordingTooLong(Refused):
    """The recording lasts longer than ten minutes, or less than a second; nothing was stored."""

    code = "recording_too_long"


class RecordingSilent(Refused):
    """Nothing can be heard on the recording; nothing was stored."""

    code = "recording_silent"


@dataclass(frozen=True)
class Measured:
    """seconds of the decoded sound; loudness in LUFS and true peak in dBTP, by ffmpeg's ebur128."""

    seconds: float
    loudness_lufs: float
    peak_dbtp: float


def machine_sound(said: str, language: str) -> Sound:
    """The sound of words by espeak-ng, stored once. said: as they are spoken, see `spoken`. Raises SoundUnavailable."""
    if language not in MACHINE_LANGUAGES:
        raise SoundUnavailable(f"there is no machine's voice for {language}; put in a person's recording")
    with tempfile.TemporaryDirectory() as folder:
        wave = Path(folder) / "spoken.wav"
        try:
            say(said, language, wave)
            return _stored(*_levelled(wave, Path(folder), ["-f", "wav"], "22050", "48k"), is_human=False)
        except (ProgramFailed, RecordingSilent) as error:
            raise SoundUnavailable(f"the voice made no sound: {error}") from None


def recorded_sound(data: bytes) -> Sound:
    """The sound of a person's recording, stored once.

    Raises RecordingUnreadable, RecordingTooLong, RecordingSilent, SoundUnavailable when ffmpeg is missing.
    """
    kind = next((name for start, at, name in _FORMATS if data[at : at + len(start)] == start), None)
    if kind is None:
        raise RecordingUnreadable("the file is no MP3, WAV, M4A, OGG, FLAC or WebM")
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "given"
        given.write_bytes(data)
        try:
            plain = Path(folder) / "plain.wav"
            _decode(given, plain, kind)
            seconds = measure(plain, ["-f", "wav"]).seconds
            if not LEAST_SECONDS <= seconds <= MOST_SECONDS:
                raise RecordingTooLong(f"the recording lasts {seconds:.0f} s, expected 1 to {MOST_SECONDS:.0f}")
            return _stored(*_levelled(plain, Path(folder), ["-f", "wav"], "44100", "96k"), is_human=True)
        except ProgramFailed as error:
            raise RecordingUnreadable(f"the recording cannot be decoded: {error}") from None


def measure(path: Path, as_format: list[str]) -> Measured:
    """What ffmpeg's ebur128 says of a file. as_format: options before -i. Raises ProgramFailed."""
    command = ["ffmpeg", "-nostdin", "-hide_banner", "-nostats", *as_format, "-i", str(path)]
    said = run_program([*command, "-af", "ebur128=peak=true:framelog=verbose", "-f", "null", "-"])
    loudness, peak = (
        re.findall(r"\bI:\s+(-?[\d.]+|-inf) LUFS", said),
        re.findall(r"\bPeak:\s+(-?[\d.]+|-inf) dBFS", said),
    )
    times = re.findall(r"time=(\d+):(\d+):([\d.]+)", said)
    if not loudness or not peak or not times:
        raise ProgramFailed("ffmpeg did not measure the sound")
    hours, minutes, rest = times[-1]
    return Measured(int(hours) * 3600 + int(minutes) * 60 + float(rest), float(loudness[-1]), float(peak[-1]))


def _decode(given: Path, plain: Path, kind: str) -> None:
    """To one channel of plain sound; reads no further than a little over the longest that is taken."""
    reading = ["-protocol_whitelist", "file", "-f", kind, "-i", str(given)]
    writing = ["-map", "0:a:0", "-t", str(MOST_SECONDS + 5), "-ac", "1", "-ar", "44100", str(plain)]
    said = run_program(["ffmpeg", "-nostdin", "-loglevel", "error", "-y", *reading, *writing])
    # A cut last frame is common and heard by nobody; a file that is damaged all over is not aired.
    if len(said.splitlines()) > _MOST_FAULTS:
        raise ProgramFailed(f"{len(said.splitlines())} faults in the file")


def _levelled(wave: Path, folder: Path, as_format: list[str], rate: str, bits: str) -> tuple[bytes, Measured]:
    """The MP3 of a sound at the house's loudness: gain and limiter are corrected by what the finished file measures."""
    first = measure(wave, as_format)
    if first.loudness_lufs < _SILENT_LUFS:
        raise RecordingSilent(f"the recording measures {first.loudness_lufs} LUFS")
    gain, limit_db = LOUDNESS_LUFS - first.loudness_lufs, -3.0
    coded = folder / "levelled.mp3"
    measured = first
    for _ in range(_PASSES):
        limit = 10 ** (limit_db / 20)
        chain = f"volume={gain:.2f}dB,alimiter=limit={limit:.4f}:attack=2:release=40:level=disabled"
        writing = ["-map_metadata", "-1", "-ar", rate, "-ac", "1", "-b:a", bits, str(coded)]
        run_program(
            ["ffmpeg", "-nostdin", "-loglevel", "error", "-y", *as_format, "-i", str(wave), "-af", chain, *writing]
        )
        measured = measure(coded, ["-f", "mp3"])
        off, over = LOUDNESS_LUFS - measured.loudness_lufs, measured.peak_dbtp - MOST_PEAK_DBTP
        if abs(off) <= TOLERANCE_LUFS / 2 and over <= 0:
            break
        gain, limit_db = gain + off, limit_db - (over + 0.3 if over > 0 else 0.0)
    if abs(LOUDNESS_LUFS - measured.loudness_lufs) > TOLERANCE_LUFS or measured.peak_dbtp > MOST_PEAK_DBTP:
        raise ProgramFailed("the loudness cannot be brought to -16 LUFS")
    return coded.read_bytes(), measured


def _stored(content: bytes, measured: Measured, *, is_human: bool) -> Sound:
    values = {
        "content": content,
        "seconds": measured.seconds,
        "loudness_lufs": measured.loudness_lufs,
        "peak_dbtp": measured.peak_dbtp,
        "is_human": is_human,
    }
    return Sound.objects.get_or_create(sha256=hashlib.sha256(content).hexdigest(), defaults=values)[0]


class BulletinWithdrawn(Refused):
    """The bulletin was withdrawn; nothing more is written, approved or planned of it."""

    code = "bulletin_withdrawn"


def new_bulletin(
    user: User,
    agency: Agency,
    title: str,
    importance: str,
    texts: dict[str, str],
    now: datetime.datetime,
    relay: tuple[str, int] = ("", 0),
) -> Bulletin:
    """Enter a bulletin with its first texts, by language; a machine says those that it can.

    relay: a station of the city's list and for how many minutes it is aired; the texts are heard where it fails.
    """
    with transaction.atomic():
        bulletin = Bulletin.objects.create(
            title=nfc(title),
            importance=importance,
            agency=agency,
            made_by=user,
            made_at=now,
            relay=relay[0],
            relay_minutes=relay[1],
        )
        for language, text in texts.items():
            if text.strip():
                write(bulletin, language, text, user, now)
    return bulletin


def write(bulletin: Bulletin, language: str, text: str, user: User, now: datetime.datetime, said: str = "") -> Script:
    """The next version of a text, said by the machine where there is a voice; without one it waits for a recording.

    said: how the machine is to say it, where an editor has corrected its reading. Raises BulletinWithdrawn.
    """
    machine, text, said = None, nfc(text), nfc(said)
    reading = read(text, language)
    if said == reading:
        said = ""
    if language in MACHINE_LANGUAGES:
        try:
            machine = machine_sound(said or reading, language)
        except SoundUnavailable:
            # The text is kept: a person can still record it.
            machine = None
    return add_version(bulletin, language, text, user, now, machine=machine, said=said, reading=reading)


def read(text: str, language: str) -> str:
    """How the machine reads a text now, by its rules and the city's words; empty where no machine speaks."""
    if language not in MACHINE_LANGUAGES:
        return ""
    if language != Language.VI:
        return text
    return spoken(text, words())


def words() -> dict[str, str]:
    """How the city's own words are said, by how they are written."""
    return dict(SpokenWord.objects.values_list("written", "said"))


def held_word(written: str) -> SpokenWord | None:
    """The city's word that is written so, kept from others to the end of the transaction. written: as it was typed."""
    if "\0" in written:
        # PostgreSQL cannot be asked for it.
        return None
    return SpokenWord.objects.select_for_update().filter(written=nfc(written)).first()


def set_word(written: str, said: str, user: User, now: datetime.datetime, held: SpokenWord | None = None) -> SpokenWord:
    """From now on the machine says a word so, in what is written next; what it said before stays said.

    held: the word as it stands, None for a new one. Raises IntegrityError where somebody else has just entered it.
    """
    with transaction.atomic():
        word = held or SpokenWord()
        word.written, word.said, word.set_by, word.set_at = nfc(written), spoken(nfc(said)), user, now
        word.save()
        hash_chain.record(user.username, "spoken_word_set", f"word {word.pk}", now=now)
    return word


def remove_word(word: SpokenWord, user: User, now: datetime.datetime) -> None:
    """From now on the machine reads a word by its rules again."""
    with transaction.atomic():
        hash_chain.record(user.username, "spoken_word_removed", f"word {word.pk}", now=now)
        word.delete()


def record(bulletin: Bulletin, language: str, text: str, data: bytes, user: User, now: datetime.datetime) -> Script:
    """The next version with a person's recording; text: what is said on it.

    Raises BulletinWithdrawn, RecordingUnreadable, RecordingTooLong, RecordingSilent, SoundUnavailable.
    """
    recording = recorded_sound(data)
    before = bulletin.scripts.filter(language=language, text=nfc(text)).first()
    machine, said, reading = (before.machine, before.said, before.reading) if before else (None, "", "")
    return add_version(
        bulletin, language, nfc(text), user, now, machine=machine, recording=recording, said=said, reading=reading
    )


def withdraw(bulletin: Bulletin, reason: str, user: User, now: datetime.datetime) -> None:
    """Take a bulletin back: nothing of it is aired from now on, and what sounds falls silent; the log stays."""
    with transaction.atomic():
        changed = Bulletin.objects.filter(pk=bulletin.pk, withdrawn_at=None).update(
            withdrawn_at=now, withdrawn_reason=reason[:300]
        )
        if changed:
            hash_chain.record(user.username, "bulletin_withdrawn", f"bulletin {bulletin.pk}", now=now)
            outlets = Schedule.objects.filter(bulletin=bulletin).values_list("outlets", flat=True)
            plan_ahead(now, {pk for pk in outlets if pk is not None})
            announce_plan_change()


def add_version(
    bulletin: Bulletin,
    language: str,
    text: str,
    user: User,
    now: datetime.datetime,
    *,
    machine: Sound | None,
    recording: Sound | None = None,
    said: str = "",
    reading: str = "",
) -> Script:
    """The next version of a text with the sounds there are of it. Raises BulletinWithdrawn."""
    with transaction.atomic():
        held = Bulletin.objects.select_for_update(of=("self",)).get(pk=bulletin.pk)
        if held.withdrawn_at is not None:
            raise BulletinWithdrawn("the bulletin was withdrawn")
        last = held.scripts.filter(language=language).aggregate(last=Max("number"))["last"] or 0
        script = Script.objects.create(
            bulletin=held, language=language, number=last + 1, text=text, said=said, reading=reading, machine=machine,
            recording=recording, written_by=user, written_at=now,
        )  # fmt: skip
        hash_chain.record(
            user.username, "bulletin_written", f"bulletin {held.pk}", now=now, language=language, version=last + 1
        )
    return script


def nfc(text: str) -> str:
    """A text as it is stored: signs composed, nothing around it."""
    return unicodedata.normalize("NFC", text).strip()


# Clocks and players round; a second more or less is no skipping.
_SLACK_SECONDS = 1.0
_SHARE = 0.9


class ListenedTooShort(Refused):
    """Less time has passed since the sound began than it lasts."""

    code = "listened_too_short"


class NotListened(Refused):
    """Whoever approves has not heard this version to its end; nothing was changed."""

    code = "not_listened"


class ApproverIsAuthor(Refused):
    """The author of a version does not approve it; nothing was changed."""

    code = "approver_is_author"


class ScriptWithoutSound(Refused):
    """The version has no sound yet: it needs a person's recording."""

    code = "script_without_sound"


def begin_listening(script: Script, user: User, now: datetime.datetime) -> None:
    """The sound begins from its start. Raises ScriptWithoutSound."""
    if script.sound is None:
        raise ScriptWithoutSound("there is nothing to listen to")
    Listening.objects.update_or_create(script=script, user=user, defaults={"begun_at": now})


def end_listening(script: Script, user: User, now: datetime.datetime) -> None:
    """The sound has come to its end. Raises ListenedTooShort, ScriptWithoutSound."""
    if script.sound is None:
        raise ScriptWithoutSound("there is nothing to listen to")
    with transaction.atomic():
        held = Listening.objects.select_for_update().filter(script=script, user=user).first()
        least = _SHARE * script.sound.seconds - _SLACK_SECONDS
        if held is None or (now - held.begun_at).total_seconds() < least:
            raise ListenedTooShort(f"the sound lasts {script.sound.seconds:.0f} s")
        if held.heard_at is None:
            held.heard_at = now
            held.save(update_fields=["heard_at"])


def has_heard(script: Script, user: User) -> bool:
    """Whether a person has heard this version to its end."""
    return Listening.objects.filter(script=script, user=user, heard_at__isnull=False).exists()


def approve(script: Script, user: User, now: datetime.datetime) -> None:
    """Release a version: from now on it is what is aired, where it is planned. Safe to repeat.

    Raises ApproverIsAuthor, NotListened, ScriptWithoutSound, BulletinWithdrawn.
    """
    with transaction.atomic():
        held = Script.objects.select_for_update(of=("self",)).select_related("bulletin").get(pk=script.pk)
        if held.bulletin.withdrawn_at is not None:
            raise BulletinWithdrawn("the bulletin was withdrawn")
        if held.written_by_id == user.pk:
            raise ApproverIsAuthor("the author does not approve the own text")
        if held.sound is None:
            raise ScriptWithoutSound("there is nothing to listen to")
        if not has_heard(held, user):
            raise NotListened("listen to it to the end first")
        if held.approved_at is not None:
            return
        held.approved_by, held.approved_at = user, now
        held.save(update_fields=["approved_by", "approved_at"])
        hash_chain.record(
            user.username, "bulletin_approved", f"bulletin {held.bulletin_id}", now=now,
            language=held.language, version=held.number, sound=held.sound.sha256[:16],
        )  # fmt: skip
        outlets = Schedule.objects.filter(bulletin=held.bulletin_id, stopped_at=None).values_list("outlets", flat=True)
        plan_ahead(now, {pk for pk in outlets if pk is not None})
        # Machines hold the sounds of emergencies before one is ordered.
        planner.announce_plan_change()
