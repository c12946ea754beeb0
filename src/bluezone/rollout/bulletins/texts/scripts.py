# SPDX-License-Identifier: Apache-2.0
"""Enter a bulletin, write and record the versions of its texts, and withdraw the bulletin."""

import datetime

from django.db import transaction
from django.db.models import Max

from bluezone.audit import hash_chain
from bluezone.directory.models import Agency
from bluezone.identity.models import User
from bluezone.refusal import Refused
from bluezone.rollout.bulletins.air.planner import announce_plan_change, plan_airings
from bluezone.rollout.bulletins.models import (
    MACHINE_LANGUAGES,
    Bulletin,
    Schedule,
    Script,
    Sound,
)
from bluezone.rollout.bulletins.texts.pronunciation import normalise_text, read_aloud_form
from bluezone.rollout.bulletins.texts.sounds import make_machine_sound, store_recording
from bluezone.speech.voice import SoundUnavailable


class BulletinWithdrawn(Refused):
    """The bulletin was withdrawn: its texts can no longer be written, approved or scheduled."""

    code = "bulletin_withdrawn"


def create_bulletin(
    user: User,
    agency: Agency,
    title: str,
    importance: str,
    texts: dict[str, str],
    now: datetime.datetime,
    relay: tuple[str, int] = ("", 0),
) -> Bulletin:
    """Enter a bulletin with its first texts, each spoken by the machine if it can speak the language.

    texts: by language; empty ones are left out. relay: (station of the city's list, minutes); the texts are aired only
    if the station fails. ("", 0) for a bulletin that is no relay.
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
                add_machine_version(bulletin, language, text, user, now)
    return bulletin


def add_machine_version(
    bulletin: Bulletin, language: str, text: str, user: User, now: datetime.datetime, correction: str = ""
) -> Script:
    """Store the next version of a text, spoken by the machine; without a machine's voice, it has no sound yet.

    correction: the words that the machine should speak, if an editor has corrected its reading. Raises
    BulletinWithdrawn.
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
            # The text is stored without a sound: a person can record it.
            machine = None
    return add_version(bulletin, language, text, user, now, machine=machine, correction=correction, reading=reading)


def add_recorded_version(
    bulletin: Bulletin, language: str, text: str, data: bytes, user: User, now: datetime.datetime
) -> Script:
    """Store the next version of a text, with a person's recording of it.

    If a version with the same text exists, its machine's voice and correction are taken over.
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
    """Withdraw a bulletin: it is no longer aired, and cut off wherever it is playing; the log stays."""
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
