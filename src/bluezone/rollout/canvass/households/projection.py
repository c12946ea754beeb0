# SPDX-License-Identifier: Apache-2.0
"""Bring households up to date with their changes and visits; the same in whatever order those came."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from bluezone.rollout.canvass.households.facts import FIELDS, REACHED, Merged, Said, merge
from bluezone.rollout.canvass.models import Change, Household, Visit
from bluezone.vietnamese.spelling import fold

_WRITTEN = [
    "group", "group_folded", "head", "address", "smartphones", "note", "folded", "versions", "disputed", "is_disputed",
    "incomplete", "is_incomplete", "last_at", "last_visit", "last_outcome", "revisit", "reached_at", "touched_at",
    "latitude", "longitude",
]  # fmt: skip


def refresh(households: Mapping[uuid.UUID, Household], visits: Iterable[Visit], changes: Collection[Change]) -> None:
    """Bring households in memory up to date with new visits and changes of theirs, which are stored already."""
    for visit in visits:
        apply_visit(households[visit.household_id], visit)
    for pk, fields in merged_of({change.household_id for change in changes}).items():
        apply_facts(households[pk], fields)
    for change in changes:
        household = households[change.household_id]
        household.touched_at = max(household.touched_at, change.at)


def apply_visit(household: Household, visit: Visit) -> None:
    """Let a visit count at a door: the newest by its own time, then by its id, is the last one."""
    if visit.outcome in REACHED:
        household.reached_at = max(filter(None, (household.reached_at, visit.at)))
    mark = (visit.at, str(visit.pk))
    if household.last_at is None or mark > (household.last_at, str(household.last_visit)):
        household.last_at, household.last_visit = visit.at, visit.pk
        household.last_outcome, household.revisit = visit.outcome, visit.revisit
    household.touched_at = max(household.touched_at, visit.at)


def merged_of(keys: Collection[uuid.UUID]) -> dict[uuid.UUID, dict[str, Merged]]:
    """Household -> field -> what all its changes come to; one query."""
    said: defaultdict[tuple[uuid.UUID, str], list[Said]] = defaultdict(list)
    rows = Change.objects.filter(household__in=keys).order_by() if keys else Change.objects.none()
    for pk, name, clock, entry, value, bases, forced in rows.values_list(
        "household_id", "field", "clock", "entry", "value", "bases", "forced"
    ):
        said[pk, name].append(Said(clock, str(entry), value, tuple(bases), forced))
    merged: defaultdict[uuid.UUID, dict[str, Merged]] = defaultdict(dict)
    for (pk, name), changes in said.items():
        merged[pk][name] = merge(changes)
    return merged


def apply_facts(household: Household, fields: Mapping[str, Merged]) -> None:
    """Show what the changes come to, and what is disputed or waits."""
    for name, merged in fields.items():
        if merged.shown is not None:
            show(household, name, merged.shown.value)
            household.versions = {**household.versions, name: merged.shown.clock}
    household.disputed = [name for name in FIELDS if name in fields and fields[name].is_disputed]
    household.incomplete = [name for name in FIELDS if name in fields and fields[name].missing]
    household.is_disputed, household.is_incomplete = bool(household.disputed), bool(household.incomplete)
    fold_again(household)


def show(household: Household, name: str, value: str) -> None:
    """Put a fact, given as text, into its column."""
    if name == "smartphones":
        household.smartphones = int(value) if value else None
    else:
        setattr(household, name, value)


def fold_again(household: Household) -> None:
    """Bring the spellings for searching up to date."""
    household.group_folded = fold(household.group)
    household.folded = " ".join(filter(None, map(fold, (household.head, household.address, household.group))))


def store(households: Iterable[Household]) -> None:
    """Write households that are held, in one statement."""
    Household.everything.bulk_create(
        list(households), update_conflicts=True, unique_fields=["key"], update_fields=_WRITTEN
    )
