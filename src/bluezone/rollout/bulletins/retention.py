# SPDX-License-Identifier: Apache-2.0
"""What bulletins forget: sounds that no text refers to, photos after a year, airings and listenings after two."""

import datetime

from django.db.models import Exists, OuterRef, Q

from bluezone.rollout.bulletins.models import Airing, Attestation, Listening, Script, Sound

PHOTO_DAYS = 365
LOG_DAYS = 730
_LOOSE = datetime.timedelta(days=1)


def purge(now: datetime.datetime) -> None:
    """Delete what has had its time."""
    Attestation.everything.filter(at__lt=now - datetime.timedelta(days=PHOTO_DAYS)).exclude(photo=None).update(
        photo=None, has_photo=False
    )
    bound = now - datetime.timedelta(days=LOG_DAYS)
    Airing.everything.filter(due_at__lt=bound).delete()
    Listening.everything.filter(begun_at__lt=bound).delete()
    used = Script.everything.filter(Q(machine=OuterRef("pk")) | Q(recording=OuterRef("pk")))
    loose = Sound.objects.filter(~Exists(used), made_at__lt=now - _LOOSE)
    planned = Airing.everything.filter(sound=OuterRef("pk"))
    loose.filter(~Exists(planned)).delete()
