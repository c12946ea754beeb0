# SPDX-License-Identifier: Apache-2.0
"""What the ward says of a household: corrections, a value chosen, and doors that may be one, joined or kept apart."""

import datetime
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations

from django.db import transaction

from bluezone.audit import hash_chain
from bluezone.directory.models import AdminUnit
from bluezone.refusal import Refused
from bluezone.rollout.canvass.households.facts import FIELDS, FIRST, new_key, next_clock
from bluezone.rollout.canvass.households.projection import apply_visit, merged_of, refresh, store
from bluezone.rollout.canvass.models import Change, DuplicatePair, Household, LeaseDoor, TurfDoor, Visit
from bluezone.rollout.canvass.visits.entries import NotReadable, fact_text
from bluezone.vietnamese.spelling import fold


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


THRESHOLD = 82
# A door with its folded name and address.
_Read = tuple[Household, str, str]
_WORDS = re.compile(r"\b(to dan pho|to|thon|khu pho|khu|ban|tieu khu|so nha|so|nha|duong|ngo|ong|ba)\b")
_ROWS_A_STATEMENT = 500
# Pairs of very different length are not near.
_MOST_DIFFERENCE = 6
# A list without groups would be compared door by door with every other; in a large one, doors must share a word first.
_LARGE_GROUP = 500


def propose(unit: AdminUnit, now: datetime.datetime) -> int:
    """Note the pairs of a ward that nobody has decided on; how many are new. Safe to repeat."""
    groups: defaultdict[str, list[Household]] = defaultdict(list)
    for household in Household.objects.filter(unit=unit, merged_into=None):
        groups[plain(household.group_folded)].append(household)
    known = set(DuplicatePair.objects.filter(first__unit=unit).values_list("first_id", "second_id"))
    found = []
    for doors in groups.values():
        for one, other, score in near(doors):
            first, second = sorted((one, other), key=lambda door: door.pk)
            if (first.pk, second.pk) not in known:
                found.append(DuplicatePair(first=first, second=second, score=score, made_at=now))
    DuplicatePair.everything.bulk_create(found, batch_size=_ROWS_A_STATEMENT, ignore_conflicts=True)
    return len(found)


def near(doors: list[Household]) -> Iterator[tuple[Household, Household, int]]:
    """Pairs that score THRESHOLD or more."""
    read = [(door, plain(fold(door.head)), plain(fold(door.address))) for door in doors]
    seen = set()
    for block in _blocks(read):
        for (one, head, address), (other, other_head, other_address) in combinations(block, 2):
            score = likeness(head, address, other_head, other_address)
            if score >= THRESHOLD and (one.pk, other.pk) not in seen:
                seen.add((one.pk, other.pk))
                yield one, other, score


def _blocks(read: list[_Read]) -> list[list[_Read]]:
    """What is compared with each other: all, or in a large group those with one given name or one house number."""
    if len(read) <= _LARGE_GROUP:
        return [read]
    blocks: defaultdict[str, list[_Read]] = defaultdict(list)
    for one in read:
        _door, head, address = one
        for key in {f"name {head.rsplit(' ', 1)[-1]}", f"house {_numbers(address)}"}:
            blocks[key].append(one)
    return list(blocks.values())


def likeness(head: str, address: str, other_head: str, other_address: str) -> int:
    """How likely two doors of one group are one, 0..100, from folded names and addresses; "" is not known."""
    heads = _alike(head, other_head) if head and other_head else None
    addresses = _alike(address, other_address) if address and other_address else None
    if addresses is not None and _numbers(address) != _numbers(other_address):
        # House 12 is not house 13, however alike they are written.
        addresses *= 0.3
    if heads is None and addresses is None:
        return 0
    if heads is None:
        return round(90 * (addresses or 0))
    if addresses is None:
        return round(95 * heads)
    return round(100 * (0.65 * heads + 0.35 * addresses))


def plain(folded: str) -> str:
    """A folded text without the words that everybody writes or leaves out as they like."""
    return " ".join(re.findall(r"[a-z0-9]+", _WORDS.sub(" ", folded)))


def distance(one: str, other: str, most: int) -> int:
    """Levenshtein distance, or most + 1 where it is larger."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    row = list(range(len(other) + 1))
    for place, sign in enumerate(one, 1):
        before, row[0] = row[0], place
        for column, other_sign in enumerate(other, 1):
            before, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, before + (sign != other_sign))
        if min(row) > most:
            return most + 1
    return row[-1]


def _alike(one: str, other: str) -> float:
    if one == other:
        return 1.0
    length = max(len(one), len(other))
    most = min(_MOST_DIFFERENCE, length // 2)
    found = distance(one, other, most)
    return 0.0 if found > most else 1 - found / length


def _numbers(text: str) -> list[str]:
    return re.findall(r"\d+", text)


class PairDecided(Refused):
    """Somebody has decided on the two doors already, or one of them is part of another by now."""

    code = "pair_decided"


def join(actor: str, pair: DuplicatePair, keep_first: bool, now: datetime.datetime) -> Household:
    """Merge the two doors of a pair; the one that stays takes what it does not know from the other.

    What the other was called stays readable at the household that it became. Raises PairDecided.
    """
    with transaction.atomic():
        doors = {
            door.pk: door
            for door in Household.objects.select_for_update()
            .filter(pk__in=[pair.first_id, pair.second_id])
            .order_by("pk")
        }
        if len(doors) != 2 or any(door.merged_into_id for door in doors.values()):
            raise PairDecided("one of the doors is part of another by now")
        _decide(actor, pair, DuplicatePair.State.MERGED, now)
        keys = (pair.first_id, pair.second_id) if keep_first else (pair.second_id, pair.first_id)
        stays, goes = doors[keys[0]], doors[keys[1]]
        _move(stays, goes)
        blank = {name: shown_text(goes, name) for name in FIELDS if not shown_text(stays, name)}
        blank = {name: value for name, value in blank.items() if value}
        if blank:
            say(actor, stays, blank, now)
        for visit in Visit.objects.filter(household=stays):
            apply_visit(stays, visit)
        stays.touched_at = max(stays.touched_at, goes.touched_at)
        store([stays])
        hash_chain.record(actor, "households_merged", str(stays.pk), other=str(goes.pk))
    return stays


def apart(actor: str, pair: DuplicatePair, now: datetime.datetime) -> None:
    """Say that the two are two; they are not proposed again. Raises PairDecided."""
    with transaction.atomic():
        _decide(actor, pair, DuplicatePair.State.APART, now)
        hash_chain.record(actor, "households_merged", str(pair.first_id), apart=str(pair.second_id))


def _decide(actor: str, pair: DuplicatePair, state: str, now: datetime.datetime) -> None:
    changed = DuplicatePair.objects.filter(pk=pair.pk, state=DuplicatePair.State.OPEN).update(
        state=state, decided_by=actor, decided_at=now
    )
    if not changed:
        raise PairDecided("somebody has decided on these two already")


def _move(stays: Household, goes: Household) -> None:
    """Visits, places on lists and open leases go to the door that stays; what is said under the old key goes there."""
    Household.objects.filter(pk=goes.pk).update(merged_into=stays, is_disputed=False, is_incomplete=False)
    Household.objects.filter(merged_into=goes).update(merged_into=stays)
    Visit.objects.filter(household=goes).update(household=stays)
    mine = TurfDoor.objects.filter(household=stays).values("turf")
    TurfDoor.objects.filter(household=goes).exclude(turf__in=mine).update(household=stays)
    TurfDoor.objects.filter(household=goes).delete()
    # The phone may still hold visits under the old key: its place on the lease stays, closed, and the door that stays
    # takes the open one where it is on no other list.
    for place in LeaseDoor.objects.filter(household=goes, is_open=True):
        LeaseDoor.objects.filter(pk=place.pk).update(is_open=False)
        if not LeaseDoor.objects.filter(household=stays, is_open=True).exists():
            LeaseDoor.objects.create(lease=place.lease, household=stays)
