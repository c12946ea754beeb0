# SPDX-License-Identifier: Apache-2.0
"""What the schools forget: links, PINs and teachers of school years that are over. Counts without names are kept."""

import datetime

from django.utils import timezone

from bluezone.rollout.schools.models import SchoolClass
from bluezone.rollout.schools.weeks.school_calendar import year_of


def purge(now: datetime.datetime) -> None:
    """Forget link, PIN and teacher of classes of past years; training is erased by bluezone.training."""
    past = SchoolClass.everything.filter(year__lt=year_of(timezone.localdate(now)))
    past.exclude(link_digest=None, pin_digest="", teacher=None).update(
        link_digest=None, pin_digest="", teacher=None, wrong_tries=0, locked_until=None
    )
