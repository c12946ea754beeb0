# SPDX-License-Identifier: Apache-2.0
"""Set up a province, a commune, a ward or a special zone in one act: its units with their predecessors, its usual
offices, and the recipient groups by which letters address them.
"""

import dataclasses
import functools
import json
import re
from collections.abc import Collection, Iterable, Iterator
from importlib import resources
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError, RestrictedError
from django.db.models.functions import Length

from bluezone.audit import hash_chain
from bluezone.directory.kinds import AgencyKind, Purpose, UnitKind
from bluezone.directory.models import AdminUnit, Agency, RecipientGroup
from bluezone.directory.records.entries import AgencyEntry, Directory, GroupEntry, UnitEntry, Validity
from bluezone.directory.records.store import begin_change, rewrite_directory
from bluezone.firstday.city_pack import LEVELS, REFORM, CityPack, FormerPlace, Place, city_pack
from bluezone.refusal import Refused
from bluezone.vietnamese.spelling import fold

# No real province and no commune has these codes. Everything in the demo city has them.
DEMO_PROVINCE = Place("99", "tỉnh Mẫu")
DEMO_PLACE = Place("99999", "phường Mẫu", DEMO_PROVINCE)
DEMO_KEYS = f"{DEMO_PLACE.code}-"


@dataclasses.dataclass(frozen=True)
class Office:
    """An agency that a place usually has. key: unique in the place. sure: by law every place of the level has it."""

    place: Place
    key: str
    name: str
    short: str
    kind: AgencyKind
    sure: bool

    @property
    def agency_key(self) -> str:
        """Its key in the directory, so that setting up again makes no second one."""
        return f"{self.place.code}-{self.key}"


class DemoCityInUse(Refused):
    """Something that a person made, such as an account, belongs to the demo city; nothing was removed."""

    code = "demo_city_in_use"


@dataclasses.dataclass(frozen=True)
class SetUpResult:
    """How much a set-up added to the directory. issuer: the place's People's Committee."""

    units: int
    agencies: int
    issuer: Agency


def usual_offices(place: Place) -> list[Office]:
    """The usual offices of a place, its People's Committee first; for a province without those of its communes."""
    rows = _templates()["province" if place.kind is UnitKind.PROVINCE else "commune"]
    return [_office(place, row) for row in rows if place.level in row.get("only", [place.level])]


def commune_offices(province: Place, pack: CityPack) -> list[Office]:
    """The People's Committee and the health station of every commune of a province."""
    return list(_offices_below(province, pack))


def _offices_below(province: Place, pack: CityPack) -> Iterator[Office]:
    keys = _templates()["below_a_province"]
    for place in pack.communes_of(province):
        for office in usual_offices(place):
            if office.key in keys:
                yield dataclasses.replace(office, short=_short_name_below(office))


def _short_name_below(office: Office) -> str:
    """A short name that is unique in the province."""
    if office.kind is AgencyKind.COMMITTEE:
        return f"{office.short.split(' ')[0]} {office.place.name}"
    return office.name


@functools.cache
def _templates() -> dict[str, Any]:
    templates: dict[str, Any] = json.loads((resources.files("bluezone.firstday") / "offices.json").read_text("utf-8"))
    return templates


def _office(place: Place, row: dict[str, Any]) -> Office:
    is_city = place.level == "thành phố"
    words = {
        "place": place.name,
        "level": place.level,
        "bare": place.bare,
        "committee": "Thành ủy" if is_city else "Tỉnh ủy",
        "youth": "Thành đoàn" if is_city else "Tỉnh đoàn",
    }
    name = row["name"].format(**words)
    short = row["short"].format(**words)
    return Office(place, row["key"], name, short, AgencyKind(row["kind"]), bool(row.get("sure")))


def set_up(actor: str, place: Place, chosen: Collection[Office]) -> SetUpResult:
    """Enter a place with its province, its predecessors, the chosen offices and two recipient groups.

    chosen: of `usual_offices` and `commune_offices`, including the place's People's Committee. Existing entries stay.
    Raises a DirectoryRefused or ImportUnderWay; nothing is stored then.
    """
    pack = city_pack()
    units = 0
    agencies = 0

    def change(directory: Directory) -> Directory:
        nonlocal units, agencies
        planned = _plan(directory, pack, place, chosen)
        units = len(planned.units) - len(directory.units)
        agencies = len(planned.agencies) - len(directory.agencies)
        return planned

    def finish(_units: set[str], _agencies: set[str]) -> Agency:
        hash_chain.record(actor, "city_set_up", place.code, units=units, agencies=agencies)
        return Agency.objects.get(key=f"{place.code}-ubnd")

    issuer = rewrite_directory(change, finish)
    return SetUpResult(units, agencies, issuer)


def is_demo_city_there() -> bool:
    """Whether the directory has the demo city."""
    return Agency.objects.filter(key__startswith=DEMO_KEYS).exists()


def remove_demo_city(actor: str) -> int:
    """Delete the units, agencies and groups of the demo city; returns how many rows.

    Raises DemoCityInUse, ImportUnderWay.
    """
    agencies = Agency.objects.filter(key__startswith=DEMO_KEYS)
    units = AdminUnit.objects.filter(code__in=[DEMO_PLACE.code, DEMO_PROVINCE.code])
    try:
        with transaction.atomic():
            begin_change()
            count: int = RecipientGroup.objects.filter(key__startswith=DEMO_KEYS).delete()[0]
            # Agencies before those they answer to, and units before those that contain them.
            for row in [*agencies.order_by(Length("path").desc()), *units.order_by(Length("code").desc())]:
                count += row.delete()[0]
            hash_chain.record(actor, "demo_city_removed", DEMO_PLACE.code, rows=count)
    except (ProtectedError, RestrictedError) as refused:
        blocking = [*getattr(refused, "protected_objects", ()), *getattr(refused, "restricted_objects", ())]
        names = sorted({str(row._meta.verbose_name) for row in blocking})
        raise DemoCityInUse(f"used by: {', '.join(names)}") from None
    return count


def _plan(directory: Directory, pack: CityPack, place: Place, chosen: Collection[Office]) -> Directory:
    units = dict(directory.units)
    province = place.province or place
    keys = {province.code: _enter_place(units, province, None)}
    members = pack.communes_of(province) if place == province else [place]
    for member in members:
        keys[member.code] = _enter_place(units, member, keys[province.code])
    _enter_former(units, pack, keys)
    agencies = dict(directory.agencies)
    for office in chosen:
        if office.agency_key not in agencies:
            agencies[office.agency_key] = AgencyEntry(
                key=office.agency_key, name=office.name, kind=office.kind, unit=keys[office.place.code],
                short_name=office.short, validity=Validity(REFORM, None), confirmed=office.sure,
            )  # fmt: skip
    return Directory(units, agencies, _with_groups(dict(directory.groups), place, chosen))


def _enter_place(units: dict[str, UnitEntry], place: Place, parent: str | None) -> str:
    """The key of a current place, which is entered unless the directory has it by code or name."""
    for unit in units.values():
        if unit.validity.includes(REFORM) and unit.kind is place.kind and unit.parent == parent:
            if unit.code == place.code:
                return unit.key
            if unit.code is None and fold(unit.name) == fold(place.name):
                unconfirmed = tuple(name for name in unit.unconfirmed if name != "code")
                units[unit.key] = dataclasses.replace(unit, code=place.code, unconfirmed=unconfirmed)
                return unit.key
    key = _free_key(units, f"{place.name} {place.code} {REFORM.year}")
    units[key] = UnitEntry(key, place.name, place.kind, place.code, parent, Validity(REFORM, None))
    return key


def _enter_former(units: dict[str, UnitEntry], pack: CityPack, keys: dict[str, str]) -> None:
    """Enter the predecessors of the communes, with their districts and provinces, all ended by the reform."""
    for former in pack.former:
        heirs = tuple(keys[code] for code in former.heirs if code in keys)
        if heirs:
            _enter_former_place(units, pack, keys, former, heirs)


def _enter_former_place(
    units: dict[str, UnitEntry], pack: CityPack, keys: dict[str, str], former: FormerPlace, heirs: tuple[str, ...]
) -> None:
    heir = keys.get(pack.heirs[former.province[0]])
    province = _enter_former_unit(units, former.province, UnitKind.PROVINCE, None, (heir,) if heir else ())
    district = _enter_former_unit(units, former.district, UnitKind.DISTRICT, province, ())
    kind = LEVELS[next(level for level in LEVELS if former.name.startswith(f"{level} "))]
    _enter_former_unit(units, (former.code, former.name), kind, district, heirs)


def _enter_former_unit(
    units: dict[str, UnitEntry],
    code_and_name: tuple[str, str],
    kind: UnitKind,
    parent: str | None,
    heirs: Iterable[str],
) -> str:
    """The key of a unit that the reform ended, entered unless it exists. heirs: are added to its successors."""
    code, name = code_and_name
    former = next((unit for unit in units.values() if unit.code == code and unit.validity.end == REFORM), None)
    if former is None:
        start = units[parent].validity.start if parent else None
        key = _free_key(units, f"{name} {code}")
        former = UnitEntry(key, name, kind, code, parent, Validity(start, REFORM))
    units[former.key] = dataclasses.replace(former, successors=tuple(dict.fromkeys([*former.successors, *heirs])))
    return former.key


def _with_groups(groups: dict[str, GroupEntry], place: Place, chosen: Collection[Office]) -> dict[str, GroupEntry]:
    """The groups with the chosen offices added: to an existing group of that name, or to a new one."""
    own = [office for office in chosen if office.place == place and office.kind is not AgencyKind.COMMITTEE]
    below = [office for office in chosen if office.place != place and office.kind is AgencyKind.COMMITTEE]
    if place.kind is UnitKind.PROVINCE:
        everybody = f"Các sở, ban, ngành, đoàn thể {place.level}"
    else:
        everybody = f"Các phòng, ban, đơn vị, ngành, đoàn thể {place.level}"
    levels = ", ".join(level for level in ("xã", "phường", "đặc khu") if any(o.place.level == level for o in below))
    for key, name, members in (("cac-co-quan", everybody, own), ("ubnd-ben-duoi", f"UBND các {levels}", below)):
        if members:
            existing = next((group for group in groups.values() if fold(group.name) == fold(name)), None)
            group = existing or GroupEntry(f"{place.code}-{key}", name, (), Purpose.ACTION)
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
