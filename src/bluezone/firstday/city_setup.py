# SPDX-License-Identifier: Apache-2.0
"""Set up a province, a commune, a ward or a special zone in one act: its units of today with those that went into them,
its usual offices, and the words by which letters address them.
"""

import dataclasses
import functools
import json
import re
from collections.abc import Collection, Iterable
from importlib import resources
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError, RestrictedError
from django.db.models.functions import Length

from bluezone.audit import hash_chain
from bluezone.directory.kinds import AgencyKind, Purpose, UnitKind
from bluezone.directory.models import AdminUnit, Agency, RecipientGroup
from bluezone.directory.records.entries import AgencyEntry, Directory, GroupEntry, UnitEntry, Validity
from bluezone.directory.records.store import begin_change, rewrite
from bluezone.firstday.city_pack import LEVELS, REFORM, CityPack, FormerPlace, Place, city_pack
from bluezone.refusal import Refused
from bluezone.vietnamese.spelling import fold


@dataclasses.dataclass(frozen=True)
class Office:
    """An agency that a place usually has. key: unique in the place. sure: named by law for every place of the level."""

    place: Place
    key: str
    name: str
    short: str
    kind: AgencyKind
    sure: bool

    @property
    def agency_key(self) -> str:
        """Under which the directory keeps it, so that setting up again makes no second one."""
        return f"{self.place.code}-{self.key}"


# No province and no commune has these codes. Everything of the demo city carries them.
DEMO_PROVINCE = Place("99", "tỉnh Mẫu")
DEMO_PLACE = Place("99999", "phường Mẫu", DEMO_PROVINCE)
DEMO_KEYS = f"{DEMO_PLACE.code}-"


class DemoCityInUse(Refused):
    """Something that somebody made, such as an account, belongs to an agency of the demo city; nothing was removed."""

    code = "demo_city_in_use"


@dataclasses.dataclass(frozen=True)
class Made:
    """What a set-up added to the directory. issuer: the place's People's Committee."""

    units: int
    agencies: int
    issuer: Agency


def offices_of(place: Place) -> list[Office]:
    """The usual offices of a place, its People's Committee first; of a province without those of its communes."""
    rows = _templates()["province" if place.kind is UnitKind.PROVINCE else "commune"]
    return [_office(place, row) for row in rows if place.level in row.get("only", [place.level])]


def offices_below(province: Place, pack: CityPack) -> list[Office]:
    """The People's Committee and the health station of every commune of a province."""
    keys = _templates()["below_a_province"]
    found = [office for place in pack.within(province) for office in offices_of(place) if office.key in keys]
    return [dataclasses.replace(office, short=f"{office.short.split(' ')[0]} {office.place.name}") if
            office.kind is AgencyKind.COMMITTEE else dataclasses.replace(office, short=office.name)
            for office in found]  # fmt: skip


@functools.cache
def _templates() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((resources.files("bluezone.firstday") / "offices.json").read_text("utf-8"))
    return found


def _office(place: Place, row: dict[str, Any]) -> Office:
    of_a_city = place.level == "thành phố"
    words = {
        "place": place.name,
        "level": place.level,
        "bare": place.bare,
        "committee": "Thành ủy" if of_a_city else "Tỉnh ủy",
        "youth": "Thành đoàn" if of_a_city else "Tỉnh đoàn",
    }
    name, short = row["name"].format(**words), row["short"].format(**words)
    return Office(place, row["key"], name, short, AgencyKind(row["kind"]), bool(row.get("sure")))


def set_up(actor: str, place: Place, chosen: Collection[Office]) -> Made:
    """Enter a place of today with its province, what went into it, the chosen offices and two recipient groups.

    chosen: of `offices_of` and `offices_below`, the place's People's Committee among them. What is there stays.
    Raises a DirectoryRefused or ImportUnderWay; nothing is stored then.
    """
    pack = city_pack()
    made = (0, 0)

    def change(directory: Directory) -> Directory:
        nonlocal made
        planned = _planned(directory, pack, place, chosen)
        made = (len(planned.units) - len(directory.units), len(planned.agencies) - len(directory.agencies))
        return planned

    def finish(_units: set[str], _agencies: set[str]) -> Agency:
        hash_chain.record(actor, "city_set_up", place.code, units=made[0], agencies=made[1])
        return Agency.objects.get(key=f"{place.code}-ubnd")

    issuer = rewrite(change, finish)
    return Made(*made, issuer)


def is_demo_city_there() -> bool:
    """Whether the demo city is entered."""
    return Agency.objects.filter(key__startswith=DEMO_KEYS).exists()


def remove_demo_city(actor: str) -> int:
    """Delete the units, agencies and groups of the demo city; how many rows went.

    Raises DemoCityInUse, ImportUnderWay.
    """
    agencies = Agency.objects.filter(key__startswith=DEMO_KEYS)
    units = AdminUnit.objects.filter(code__in=[DEMO_PLACE.code, DEMO_PROVINCE.code])
    try:
        with transaction.atomic():
            begin_change()
            count: int = RecipientGroup.objects.filter(key__startswith=DEMO_KEYS).delete()[0]
            # Whatever answers to another agency, or lies in another unit, goes before that.
            for row in [*agencies.order_by(Length("path").desc()), *units.order_by(Length("code").desc())]:
                count += row.delete()[0]
            hash_chain.record(actor, "demo_city_removed", DEMO_PLACE.code, rows=count)
    except (ProtectedError, RestrictedError) as refused:
        held = [*getattr(refused, "protected_objects", ()), *getattr(refused, "restricted_objects", ())]
        named = sorted({str(one._meta.verbose_name) for one in held})
        raise DemoCityInUse(f"used by: {', '.join(named)}") from None
    return count


def _planned(directory: Directory, pack: CityPack, place: Place, chosen: Collection[Office]) -> Directory:
    units = dict(directory.units)
    province = place.province or place
    keys = {province.code: _entered(units, province, None)}
    for one in pack.within(province) if place == province else [place]:
        keys[one.code] = _entered(units, one, keys[province.code])
    _enter_former(units, pack, keys)
    agencies = dict(directory.agencies)
    for office in chosen:
        if office.agency_key not in agencies:
            agencies[office.agency_key] = AgencyEntry(
                key=office.agency_key, name=office.name, kind=office.kind, unit=keys[office.place.code],
                short_name=office.short, validity=Validity(REFORM, None), confirmed=office.sure,
            )  # fmt: skip
    return Directory(units, agencies, _grouped(dict(directory.groups), place, chosen))


def _entered(units: dict[str, UnitEntry], place: Place, parent: str | None) -> str:
    """The key of a place of today, which is entered where it is not there under its code or its name."""
    for unit in units.values():
        if unit.validity.holds(REFORM) and unit.kind is place.kind and unit.parent == parent:
            if unit.code == place.code:
                return unit.key
            if unit.code is None and fold(unit.name) == fold(place.name):
                known = tuple(name for name in unit.unconfirmed if name != "code")
                units[unit.key] = dataclasses.replace(unit, code=place.code, unconfirmed=known)
                return unit.key
    key = _free_key(units, f"{place.name} {place.code} {REFORM.year}")
    units[key] = UnitEntry(key, place.name, place.kind, place.code, parent, Validity(REFORM, None))
    return key


def _enter_former(units: dict[str, UnitEntry], pack: CityPack, keys: dict[str, str]) -> None:
    """The communes that went into those of today, under their districts and provinces, all ended with the reform."""
    for former in pack.former:
        heirs = tuple(keys[code] for code in former.heirs if code in keys)
        if heirs:
            _enter_one(units, pack, keys, former, heirs)


def _enter_one(
    units: dict[str, UnitEntry], pack: CityPack, keys: dict[str, str], former: FormerPlace, heirs: tuple[str, ...]
) -> None:
    heir = keys.get(pack.heirs[former.province[0]])
    province = _ended(units, former.province, UnitKind.PROVINCE, None, (heir,) if heir else ())
    district = _ended(units, former.district, UnitKind.DISTRICT, province, ())
    kind = LEVELS[next(level for level in LEVELS if former.name.startswith(f"{level} "))]
    _ended(units, (former.code, former.name), kind, district, heirs)


def _ended(
    units: dict[str, UnitEntry], named: tuple[str, str], kind: UnitKind, parent: str | None, heirs: Iterable[str]
) -> str:
    """The key of a unit of the eve of the reform, entered where it is not there; its successors are those of both."""
    code, name = named
    found = next((unit for unit in units.values() if unit.code == code and unit.validity.end == REFORM), None)
    if found is None:
        start = units[parent].validity.start if parent else None
        key = _free_key(units, f"{name} {code}")
        found = UnitEntry(key, name, kind, code, parent, Validity(start, REFORM))
    units[found.key] = dataclasses.replace(found, successors=tuple(dict.fromkeys([*found.successors, *heirs])))
    return found.key


def _grouped(groups: dict[str, GroupEntry], place: Place, chosen: Collection[Office]) -> dict[str, GroupEntry]:
    """The groups with the chosen offices in them: a group of that name that is there, or a new one."""
    own = [office for office in chosen if office.place == place and office.kind is not AgencyKind.COMMITTEE]
    below = [office for office in chosen if office.place != place and office.kind is AgencyKind.COMMITTEE]
    everybody = (
        f"Các sở, ban, ngành, đoàn thể {place.level}"
        if place.kind is UnitKind.PROVINCE
        else f"Các phòng, ban, đơn vị, ngành, đoàn thể {place.level}"
    )
    levels = ", ".join(level for level in ("xã", "phường", "đặc khu") if any(o.place.level == level for o in below))
    for key, name, members in (("cac-co-quan", everybody, own), ("ubnd-ben-duoi", f"UBND các {levels}", below)):
        if members:
            there = next((group for group in groups.values() if fold(group.name) == fold(name)), None)
            group = there or GroupEntry(f"{place.code}-{key}", name, (), Purpose.ACTION)
            keys = [*group.members, *(office.agency_key for office in members)]
            groups[group.key] = dataclasses.replace(group, members=tuple(dict.fromkeys(keys)))
    return groups


def _free_key(units: dict[str, UnitEntry], words: str) -> str:
    base = key = re.sub(r"[^a-z0-9]+", "-", fold(words))[-58:].strip("-")
    number = 1
    while key in units:
        number += 1
        key = f"{base}-{number}"
    return key
