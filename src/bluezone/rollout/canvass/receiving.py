# SPDX-License-Identifier: Apache-2.0
"""Take what a phone pushes: every entry is stored once or kept aside with a reason; none is dropped or doubled.

Safe to repeat and to reorder: an entry is known by its id and the hash of its content, facts are merged from the set
of all changes, and a door's last visit is the newest by its own time. A constant number of queries for a push.
Source: specs/rollout.md A3, "idempotent push keyed by event id with content hash".
"""

import datetime
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from bluezone.devices.models import Device
from bluezone.devices.refusing import DeviceRefused
from bluezone.rollout.canvass import stubs
from bluezone.rollout.canvass.entries import NotReadable, ReadEntry, digest_of, key_of, number_of, read
from bluezone.rollout.canvass.helpwanted import ticket_for
from bluezone.rollout.canvass.models import Aside, AsideReason, Change, Entry, Household, PhoneRun, Visit
from bluezone.rollout.canvass.reach import Reach, reach_of
from bluezone.rollout.canvass.refreshing import refresh, store

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
        leaflet_lot=told.lot, leaflets=told.leaflets, revisit=told.revisit, after_lease=ended,
        ticket=ticket_for(entry, household), **where,
    )  # fmt: skip


def _write(work: _Work, reach: Reach) -> None:
    stubs.write(reach)
    Entry.objects.bulk_create(work.entries)
    Aside.objects.bulk_create(work.asides)
    Visit.everything.bulk_create(work.visits)
    Change.objects.bulk_create(work.changes)
    touched = {visit.household.pk: visit.household for visit in work.visits}
    touched |= {change.household.pk: change.household for change in work.changes}
    if touched:
        refresh(touched, work.visits, work.changes)
        store(touched.values())
