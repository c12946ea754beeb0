# SPDX-License-Identifier: Apache-2.0
"""The newest population, households and smartphones of several units at once."""

import datetime
from collections.abc import Iterable

from bluezone.agencies.models import AdminUnit, Denominator


def newest_of(units: Iterable[AdminUnit], on: datetime.date) -> dict[tuple[int, str], Denominator]:
    """(primary key of the unit, kind) -> its newest figure that was true by `on`; one query."""
    found = Denominator.objects.filter(unit__in=[unit.pk for unit in units], as_of__lte=on).order_by("as_of")
    return {(figure.unit_id or 0, figure.kind): figure for figure in found}
