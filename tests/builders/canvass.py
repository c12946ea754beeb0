# SPDX-License-Identifier: Apache-2.0
"""Doors, lists and phones of a ward, as the office would have made them."""

import datetime
import uuid

from tests.builders import devices
from tests.builders.coverage import agency, city

from bluezone.agencies.folding import fold
from bluezone.rollout.canvass.models import Household

NOW = datetime.datetime(2020, 8, 14, 3, 0, tzinfo=datetime.UTC)
__all__ = ["NOW", "agency", "city", "devices", "door"]


def door(unit, head="", address="", group="Tổ 5", **values):
    """One household, put straight into the table."""
    folded = " ".join((fold(head), fold(address), fold(group)))
    return Household.objects.create(
        key=values.pop("key", None) or uuid.uuid4(), unit=unit, head=head, address=address, group=group,
        group_folded=fold(group), folded=folded, **{"made_at": NOW - datetime.timedelta(days=9), **values},
    )  # fmt: skip
