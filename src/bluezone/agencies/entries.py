# SPDX-License-Identifier: Apache-2.0
"""Administrative units, agencies and recipient groups as values; the database rows of later are made from these.

An entry holds from `valid_from` until the day before `valid_until`; None is open. A unit or agency that is renamed,
moved under another parent or merged ends, and its `successors` begin: what a report said of it then stays true.
"""

import dataclasses
import datetime
import enum


class UnitKind(enum.StrEnum):
    """Levels of the Vietnamese administration as of 2020; `group` is a thôn or tổ dân phố."""

    PROVINCE = "province"
    DISTRICT = "district"  # district, town or city under a province
    WARD = "ward"  # phường
    COMMUNE = "commune"  # xã, thị trấn
    GROUP = "group"


class AgencyKind(enum.StrEnum):
    """What sort of body an agency is."""

    COMMITTEE = "committee"  # People's Committee
    DEPARTMENT = "department"  # phòng, ban, văn phòng of a People's Committee
    UNION = "union"  # đoàn thể
    PARTY = "party"
    MEDIA = "media"
    HEALTH = "health"
    POLICE = "police"
    MILITARY = "military"
    SERVICE = "service"  # đơn vị sự nghiệp, ban quản lý
    BRANCH = "branch"  # ngành: an office of a province's or ministry's body in the city
    SCHOOL = "school"
    ENTERPRISE = "enterprise"


class Purpose(enum.StrEnum):
    """Why a recipient gets a directive (Nơi nhận): to act, to know, to file."""

    ACTION = "action"
    INFORMATION = "information"
    FILE = "file"


class Quantity(enum.StrEnum):
    """What a denominator counts."""

    POPULATION = "population"
    HOUSEHOLDS = "households"
    SMARTPHONES = "smartphones"
    STAFF = "staff"
    VENUES = "venues"


@dataclasses.dataclass(frozen=True)
class Validity:
    """Days on which an entry holds: from `start` (None: from before our knowledge) until before `end` (None: open)."""

    start: datetime.date | None = None
    end: datetime.date | None = None

    def holds(self, day: datetime.date) -> bool:
        """True when the entry is in force on `day`."""
        return (self.start is None or self.start <= day) and (self.end is None or day < self.end)

    def overlaps(self, other: "Validity") -> bool:
        """True when both hold on some day."""
        return _before(self.start, other.end) and _before(other.start, self.end)

    def within(self, outer: "Validity") -> bool:
        """True when `outer` holds on every day this one does."""
        begins = outer.start is None or (self.start is not None and outer.start <= self.start)
        ends = outer.end is None or (self.end is not None and self.end <= outer.end)
        return begins and ends


def _before(start: datetime.date | None, end: datetime.date | None) -> bool:
    return start is None or end is None or start < end


@dataclasses.dataclass(frozen=True)
class Denominator:
    """A number that shares are divided by, never without where it comes from and the day it was true.

    value:  0 or more.
    source: who counted, in words ("Chi cục Thống kê thành phố").
    as_of:  the day the number was true.
    """

    quantity: Quantity
    value: int
    source: str
    as_of: datetime.date


@dataclasses.dataclass(frozen=True)
class UnitEntry:
    """One administrative unit during one validity.

    key:         our own name for the entry, unique for ever.
    code:        number of the General Statistics Office, unique on any one day; None when not known or none exists.
    parent:      key of the unit above, None for a province.
    successors:  keys of the units that took over.
    confirmed:   False when the entry itself, and `unconfirmed` when these fields of it, still need the city's word.
    """

    key: str
    name: str
    kind: UnitKind
    code: str | None = None
    parent: str | None = None
    validity: Validity = Validity()
    successors: tuple[str, ...] = ()
    denominators: tuple[Denominator, ...] = ()
    confirmed: bool = True
    unconfirmed: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class AgencyEntry:
    """One agency during one validity: `unit` is the key of the unit whose territory it serves; the rest as UnitEntry.

    edxml_id: its identifier on the national document axis (QCVN 102:2016), None until the city gives it.
    """

    key: str
    name: str
    kind: AgencyKind
    unit: str
    code: str | None = None
    short_name: str = ""
    edxml_id: str | None = None
    validity: Validity = Validity()
    successors: tuple[str, ...] = ()
    denominators: tuple[Denominator, ...] = ()
    confirmed: bool = True
    unconfirmed: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class RecipientGroup:
    """Words of a "Kính gửi" or "Nơi nhận" line that stand for several agencies: their keys, and the usual purpose."""

    key: str
    name: str
    members: tuple[str, ...]
    purpose: Purpose


def denominator_on(denominators: tuple[Denominator, ...], quantity: Quantity, day: datetime.date) -> Denominator | None:
    """The newest figure for `quantity` that was already true on `day`; None when there is none."""
    known = [figure for figure in denominators if figure.quantity is quantity and figure.as_of <= day]
    return max(known, key=lambda figure: figure.as_of, default=None)
