# SPDX-License-Identifier: Apache-2.0
"""How a visit can end, why a door was passed by, when to come again."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Outcome(models.TextChoices):
    """What happened at a door."""

    INSTALLED = "installed", _("installed now")
    RUNNING = "running", _("running already")
    LEAFLET = "leaflet", _("leaflet left")
    NOT_HOME = "not_home", _("nobody home")
    REFUSED = "refused", _("declined")
    NO_SMARTPHONE = "no_smartphone", _("no smartphone")
    MOVED = "moved", _("moved away")
    LOCKED = "locked", _("door locked")
    SKIPPED = "skipped", _("passed by")


class SkipReason(models.TextChoices):
    """Why a door was passed by."""

    NOT_FOUND = "not_found", _("address not found")
    DOG = "dog", _("dog")
    NO_WAY = "no_way", _("road cut off")
    ISOLATED = "isolated", _("household under isolation")
    UNSAFE = "unsafe", _("not safe")
    OTHER = "other", _("another reason")


class Revisit(models.TextChoices):
    """When to come again."""

    AFTER_17 = "after_17", _("come again after 17:00")
    OTHER_DAY = "other_day", _("come again another day")


# Somebody was spoken to, or a leaflet stayed at the door: the household counts as visited.
REACHED = frozenset(
    {
        Outcome.INSTALLED,
        Outcome.RUNNING,
        Outcome.LEAFLET,
        Outcome.REFUSED,
        Outcome.NO_SMARTPHONE,
        Outcome.MOVED,
    }
)
