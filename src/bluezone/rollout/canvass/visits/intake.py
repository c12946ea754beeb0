# SPDX-License-Identifier: Apache-2.0
"""Take in what a phone pushes: every entry is stored exactly once, or kept aside with a reason until the ward accepts
or dismisses it. None is dropped or counted twice.
"""

import datetime
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from bluezone.audit import hash_chain
from bluezone.devices.models import Device
from bluezone.devices.refusals import DeviceRefused
from bluezone.refusal import Refused
from bluezone.rollout.canvass import phone_doors as canvass_reach
from bluezone.rollout.canvass.households.facts import FIRST, Said, next_clock
from bluezone.rollout.canvass.households.projection import merged_of, refresh, store
from bluezone.rollout.canvass.models import Aside, AsideReason, Change, Entry, Household, Lease, PhoneRun, Visit
from bluezone.rollout.canvass.phone_doors import Reach, reach_of
from bluezone.rollout.canvass.visits.entries import FORM, NotReadable, ReadEntry, digest_of, key_of, number_of, read
from bluezone.rollout.drives.api import HelpRefused, open_help_request


def ticket_for(entry: ReadEntry, household: Household) -> str:
    """Open the request of a visit and return its ticket, "" where none is wanted; the same entry opens one only."""
    if entry.visit is None or entry.visit.help is None:
        return ""
    contact, note = entry.visit.help
    place = household.address or household.group
    asked = {"contact": contact, "place": place[:120], "note": note, "repeat_key": f"canvass {entry.key}"}
    try:
        return open_help_request("canvass", unit=household.unit.code, **asked)
    except HelpRefused as refused:
        if refused.code != "help_unit_unknown":
            raise
        # A ward that was merged since: the request is opened all the same, for the city's queue.
        return open_help_request("canvass", **asked)


MOST_ENTRIES = 200


class PushInvalid(DeviceRefused):
    """The call is none that a canvass phone makes; nothing of it was taken."""

    code = "canvass_push_invalid"


@dataclass(frozen=True)
class Push:
    """What a phone says of itself with its entries.

    run: 8 hex digits. last_number: the highest it has given out. waiting, photos: what it holds beyond this push.
    form: version of the app's forms.
    """

    run: str
    last_number: int
    waiting: int
    photos: int
    form: int
    entries: Sequence[Any]


@dataclass(frozen=True)
class Verdict:
    """What became of one entry: "stored", "known" (it was here already) or "aside" with the reason."""

    key: str
    state: str
    reason: str = ""


@dataclass
class _Work:
    """What one push adds, gathered so that it is written in a few statements."""

    entries: list[Entry] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    asides: list[Aside] = field(default_factory=list)
    made: list[ReadEntry] = field(default_factory=list)


def receive(device: Device, push: Push, now: datetime.datetime) -> tuple[PhoneRun, list[Verdict]]:
    """Store a push in one transaction and say what became of each entry. Raises PushInvalid."""
    if len(push.entries) > MOST_ENTRIES:
        raise PushInvalid(f"got {len(push.entries)} entries, expected at most {MOST_ENTRIES}")
    with transaction.atomic():
        run = _run(device, push, now)
        verdicts = _take(device, run, push.entries, now) if push.entries else []
    return run, verdicts


def _run(device: Device, push: Push, now: datetime.datetime) -> PhoneRun:
    """Note what the phone says of its backlog; the row is held, so that two pushes of one phone go one by one."""
    PhoneRun.objects.get_or_create(device=device, run=push.run, defaults={"synced_at": now})
    run = PhoneRun.objects.select_for_update().get(device=device, run=push.run)
    run.last_number = max(run.last_number, push.last_number)
    run.waiting, run.photos, run.form, run.synced_at = push.waiting, push.photos, push.form, now
    run.save()
    return run


def _take(device: Device, run: PhoneRun, said: Sequence[Any], now: datetime.datetime) -> list[Verdict]:
    told = [(entry, digest_of(entry)) for entry in said]
    keys = [key_of(entry, digest) for entry, digest in told]
    known = dict(Entry.objects.filter(key__in=keys).values_list("key", "digest"))
    aside = {(key, digest): reason for key, digest, reason in
             Aside.objects.filter(key__in=keys).values_list("key", "digest", "reason")}  # fmt: skip
    readable = [_read(entry, now) for entry, _digest in told]
    reach = reach_of(device, [entry for entry in readable if isinstance(entry, ReadEntry)])
    work, verdicts = _Work(), []
    for (entry, digest), key, understood in zip(told, keys, readable, strict=True):
        reason: str | None
        if key in known:
            if known[key] == digest:
                before = aside.get((key, digest), "")
                verdicts.append(Verdict(str(key), "aside" if before else "known", before))
                continue
            reason = AsideReason.OTHER_CONTENT
        else:
            known[key] = digest
            number = number_of(entry)
            work.entries.append(Entry(key=key, device=device, run=run.run, number=number, digest=digest,
                                      received_at=now))  # fmt: skip
            reason = _reason(understood, run, reach)
        if reason is None and isinstance(understood, ReadEntry):
            _add(work, understood, device, reach, now)
            verdicts.append(Verdict(str(key), "stored"))
            continue
        if (key, digest) not in aside:
            aside[key, digest] = str(reason)
            work.asides.append(kept_aside(entry, key, digest, device, str(reason), reach.unit_of(entry), now))
        verdicts.append(Verdict(str(key), "aside", str(reason)))
    _write(work, reach)
    return verdicts


def kept_aside(
    entry: Any, key: uuid.UUID, digest: str, device: Device, reason: str, unit_id: int | None, now: datetime.datetime
) -> Aside:
    """An entry as it came, with the reason why it is not stored; not saved yet."""
    body = json.dumps(entry)
    return Aside(key=key, digest=digest, device=device, unit_id=unit_id, reason=reason, body=body, received_at=now)


def _read(entry: Any, now: datetime.datetime) -> ReadEntry | AsideReason:
    try:
        return read(entry, now)
    except NotReadable as refused:
        return refused.reason


def _reason(understood: ReadEntry | AsideReason, run: PhoneRun, reach: Reach) -> str | None:
    """Why an entry goes aside, None where it is stored; a door found by the phone is entered on the way."""
    if run.lost_at is not None:
        return AsideReason.PHONE_LOST
    return understood if isinstance(understood, AsideReason) else reach.refusal(understood)


def _add(work: _Work, entry: ReadEntry, device: Device, reach: Reach, now: datetime.datetime) -> None:
    """Gather the rows of an entry that is within the phone's reach."""
    household, lease = reach.household(entry.door), reach.lease_of(entry)
    if entry.visit is not None:
        work.visits.append(visit_of(entry, household, now, device=device, lease=lease))
    for name, said in entry.changes.items():
        work.changes.append(
            Change(entry=entry.key, household=household, field=name, value=said.value, clock=said.clock,
                   bases=list(said.bases), device=device, at=entry.at)
        )  # fmt: skip


def visit_of(entry: ReadEntry, household: Household, now: datetime.datetime, **where: Any) -> Visit:
    """The row of an entry's visit, with the ticket where help is wanted; not saved yet."""
    told, lease = entry.visit, where.get("lease")
    assert told is not None
    ended = lease is not None and (lease.ended_at or lease.until) < entry.at
    return Visit(
        key=entry.key, household=household, door=entry.door, at=entry.at, received_at=now, outcome=told.outcome,
        skip_reason=told.skip_reason, phones=told.phones, seen=told.seen, told=told.told, helped=told.helped,
        leaflet_lot=told.lot, leaflets=told.leaflets, revisit=told.revisit, answer=told.answer,
        offered=list(told.offered), after_lease=ended,
        ticket=ticket_for(entry, household), **where,
    )  # fmt: skip


def _write(work: _Work, reach: Reach) -> None:
    canvass_reach.store_found_doors(reach)
    Entry.objects.bulk_create(work.entries)
    Aside.objects.bulk_create(work.asides)
    Visit.everything.bulk_create(work.visits)
    Change.objects.bulk_create(work.changes)
    touched = {visit.household.pk: visit.household for visit in work.visits}
    touched |= {change.household.pk: change.household for change in work.changes}
    if touched:
        refresh(touched, work.visits, work.changes)
        store(touched.values())


_NAMESPACE = uuid.UUID("4d1f5c0e-8a53-4a6e-9b1b-6e0a4f8f2c11")
# Longer than any lease: what lies further ahead is no wrong watch.
_AHEAD = datetime.timedelta(days=36_500)


class AsideNotTaken(Refused):
    """The entry cannot be stored even now: it cannot be read, or its household is not there; it stays aside."""

    code = "aside_not_taken"


def accept_aside(actor: str, aside: Aside, now: datetime.datetime) -> None:
    """Store what an entry says, at the time it came where its own lies in the future. Raises AsideNotTaken."""
    with transaction.atomic():
        if not Aside.objects.filter(pk=aside.pk, state=Aside.State.OPEN).update(
            state=Aside.State.TAKEN, decided_by=actor, decided_at=now
        ):
            raise AsideNotTaken("someone has already decided on this entry")
        entry = _understood(aside)
        household = _household_of_aside(entry, aside, now)
        lease = Lease.objects.filter(device=aside.device, doors__household=entry.door).order_by("-since").first()
        visits, changes = [], _changes_of_aside(entry, household, aside, now)
        if entry.visit is not None:
            visits = [visit_of(entry, household, now, device=aside.device, lease=lease)]
            Visit.everything.bulk_create(visits)
        Change.objects.bulk_create(changes)
        refresh({household.pk: household}, visits, changes)
        store([household])
        hash_chain.record(actor, "entry_decided", str(aside.key), taken=True, reason=aside.reason)


def dismiss_aside(actor: str, aside: Aside, now: datetime.datetime) -> None:
    """Say that nothing is to come of an entry; it stays readable until its time is over."""
    with transaction.atomic():
        if Aside.objects.filter(pk=aside.pk, state=Aside.State.OPEN).update(
            state=Aside.State.DISMISSED, decided_by=actor, decided_at=now
        ):
            hash_chain.record(actor, "entry_decided", str(aside.key), taken=False, reason=aside.reason)


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


def _household_of_aside(entry: ReadEntry, aside: Aside, now: datetime.datetime) -> Household:
    found = Household.objects.select_for_update(of=("self",)).select_related("unit").filter(pk=entry.door).first()
    while found is not None and found.merged_into_id is not None:
        found = Household.objects.select_for_update(of=("self",)).select_related("unit").get(pk=found.merged_into_id)
    if found is None and entry.made and aside.unit is not None:
        found = Household.objects.create(key=entry.door, unit=aside.unit, made_at=now, touched_at=now, folded="")
    if found is None or (aside.unit_id is not None and found.unit_id != aside.unit_id):
        raise AsideNotTaken("the household is not one of this ward, or was deleted after its time")
    return found


def _changes_of_aside(entry: ReadEntry, household: Household, aside: Aside, now: datetime.datetime) -> list[Change]:
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
