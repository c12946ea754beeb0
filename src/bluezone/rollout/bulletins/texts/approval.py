# SPDX-License-Identifier: Apache-2.0
"""Approval of a version of a text. The approver must first have listened to it to the end."""

import datetime

from django.db import transaction

from bluezone.audit import hash_chain
from bluezone.identity.models import User
from bluezone.refusal import Refused
from bluezone.rollout.bulletins.air.planner import announce_plan_change, plan_airings
from bluezone.rollout.bulletins.models import (
    Listening,
    Schedule,
    Script,
)
from bluezone.rollout.bulletins.texts.scripts import BulletinWithdrawn

# Clocks and players round: a listening may be shorter than the sound by a tenth of it and a second.
_SLACK_SECONDS = 1.0
_LEAST_SHARE = 0.9


class ListenedTooShort(Refused):
    """The person reports the end of the sound sooner than it can have played."""

    code = "listened_too_short"


class NotListened(Refused):
    """The approver has not listened to this version to its end; nothing was changed."""

    code = "not_listened"


class ApproverIsAuthor(Refused):
    """The author of a version may not approve it; nothing was changed."""

    code = "approver_is_author"


class ScriptWithoutSound(Refused):
    """The version has no sound yet: it needs a person's recording."""

    code = "script_without_sound"


def begin_listening(script: Script, user: User, now: datetime.datetime) -> None:
    """Store when the person starts the sound. Raises ScriptWithoutSound."""
    if script.sound is None:
        raise ScriptWithoutSound("there is nothing to listen to")
    Listening.objects.update_or_create(script=script, user=user, defaults={"begun_at": now})


def end_listening(script: Script, user: User, now: datetime.datetime) -> None:
    """Store that the person has heard the sound to its end. Raises ListenedTooShort, ScriptWithoutSound."""
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


def approve_script(script: Script, user: User, now: datetime.datetime) -> None:
    """Approve a version: from now on it is aired wherever the bulletin is scheduled. Safe to repeat.

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
            raise NotListened("the approver has not listened to the end")
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
        # Machines store the sounds of emergencies in advance.
        announce_plan_change()
