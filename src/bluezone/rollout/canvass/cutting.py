# SPDX-License-Identifier: Apache-2.0
"""Cut lists of doors: all of a residential group, or the doors that somebody chose."""

import datetime
import uuid
from collections.abc import Sequence

from django.db import transaction

from bluezone.accounts import auditing
from bluezone.accounts.models import Act
from bluezone.agencies.folding import fold
from bluezone.agencies.models import AdminUnit
from bluezone.refusal import Refused
from bluezone.rollout.canvass.models import Household, Turf, TurfDoor
from bluezone.rollout.canvass.reach import MOST_DOORS


class TurfInvalid(Refused):
    """A list without a name, without a door, with more than 400, or with doors of another ward; nothing was stored."""

    code = "turf_invalid"


class TurfLeased(Refused):
    """A list cannot be closed while a phone has it."""

    code = "turf_leased"


def cut_group(actor: str, unit: AdminUnit, group: str, now: datetime.datetime) -> list[Turf]:
    """Cut every door of a residential group into lists of at most 400, named after it. Raises TurfInvalid."""
    doors = Household.objects.filter(unit=unit, group_folded=fold(group), merged_into=None)
    keys = list(doors.order_by("address", "head", "key").values_list("pk", flat=True))
    if not keys:
        raise TurfInvalid("the residential group has no door")
    pieces = [keys[start : start + MOST_DOORS] for start in range(0, len(keys), MOST_DOORS)]
    with transaction.atomic():
        return [
            cut(actor, unit, group if len(pieces) == 1 else f"{group} ({number})", piece, now, group=group)
            for number, piece in enumerate(pieces, 1)
        ]


def cut(
    actor: str, unit: AdminUnit, name: str, keys: Sequence[uuid.UUID], now: datetime.datetime, *, group: str = ""
) -> Turf:
    """Cut a list from chosen doors of a ward, walked in the order given. Raises TurfInvalid."""
    keys = list(dict.fromkeys(keys))
    if not name.strip() or not 1 <= len(keys) <= MOST_DOORS:
        raise TurfInvalid(f"a list needs a name and 1 to {MOST_DOORS} doors, got {len(keys)}")
    with transaction.atomic():
        if Household.objects.filter(pk__in=keys, unit=unit, merged_into=None).count() != len(keys):
            raise TurfInvalid("some of the doors are not doors of this ward")
        turf = Turf.objects.create(unit=unit, name=name.strip()[:80], group=group[:60], made_by=actor, made_at=now)
        TurfDoor.objects.bulk_create(
            TurfDoor(turf=turf, household_id=key, place=place) for place, key in enumerate(keys, 1)
        )
        auditing.record(actor, Act.TURF_CUT, str(turf.pk), unit=unit.pk, doors=len(keys))
    return turf


def close(actor: str, turf: Turf, now: datetime.datetime) -> None:
    """Close a list that no phone has; its visits stay. Raises TurfLeased."""
    with transaction.atomic():
        if turf.leases.filter(ended_at=None).exists():
            raise TurfLeased("a phone has this list; take it back first")
        if Turf.objects.filter(pk=turf.pk, closed_at=None).update(closed_at=now):
            auditing.record(actor, Act.TURF_CLOSED, str(turf.pk))
