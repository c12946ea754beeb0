# SPDX-License-Identifier: Apache-2.0
"""Texts of bulletins: a new one, the next version, a recording; approved by somebody else than the author who has
heard it to the end; taken back.
"""

import datetime
import unicodedata

from django.db import transaction
from django.db.models import Max

from bluezone.audit import hash_chain
from bluezone.directory.models import Agency
from bluezone.identity.models import User
from bluezone.refusal import Refused
from bluezone.rollout.bulletins.air import hooks
from bluezone.rollout.bulletins.air.planner import plan_ahead
from bluezone.rollout.bulletins.models import MACHINE_LANGUAGES, Bulletin, Listening, Schedule, Script, Sound
from bluezone.rollout.bulletins.scripts.sounds import machine_sound, recorded_sound
from bluezone.speech.voice import SoundUnavailable


class BulletinWithdrawn(Refused):
    """The bulletin was withdrawn; nothing more is written, approved or planned of it."""

    code = "bulletin_withdrawn"


def new_bulletin(
    user: User, agency: Agency, title: str, importance: str, texts: dict[str, str], now: datetime.datetime
) -> Bulletin:
    """Enter a bulletin with its first texts, by language; a machine says those that it can."""
    with transaction.atomic():
        bulletin = Bulletin.objects.create(
            title=_nfc(title), importance=importance, agency=agency, made_by=user, made_at=now
        )
        for language, text in texts.items():
            if text.strip():
                write(bulletin, language, text, user, now)
    return bulletin


def write(bulletin: Bulletin, language: str, text: str, user: User, now: datetime.datetime) -> Script:
    """The next version of a text, said by the machine where there is a voice; without one it waits for a recording.

    Raises BulletinWithdrawn.
    """
    machine = None
    if language in MACHINE_LANGUAGES:
        try:
            machine = machine_sound(_nfc(text), language)
        except SoundUnavailable:
            # The text is kept: a person can still record it.
            machine = None
    return add_version(bulletin, language, _nfc(text), user, now, machine=machine)


def record(bulletin: Bulletin, language: str, text: str, data: bytes, user: User, now: datetime.datetime) -> Script:
    """The next version with a person's recording; text: what is said on it.

    Raises BulletinWithdrawn, RecordingUnreadable, RecordingTooLong, RecordingSilent, SoundUnavailable.
    """
    recording = recorded_sound(data)
    before = bulletin.scripts.filter(language=language, text=_nfc(text)).first()
    machine = before.machine if before else None
    return add_version(bulletin, language, _nfc(text), user, now, machine=machine, recording=recording)


def withdraw(bulletin: Bulletin, reason: str, user: User, now: datetime.datetime) -> None:
    """Take a bulletin back: nothing of it is aired from now on; what was aired stays in the log."""
    with transaction.atomic():
        changed = Bulletin.objects.filter(pk=bulletin.pk, withdrawn_at=None).update(
            withdrawn_at=now, withdrawn_reason=reason[:300]
        )
        if changed:
            hash_chain.record(user.username, "bulletin_withdrawn", f"bulletin {bulletin.pk}", now=now)
            outlets = Schedule.objects.filter(bulletin=bulletin).values_list("outlets", flat=True)
            plan_ahead(now, {pk for pk in outlets if pk is not None})


def add_version(
    bulletin: Bulletin,
    language: str,
    text: str,
    user: User,
    now: datetime.datetime,
    *,
    machine: Sound | None,
    recording: Sound | None = None,
) -> Script:
    """The next version of a text with the sounds there are of it. Raises BulletinWithdrawn."""
    with transaction.atomic():
        held = Bulletin.objects.select_for_update(of=("self",)).get(pk=bulletin.pk)
        if held.withdrawn_at is not None:
            raise BulletinWithdrawn("the bulletin was withdrawn")
        last = held.scripts.filter(language=language).aggregate(last=Max("number"))["last"] or 0
        script = Script.objects.create(
            bulletin=held, language=language, number=last + 1, text=text, machine=machine, recording=recording,
            written_by=user, written_at=now,
        )  # fmt: skip
        hash_chain.record(
            user.username, "bulletin_written", f"bulletin {held.pk}", now=now, language=language, version=last + 1
        )
    return script


def _nfc(text: str) -> str:
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
        hooks.announce_plan_change()
