# SPDX-License-Identifier: Apache-2.0
"""Write bulletins: a new one, the next version of a text, a person's recording, and taking a bulletin back."""

import datetime
import unicodedata

from django.db import transaction
from django.db.models import Max

from bluezone.accounts import auditing
from bluezone.accounts.models import Act, User
from bluezone.agencies.models import Agency
from bluezone.portal.speaking import SoundUnavailable
from bluezone.refusal import Refused
from bluezone.rollout.bulletins.models import MACHINE_LANGUAGES, Bulletin, Schedule, Script, Sound
from bluezone.rollout.bulletins.planning import plan_ahead
from bluezone.rollout.bulletins.sounding import machine_sound, recorded_sound


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
            auditing.record(user.username, Act.BULLETIN_WITHDRAWN, f"bulletin {bulletin.pk}", now=now)
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
        auditing.record(
            user.username, Act.BULLETIN_WRITTEN, f"bulletin {held.pk}", now=now, language=language, version=last + 1
        )
    return script


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip()
