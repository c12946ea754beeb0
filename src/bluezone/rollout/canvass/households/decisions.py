# SPDX-License-Identifier: Apache-2.0
"""What the ward says of a household: corrects a fact, chooses between two, takes a change over a gap."""

import datetime

from django.db import transaction

from bluezone.audit import hash_chain
from bluezone.refusal import Refused
from bluezone.rollout.canvass.households.facts import FIELDS, FIRST, new_key, next_clock
from bluezone.rollout.canvass.households.projection import merged_of, refresh, store
from bluezone.rollout.canvass.models import Change, Household
from bluezone.rollout.canvass.visits.entries import NotReadable, fact_text


class FactInvalid(Refused):
    """A fact is too long, no number, or none that a household has; nothing was stored."""

    code = "household_fact_invalid"


class NothingToDecide(Refused):
    """The dispute or the gap is over already, or the value is none of those that stand side by side."""

    code = "nothing_to_decide"


def correct(actor: str, household: Household, values: dict[str, str], now: datetime.datetime) -> list[str]:
    """Store facts that are other than shown, over everything said so far; the names of those changed.

    Raises FactInvalid.
    """
    wanted = {name: _text(name, value) for name, value in values.items()}
    with transaction.atomic():
        held = Household.objects.select_for_update().get(pk=household.pk)
        changed = {name: value for name, value in wanted.items() if value != shown_text(held, name)}
        if changed:
            say(actor, held, changed, now)
            hash_chain.record(actor, "household_changed", str(held.pk), fields=sorted(changed))
    return sorted(changed)


def choose(actor: str, household: Household, name: str, value: str, now: datetime.datetime) -> None:
    """End a dispute about a fact with one of its values. Raises NothingToDecide."""
    with transaction.atomic():
        held = Household.objects.select_for_update().get(pk=household.pk)
        merged = merged_of([held.pk]).get(held.pk, {}).get(name)
        if merged is None or not merged.is_disputed or value not in {rival.value for rival in merged.rivals}:
            raise NothingToDecide("these values do not stand side by side any more")
        say(actor, held, {name: value}, now)
        hash_chain.record(actor, "conflict_decided", str(held.pk), field=name)


def force(actor: str, change: Change, now: datetime.datetime) -> None:
    """Take a change although one that it rests on never came. Raises NothingToDecide."""
    with transaction.atomic():
        held = Household.objects.select_for_update().get(pk=change.household_id)
        merged = merged_of([held.pk])[held.pk][change.field]
        if str(change.entry) not in {missing.entry for missing in merged.missing}:
            raise NothingToDecide("nothing is missing before this change any more")
        Change.objects.filter(pk=change.pk).update(forced=True)
        change.forced = True
        refresh({held.pk: held}, [], [change])
        store([held])
        hash_chain.record(actor, "gap_forced", str(held.pk), field=change.field)


def shown_text(household: Household, name: str) -> str:
    """A fact as it is shown, as changes keep it."""
    value = getattr(household, name)
    return "" if value is None else str(value)


def say(actor: str, held: Household, values: dict[str, str], now: datetime.datetime) -> None:
    """Say facts over all that stand; what is still missing stays missing."""
    merged, entry = merged_of([held.pk]).get(held.pk, {}), new_key(now)
    made = []
    for name, value in values.items():
        bases = list(merged[name].standing) if name in merged and merged[name].standing else [FIRST]
        made.append(
            Change(entry=entry, household=held, field=name, value=value, clock=next_clock(now, bases), bases=bases,
                   by=actor, at=now)
        )  # fmt: skip
    Change.objects.bulk_create(made)
    refresh({held.pk: held}, [], made)
    store([held])


def _text(name: str, value: str) -> str:
    if name not in FIELDS:
        raise FactInvalid(f"a household has no fact {name[:20]!r}")
    if name != "smartphones":
        asked: object = value
    else:
        asked = int(value) if value.strip().isascii() and value.strip().isdigit() else (value.strip() or None)
    try:
        return fact_text(name, asked)
    except NotReadable:
        raise FactInvalid(f"{name} is too long or no number") from None
