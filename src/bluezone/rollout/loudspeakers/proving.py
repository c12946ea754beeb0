# SPDX-License-Identifier: Apache-2.0
"""What machines proved of airings: in time, late, cut short, missed, or played without a loudspeaker."""

import datetime
from collections import Counter
from collections.abc import Iterable

from bluezone.rollout.bulletins import Airing, Proven
from bluezone.rollout.loudspeakers.models import Assignment, Outcome, Playing

LATE_SECONDS = 60.0
# Sinks without a sound card: the sound was decoded in time, and nobody can have heard it.
UNHEARD_SINKS = frozenset({"file", "null"})
_AT_ONCE = 900
_NEVER = datetime.datetime.max.replace(tzinfo=datetime.UTC)


def proven(airings: Iterable[int]) -> dict[int, Proven]:
    """By primary key, for airings that machines were to play or reported; two queries a thousand airings.

    What a person said of an airing of which no machine said anything stays with the attested ones, and is not here.
    """
    keys = list(airings)
    found: dict[int, Proven] = {}
    assigned = _assigned()
    for start in range(0, len(keys), _AT_ONCE):
        found.update(_some(keys[start : start + _AT_ONCE], assigned))
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


def _assigned() -> dict[int, list[tuple[int, datetime.datetime, datetime.datetime]]]:
    """By zone: a machine, and from when until when it was to play there; one that was cut off, until then."""
    found: dict[int, list[tuple[int, datetime.datetime, datetime.datetime]]] = {}
    rows = Assignment.objects.values_list("zone_id", "device_id", "since", "until", "device__revoked_at")
    for zone, device, since, until, revoked_at in rows:
        found.setdefault(zone, []).append((device, since, min(until or _NEVER, revoked_at or _NEVER)))
    return found


def _some(
    keys: list[int], assigned: dict[int, list[tuple[int, datetime.datetime, datetime.datetime]]]
) -> dict[int, Proven]:
    counts: dict[int, Counter[str]] = {}
    told: dict[int, set[int]] = {}
    reported = Playing.objects.filter(airing__in=keys).select_related("airing")
    for playing in reported.defer("airing__script"):
        counts.setdefault(playing.airing_id, Counter())[verdict(playing)] += 1
        told.setdefault(playing.airing_id, set()).add(playing.device_id)
    spoken = Airing.objects.filter(pk__in=keys, sound__isnull=False)
    found = {}
    for pk, outlet, due_at, attestation in spoken.values_list("pk", "outlet_id", "due_at", "attestation"):
        if pk not in told and attestation is not None:
            continue
        to_play = {device for device, since, until in assigned.get(outlet, ()) if since <= due_at < until}
        machines = to_play | told.get(pk, set())
        if machines:
            found[pk] = Proven(len(machines), **counts.get(pk, Counter()))
    return found
