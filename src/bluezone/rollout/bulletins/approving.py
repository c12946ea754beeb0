# SPDX-License-Identifier: Apache-2.0
"""Approve a text for the air: by somebody else than its author, who has heard it to the end.

The page says when the sound begins and when it has ended; that so much time lay between is checked here, so that
"Duyệt" cannot be had by skipping.
"""

import datetime

from django.db import transaction

from bluezone.accounts import auditing
from bluezone.accounts.models import Act, User
from bluezone.refusal import Refused
from bluezone.rollout.bulletins import plugging
from bluezone.rollout.bulletins.models import Listening, Schedule, Script
from bluezone.rollout.bulletins.planning import plan_ahead
from bluezone.rollout.bulletins.writing import BulletinWithdrawn

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
        auditing.record(
            user.username, Act.BULLETIN_APPROVED, f"bulletin {held.bulletin_id}", now=now,
            language=held.language, version=held.number, sound=held.sound.sha256[:16],
        )  # fmt: skip
        outlets = Schedule.objects.filter(bulletin=held.bulletin_id, stopped_at=None).values_list("outlets", flat=True)
        plan_ahead(now, {pk for pk in outlets if pk is not None})
        # Machines hold the sounds of emergencies before one is ordered.
        plugging.tell_plan_changed()
