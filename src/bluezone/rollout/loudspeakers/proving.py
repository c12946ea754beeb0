# SPDX-License-Identifier: Apache-2.0
"""What machines proved of airings: in time, late, cut short, missed, or played without a loudspeaker."""

from collections import Counter
from collections.abc import Iterable

from django.db.models import Q

from bluezone.rollout.bulletins import Airing, Proven
from bluezone.rollout.loudspeakers.models import Outcome, Playing, Unit

LATE_SECONDS = 60.0
# Sinks without a sound card: the sound was decoded in time, and nobody can have heard it.
UNHEARD_SINKS = frozenset({"file", "null"})
_AT_ONCE = 900


def proven(airings: Iterable[int]) -> dict[int, Proven]:
    """By primary key, for airings in zones that have machines; two queries a thousand airings."""
    keys = list(airings)
    found: dict[int, Proven] = {}
    units = _units_by_outlet()
    for start in range(0, len(keys), _AT_ONCE):
        found.update(_some(keys[start : start + _AT_ONCE], units))
    return found


def verdict(playing: Playing) -> str:
    """Which of the counts of `Proven` a report goes into."""
    if playing.outcome != Outcome.PLAYED:
        return str(playing.outcome)
    if playing.sink in UNHEARD_SINKS:
        return "unheard"
    planned = playing.airing.starts_at or playing.airing.due_at
    assert playing.began_at is not None
    return "late" if (playing.began_at - planned).total_seconds() > LATE_SECONDS else "played"


def _units_by_outlet() -> Counter[int]:
    working = Unit.objects.filter(device__revoked_at=None, zone__by_hand=False)
    return Counter(working.values_list("zone_id", flat=True))


def _some(keys: list[int], units: Counter[int]) -> dict[int, Proven]:
    counts: dict[int, Counter[str]] = {}
    reported = Playing.objects.filter(airing__in=keys).select_related("airing")
    for playing in reported.defer("airing__script"):
        counts.setdefault(playing.airing_id, Counter())[verdict(playing)] += 1
    spoken = Airing.objects.filter(Q(pk__in=keys) & Q(sound__isnull=False)).values_list("pk", "outlet_id")
    found = {}
    for pk, outlet in spoken:
        said = counts.get(pk, Counter())
        machines = max(units[outlet], said.total())
        if machines:
            found[pk] = Proven(machines, **said)
    return found
