# SPDX-License-Identifier: Apache-2.0
"""What the ward says of a household: corrections, a value chosen, and doors that may be one, joined or kept apart."""

import datetime
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from django.db import transaction
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

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


def say(actor: str, held: Household, values: Mapping[str, str], now: datetime.datetime) -> None:
    """Say facts over all that stand; what is still missing stays missing."""
    say_all(actor, [(held, values)], now)


def say_all(actor: str, said: Sequence[tuple[Household, Mapping[str, str]]], now: datetime.datetime) -> None:
    """Say facts of several households that are held, each once, in four statements."""
    households = {held.pk: held for held, _values in said}
    merged, made = merged_of(households.keys()), []
    for held, values in said:
        entry, fields = new_key(now), merged.get(held.pk, {})
        for name, value in values.items():
            bases = list(fields[name].standing) if name in fields and fields[name].standing else [FIRST]
            made.append(
                Change(entry=entry, household=held, field=name, value=value, clock=next_clock(now, bases), bases=bases,
                       by=actor, at=now)
            )  # fmt: skip
    Change.objects.bulk_create(made)
    refresh(households, [], made)
    store(households.values())


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
_Scores = npt.NDArray[np.float64]
_WORDS = re.compile(r"\b(to dan pho|to|thon|khu pho|khu|ban|tieu khu|so nha|so|nha|duong|ngo|ong|ba)\b")
# So few that whoever else writes never waits long.
_PAIRS_A_TRANSACTION = 200
# Pairs of very different length are not near.
_MOST_DIFFERENCE = 6
# A list without groups would be compared door by door with every other; in a large one, doors must share a word first.
_LARGE_GROUP = 500
# Doors that are compared with all others at a time: a few megabytes in a ward of 20,000.
_ROWS_AT_ONCE = 64


def propose(unit: AdminUnit, now: datetime.datetime) -> int:
    """Note the pairs of a ward that nobody has decided on; how many are new. Safe to repeat.

    Looks without a transaction and stores some at a time, so call it outside of one.
    """
    groups: defaultdict[str, list[Household]] = defaultdict(list)
    doors_of_ward = Household.objects.filter(unit=unit, merged_into=None)
    for household in doors_of_ward.only("group_folded", "head", "address"):
        groups[plain(household.group_folded)].append(household)
    known = set(DuplicatePair.objects.filter(first__unit=unit).values_list("first_id", "second_id"))
    found = []
    for doors in groups.values():
        for one, other, score in near(doors):
            first, second = sorted((one, other), key=lambda door: door.pk)
            if (first.pk, second.pk) not in known:
                found.append(DuplicatePair(first=first, second=second, score=score, made_at=now))
    for start in range(0, len(found), _PAIRS_A_TRANSACTION):
        _note(found[start : start + _PAIRS_A_TRANSACTION])
    return len(found)


def _note(pairs: list[DuplicatePair]) -> None:
    with transaction.atomic():
        # A door may have gone since it was read.
        there = set(
            Household.everything.filter(pk__in={key for pair in pairs for key in (pair.first_id, pair.second_id)})
            .select_for_update()
            .values_list("pk", flat=True)
        )
        held = [pair for pair in pairs if {pair.first_id, pair.second_id} <= there]
        DuplicatePair.everything.bulk_create(held, ignore_conflicts=True)


def near(doors: list[Household]) -> Iterator[tuple[Household, Household, int]]:
    """Pairs that score THRESHOLD or more."""
    read = [(door, plain(fold(door.head)), plain(fold(door.address))) for door in doors]
    seen = set()
    for block in _blocks(read):
        for first, second, score in _near_in(block):
            one, other = block[first][0], block[second][0]
            if (one.pk, other.pk) not in seen:
                seen.add((one.pk, other.pk))
                yield one, other, score


def _near_in(block: list[_Read]) -> Iterator[tuple[int, int, int]]:
    """Places in a block, the smaller first, of pairs that score THRESHOLD or more, with their score."""
    heads, addresses = [head for _door, head, _address in block], [address for _door, _head, address in block]
    for start in range(0, len(block), _ROWS_AT_ONCE):
        here = slice(start, start + _ROWS_AT_ONCE)
        scores = likeness(heads[here], addresses[here], heads[start:], addresses[start:])
        # Each pair once: what stands before a door in the block was compared with it already.
        for row, column in np.argwhere(np.triu(scores >= THRESHOLD, 1)):
            yield start + int(row), start + int(column), int(scores[row, column])


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


def likeness(
    heads: Sequence[str], addresses: Sequence[str], other_heads: Sequence[str], other_addresses: Sequence[str]
) -> _Scores:
    """How likely each door is one with each of the others, all of one group.

    Takes folded names and addresses, "" where not known. Returns whole numbers 0..100, shape (doors, others).
    """
    by_head, by_address = _alike(heads, other_heads), _alike(addresses, other_addresses)
    same = np.equal.outer(
        [str(_numbers(text)) for text in addresses], [str(_numbers(text)) for text in other_addresses]
    )
    # House 12 is not house 13, however alike they are written.
    by_address = np.where(same, by_address, by_address * 0.3)
    has_head, has_address = _both_known(heads, other_heads), _both_known(addresses, other_addresses)
    scores = np.select(
        [has_head & has_address, has_head, has_address],
        [100 * (0.65 * by_head + 0.35 * by_address), 95 * by_head, 90 * by_address],
        0.0,
    )
    return np.rint(scores)


def plain(folded: str) -> str:
    """A folded text without the words that everybody writes or leaves out as they like."""
    return " ".join(re.findall(r"[a-z0-9]+", _WORDS.sub(" ", folded)))


def _alike(ones: Sequence[str], others: Sequence[str]) -> _Scores:
    """1 for the same text, less with each sign that differs, 0 where many do; shape (ones, others)."""
    longer = np.maximum.outer([len(text) for text in ones], [len(text) for text in others])
    most = np.minimum(_MOST_DIFFERENCE, longer // 2)
    found = cdist(ones, others, scorer=Levenshtein.distance, score_cutoff=_MOST_DIFFERENCE, dtype=np.int32)
    return np.where(found > most, 0.0, 1 - found / np.maximum(longer, 1))


def _both_known(ones: Sequence[str], others: Sequence[str]) -> npt.NDArray[np.bool_]:
    return np.logical_and.outer([bool(text) for text in ones], [bool(text) for text in others])


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
        if not stays.position:
            stays.latitude, stays.longitude = goes.latitude, goes.longitude
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
        raise PairDecided("someone has already decided on these two")


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
