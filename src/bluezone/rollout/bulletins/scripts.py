# SPDX-License-Identifier: Apache-2.0
"""Texts of bulletins and their sound, recorded or spoken by a machine (espeak-ng, ffmpeg); approval after listening."""

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
from bluezone.rollout.bulletins.air.planner import announce_plan_change, plan_airings
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
LOUDNESS_LUFS = -16.0
TOLERANCE_LUFS = 1.0
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
    """A sound as ffmpeg's ebur128 measures it. seconds: of the decoded sound. peak_dbtp: the true peak."""

    seconds: float
    loudness_lufs: float
    peak_dbtp: float


def make_machine_sound(spoken_text: str, language: str) -> Sound:
    """The sound of a text by espeak-ng, stored once. spoken_text: as `spoken` writes it. Raises SoundUnavailable."""
    if language not in MACHINE_LANGUAGES:
        raise SoundUnavailable(f"there is no machine's voice for {language}; put in a person's recording")
    with tempfile.TemporaryDirectory() as folder:
        wave = Path(folder) / "spoken.wav"
        try:
            say(spoken_text, language, wave)
            return _stored(*_levelled(wave, Path(folder), ["-f", "wav"], "22050", "48k"), is_human=False)
        except (ProgramFailed, RecordingSilent) as error:
            raise SoundUnavailable(f"the voice made no sound: {error}") from None


def store_recording(data: bytes) -> Sound:
    """The sound of a person's recording, stored once.

    Raises RecordingUnreadable, RecordingTooLong, RecordingSilent, SoundUnavailable when ffmpeg is missing.
    """
    kind = next((name for start, at, name in _FORMATS if data[at : at + len(start)] == start), None)
    if kind is None:
        raise RecordingUnreadable("the file is not MP3, WAV, M4A, OGG, FLAC or WebM")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "given"
        source.write_bytes(data)
        try:
            plain = Path(folder) / "plain.wav"
            _decode(source, plain, kind)
            seconds = measure_sound(plain, ["-f", "wav"]).seconds
            if not LEAST_SECONDS <= seconds <= MOST_SECONDS:
                raise RecordingTooLong(f"the recording lasts {seconds:.0f} s, expected 1 to {MOST_SECONDS:.0f}")
            return _stored(*_levelled(plain, Path(folder), ["-f", "wav"], "44100", "96k"), is_human=True)
        except ProgramFailed as error:
            raise RecordingUnreadable(f"the recording cannot be decoded: {error}") from None


def measure_sound(path: Path, as_format: list[str]) -> Measured:
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
    return Measured(duration, float(loudness[-1]), float(peak[-1]))


def _decode(source: Path, plain: Path, kind: str) -> None:
    """Decode to one channel of WAV; stops reading a little after the longest accepted recording."""
    reading = ["-protocol_whitelist", "file", "-f", kind, "-i", str(source)]
    writing = ["-map", "0:a:0", "-t", str(MOST_SECONDS + 5), "-ac", "1", "-ar", "44100", str(plain)]
    output = run_program(["ffmpeg", "-nostdin", "-loglevel", "error", "-y", *reading, *writing])
    faults = len(output.splitlines())
    # A truncated last frame is common and inaudible; a file that is damaged throughout is not aired.
    if faults > _MOST_FAULTS:
        raise ProgramFailed(f"{faults} faults in the file")


def _levelled(wave: Path, folder: Path, as_format: list[str], rate: str, bits: str) -> tuple[bytes, Measured]:
    """The MP3 of a sound at LOUDNESS_LUFS: gain and limiter are corrected until the finished file measures right."""
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
    """The bulletin was withdrawn; no text of it can be written, approved or planned any more."""

    code = "bulletin_withdrawn"


def enter_bulletin(
    user: User,
    agency: Agency,
    title: str,
    importance: str,
    texts: dict[str, str],
    now: datetime.datetime,
    relay: tuple[str, int] = ("", 0),
) -> Bulletin:
    """Enter a bulletin with its first texts, by language; a machine speaks those that it can.

    relay: a station of the city's list and the minutes that it is aired; the texts are heard while it fails.
    """
    with transaction.atomic():
        bulletin = Bulletin.objects.create(
            title=normalise_text(title),
            importance=importance,
            agency=agency,
            made_by=user,
            made_at=now,
            relay=relay[0],
            relay_minutes=relay[1],
        )
        for language, text in texts.items():
            if text.strip():
                write_version(bulletin, language, text, user, now)
    return bulletin


def write_version(
    bulletin: Bulletin, language: str, text: str, user: User, now: datetime.datetime, correction: str = ""
) -> Script:
    """The next version of a text, spoken by the machine; without a voice it waits for a recording.

    correction: how the machine should say it, if an editor has corrected its reading. Raises BulletinWithdrawn.
    """
    text = normalise_text(text)
    correction = normalise_text(correction)
    machine = None
    reading = read_aloud_form(text, language)
    if correction == reading:
        correction = ""
    if language in MACHINE_LANGUAGES:
        try:
            machine = make_machine_sound(correction or reading, language)
        except SoundUnavailable:
            # The text is stored all the same: a person can record it.
            machine = None
    return add_version(bulletin, language, text, user, now, machine=machine, correction=correction, reading=reading)


def read_aloud_form(text: str, language: str) -> str:
    """How the machine reads a text now, by its rules and the city's words; empty if no machine speaks the language."""
    if language not in MACHINE_LANGUAGES:
        return ""
    if language != Language.VI:
        return text
    return spoken(text, city_words())


def city_words() -> dict[str, str]:
    """The pronunciation of the city's own words, by spelling."""
    return dict(SpokenWord.objects.values_list("written", "pronunciation"))


def lock_word(written: str) -> SpokenWord | None:
    """The city's word of this spelling, locked until the end of the transaction. written: as it was typed."""
    if "\0" in written:
        # PostgreSQL refuses the character in a query.
        return None
    return SpokenWord.objects.select_for_update().filter(written=normalise_text(written)).first()


def set_word(
    written: str, pronunciation: str, user: User, now: datetime.datetime, existing: SpokenWord | None = None
) -> SpokenWord:
    """Set how the machine says a word in texts that are written from now on; sounds made before stay as they are.

    existing: the stored word, None for a new one. Raises IntegrityError if another request has just stored it.
    """
    with transaction.atomic():
        word = existing or SpokenWord()
        word.written = normalise_text(written)
        word.pronunciation = spoken(normalise_text(pronunciation))
        word.set_by = user
        word.set_at = now
        word.save()
        hash_chain.record(user.username, "spoken_word_set", f"word {word.pk}", now=now)
    return word


def remove_word(word: SpokenWord, user: User, now: datetime.datetime) -> None:
    """Let the machine read a word by its own rules again."""
    with transaction.atomic():
        hash_chain.record(user.username, "spoken_word_removed", f"word {word.pk}", now=now)
        word.delete()


def record_version(
    bulletin: Bulletin, language: str, text: str, data: bytes, user: User, now: datetime.datetime
) -> Script:
    """The next version with a person's recording; text: its words.

    Raises BulletinWithdrawn, RecordingUnreadable, RecordingTooLong, RecordingSilent, SoundUnavailable.
    """
    recording = store_recording(data)
    previous = bulletin.scripts.filter(language=language, text=normalise_text(text)).first()
    return add_version(
        bulletin,
        language,
        normalise_text(text),
        user,
        now,
        machine=previous.machine if previous else None,
        recording=recording,
        correction=previous.correction if previous else "",
        reading=previous.reading if previous else "",
    )


def withdraw_bulletin(bulletin: Bulletin, reason: str, user: User, now: datetime.datetime) -> None:
    """Withdraw a bulletin: it is not aired any more, and is cut off where it plays now; the log stays."""
    with transaction.atomic():
        changed = Bulletin.objects.filter(pk=bulletin.pk, withdrawn_at=None).update(
            withdrawn_at=now, withdrawn_reason=reason[:300]
        )
        if changed:
            hash_chain.record(user.username, "bulletin_withdrawn", f"bulletin {bulletin.pk}", now=now)
            outlets = Schedule.objects.filter(bulletin=bulletin).values_list("outlets", flat=True)
            plan_airings(now, {pk for pk in outlets if pk is not None})
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
    correction: str = "",
    reading: str = "",
) -> Script:
    """Store the next version of a text with its sounds. Raises BulletinWithdrawn."""
    with transaction.atomic():
        locked = Bulletin.objects.select_for_update(of=("self",)).get(pk=bulletin.pk)
        if locked.withdrawn_at is not None:
            raise BulletinWithdrawn("the bulletin was withdrawn")
        last_number = locked.scripts.filter(language=language).aggregate(last=Max("number"))["last"] or 0
        script = Script.objects.create(
            bulletin=locked, language=language, number=last_number + 1, text=text, correction=correction,
            reading=reading, machine=machine, recording=recording, written_by=user, written_at=now,
        )  # fmt: skip
        hash_chain.record(
            user.username,
            "bulletin_written",
            f"bulletin {locked.pk}",
            now=now,
            language=language,
            version=last_number + 1,
        )
    return script


def normalise_text(text: str) -> str:
    """A text as it is stored: in NFC, without white space around it."""
    return unicodedata.normalize("NFC", text).strip()


# Clocks and players round: a second less is not yet skipping, nor is a tenth of the sound.
_SLACK_SECONDS = 1.0
_LEAST_SHARE = 0.9


class ListenedTooShort(Refused):
    """Less time has passed since the sound began than it lasts."""

    code = "listened_too_short"


class NotListened(Refused):
    """The approver has not heard this version to its end; nothing was changed."""

    code = "not_listened"


class ApproverIsAuthor(Refused):
    """The author of a version may not approve it; nothing was changed."""

    code = "approver_is_author"


class ScriptWithoutSound(Refused):
    """The version has no sound yet: it needs a person's recording."""

    code = "script_without_sound"


def begin_listening(script: Script, user: User, now: datetime.datetime) -> None:
    """Note that the person starts the sound. Raises ScriptWithoutSound."""
    if script.sound is None:
        raise ScriptWithoutSound("there is nothing to listen to")
    Listening.objects.update_or_create(script=script, user=user, defaults={"begun_at": now})


def end_listening(script: Script, user: User, now: datetime.datetime) -> None:
    """Note that the person has heard the sound to its end. Raises ListenedTooShort, ScriptWithoutSound."""
    if script.sound is None:
        raise ScriptWithoutSound("there is nothing to listen to")
    with transaction.atomic():
        listening = Listening.objects.select_for_update().filter(script=script, user=user).first()
        least_seconds = _LEAST_SHARE * script.sound.seconds - _SLACK_SECONDS
        if listening is None or (now - listening.begun_at).total_seconds() < least_seconds:
            raise ListenedTooShort(f"the sound lasts {script.sound.seconds:.0f} s")
        if listening.heard_at is None:
            listening.heard_at = now
            listening.save(update_fields=["heard_at"])


def has_heard(script: Script, user: User) -> bool:
    """Whether a person has heard this version to its end."""
    return Listening.objects.filter(script=script, user=user, heard_at__isnull=False).exists()


def approve_version(script: Script, user: User, now: datetime.datetime) -> None:
    """Approve a version: from now on this version is aired, wherever the bulletin is planned. Safe to repeat.

    Raises ApproverIsAuthor, NotListened, ScriptWithoutSound, BulletinWithdrawn.
    """
    with transaction.atomic():
        locked = Script.objects.select_for_update(of=("self",)).select_related("bulletin").get(pk=script.pk)
        if locked.bulletin.withdrawn_at is not None:
            raise BulletinWithdrawn("the bulletin was withdrawn")
        if locked.written_by_id == user.pk:
            raise ApproverIsAuthor("an author may not approve their own text")
        if locked.sound is None:
            raise ScriptWithoutSound("there is nothing to listen to")
        if not has_heard(locked, user):
            raise NotListened("listen to it to the end first")
        if locked.approved_at is not None:
            return
        locked.approved_by = user
        locked.approved_at = now
        locked.save(update_fields=["approved_by", "approved_at"])
        hash_chain.record(
            user.username, "bulletin_approved", f"bulletin {locked.bulletin_id}", now=now,
            language=locked.language, version=locked.number, sound=locked.sound.sha256[:16],
        )  # fmt: skip
        outlets = Schedule.objects.filter(bulletin=locked.bulletin_id, stopped_at=None).values_list(
            "outlets", flat=True
        )
        plan_airings(now, {pk for pk in outlets if pk is not None})
        # Machines store the sounds of emergencies before one is ordered.
        planner.announce_plan_change()
