# SPDX-License-Identifier: Apache-2.0
"""How long photos of attestations, the air log and unused sounds are kept, and the purge."""

import datetime

from django.db.models import Exists, OuterRef, Q

from bluezone.rollout.bulletins.models import Airing, Attestation, Listening, Script, Sound

PHOTO_RETENTION = datetime.timedelta(days=365)
LOG_RETENTION = datetime.timedelta(days=730)
UNUSED_SOUND_RETENTION = datetime.timedelta(days=1)


def purge(now: datetime.datetime) -> None:
    """Delete photos after a year, airings and listenings after two, and sounds that nothing refers to."""
    old_photos = Attestation.everything.filter(at__lt=now - PHOTO_RETENTION).exclude(photo=None)
    old_photos.update(photo=None, has_photo=False)
    cutoff = now - LOG_RETENTION
    Airing.everything.filter(due_at__lt=cutoff).delete()
    Listening.everything.filter(begun_at__lt=cutoff).delete()
    scripts = Script.everything.filter(Q(machine=OuterRef("pk")) | Q(recording=OuterRef("pk")))
    unused = Sound.objects.filter(~Exists(scripts), made_at__lt=now - UNUSED_SOUND_RETENTION)
    airings = Airing.everything.filter(sound=OuterRef("pk"))
    unused.filter(~Exists(airings)).delete()
