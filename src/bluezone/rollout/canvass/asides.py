# SPDX-License-Identifier: Apache-2.0
"""What the ward does with an entry that was kept aside: take it in after looking, or set it aside for good."""

import datetime
import json
import uuid
from typing import Any

from django.db import transaction

from bluezone.accounts import auditing
from bluezone.accounts.models import Act
from bluezone.refusal import Refused
from bluezone.rollout.canvass.clocks import FIRST, next_clock
from bluezone.rollout.canvass.entries import FORM, NotReadable, ReadEntry, read
from bluezone.rollout.canvass.merging import Said
from bluezone.rollout.canvass.models import Aside, AsideReason, Change, Household, Lease, Visit
from bluezone.rollout.canvass.receiving import visit_of
from bluezone.rollout.canvass.refreshing import merged_of, refresh, store

_NAMESPACE = uuid.UUID("4d1f5c0e-8a53-4a6e-9b1b-6e0a4f8f2c11")
# Longer than any lease: what lies further ahead is no wrong watch.
_AHEAD = datetime.timedelta(days=36_500)


class AsideNotTaken(Refused):
    """The entry cannot be stored even now: it cannot be read, or its household is not there; it stays aside."""

    code = "aside_not_taken"


def take_in(actor: str, aside: Aside, now: datetime.datetime) -> None:
    """Store what an entry says, at the time it came where its own lies in the future. Raises AsideNotTaken."""
    with transaction.atomic():
        if not Aside.objects.filter(pk=aside.pk, state=Aside.State.OPEN).update(
            state=Aside.State.TAKEN, decided_by=actor, decided_at=now
        ):
            raise AsideNotTaken("somebody has decided on this entry already")
        entry = _understood(aside)
        household = _household(entry, aside, now)
        lease = Lease.objects.filter(device=aside.device, doors__household=entry.door).order_by("-since").first()
        visits, changes = [], _changes(entry, household, aside, now)
        if entry.visit is not None:
            visits = [visit_of(entry, household, now, device=aside.device, lease=lease)]
            Visit.everything.bulk_create(visits)
        Change.objects.bulk_create(changes)
        refresh({household.pk: household}, visits, changes)
        store([household])
        auditing.record(actor, Act.ENTRY_DECIDED, str(aside.key), taken=True, reason=aside.reason)


def dismiss(actor: str, aside: Aside, now: datetime.datetime) -> None:
    """Say that nothing is to come of an entry; it stays readable until its time is over."""
    with transaction.atomic():
        if Aside.objects.filter(pk=aside.pk, state=Aside.State.OPEN).update(
            state=Aside.State.DISMISSED, decided_by=actor, decided_at=now
        ):
            auditing.record(actor, Act.ENTRY_DECIDED, str(aside.key), taken=False, reason=aside.reason)


def _understood(aside: Aside) -> ReadEntry:
    body: Any = json.loads(aside.body)
    if isinstance(body, dict):
        # Of another form of the app: what can be read as this one is.
        body = {**body, "form": FORM, "id": body.get("id", str(aside.key))}
    try:
        entry = read(body, aside.received_at + _AHEAD)
    except (NotReadable, OverflowError):
        raise AsideNotTaken("the entry cannot be read as a visit or as facts of a household") from None
    values = {**vars(entry), "at": min(entry.at, aside.received_at)}
    if aside.reason == AsideReason.OTHER_CONTENT:
        # Its id is another visit's; it gets one of its own, the same each time.
        values["key"] = uuid.uuid5(_NAMESPACE, aside.digest)
    return ReadEntry(**values)


def _household(entry: ReadEntry, aside: Aside, now: datetime.datetime) -> Household:
    found = Household.objects.select_for_update(of=("self",)).select_related("unit").filter(pk=entry.door).first()
    while found is not None and found.merged_into_id is not None:
        found = Household.objects.select_for_update(of=("self",)).select_related("unit").get(pk=found.merged_into_id)
    if found is None and entry.made and aside.unit is not None:
        found = Household.objects.create(key=entry.door, unit=aside.unit, made_at=now, touched_at=now, folded="")
    if found is None or (aside.unit_id is not None and found.unit_id != aside.unit_id):
        raise AsideNotTaken("the household is not one of this ward, or was deleted after its time")
    return found


def _changes(entry: ReadEntry, household: Household, aside: Aside, now: datetime.datetime) -> list[Change]:
    """Changes as they were said; a clock ahead of ours is put back to now, over what stands."""
    merged = merged_of([household.pk]).get(household.pk, {})
    made = []
    for name, said in entry.changes.items():
        ahead = aside.reason == AsideReason.IN_FUTURE
        bases = list(merged[name].standing) if ahead and name in merged else [FIRST] if ahead else list(said.bases)
        told = Said(next_clock(now, bases) if ahead else said.clock, said.entry, said.value, tuple(bases))
        made.append(
            Change(entry=entry.key, household=household, field=name, value=told.value, clock=told.clock, bases=bases,
                   device=aside.device, at=entry.at)
        )  # fmt: skip
    return made
