# SPDX-License-Identifier: Apache-2.0
"""A list of the people who work in the office: read, shown with what would be made, then done as shown or not at all.

What it says of telephones and e-mail is for passing on the invitations; it is kept with the list for a day and nowhere
else.
"""

import datetime
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from bluezone.authority import role_grants
from bluezone.authority.models import PeopleImport
from bluezone.authority.role_grants import Scope, accounts_of
from bluezone.directory.imports.headings import Column
from bluezone.directory.imports.pieces import State
from bluezone.directory.imports.raw_sheets import text_of
from bluezone.directory.imports.rows import AGENCY_COLUMNS
from bluezone.directory.imports.sent_lists import ImportNotReady, Preview, Reading, RefusedRow, digest_of
from bluezone.directory.imports.tables import Row, Table
from bluezone.directory.models import AdminUnit, Agency
from bluezone.directory.queries import day_to_show
from bluezone.identity.models import Role, RoleGrant, User
from bluezone.paper.tables import ExportColumn, ExportSheet
from bluezone.vietnamese.spelling import fold, name_key

_OF_AGENCY = {column.name: column for column in AGENCY_COLUMNS}
# "Tên" is somebody's given name here.
_AGENCY_NAMES = [heading for heading in _OF_AGENCY["name"].headings[:-3] if heading != "Tên"]
COLUMNS = (
    Column(
        "name",
        ("Họ và tên", "Họ tên", "Họ và tên cán bộ", "Họ tên cán bộ", "Cán bộ", "Cán bộ đầu mối", "Đầu mối",
         "Người phụ trách",
         "Cán bộ phụ trách", "Văn thư", "Họ tên văn thư", "Người sử dụng", "Họ tên người dùng", "Full name"),
        begins=("ho va ten", "ho ten"),
    ),
    Column("family", ("Họ", "Họ đệm", "Họ và đệm", "Họ và tên đệm", "Họ, đệm", "Family name")),
    Column("given", ("Tên", "Given name")),
    Column("username", ("Tên đăng nhập", "Tài khoản", "Tên tài khoản", "Username", "Account", "Sign-in name")),
    Column("role", ("Vai trò", "Vai trò trên hệ thống", "Quyền", "Nhóm quyền", "Role"), choices=Role.choices),
    Column("agency_code", _OF_AGENCY["code"].headings),
    Column("agency", ("Thuộc cơ quan", "Cơ quan công tác", *_AGENCY_NAMES, "Agency name")),
    Column("unit", ("Trong địa bàn", *_OF_AGENCY["unit"].headings)),
    Column("employer", ("Nơi công tác", "Đơn vị công tác", "Works at")),
    Column("phone", _OF_AGENCY["phone"].headings, begins=_OF_AGENCY["phone"].begins),
    Column("email", _OF_AGENCY["email"].headings, begins=_OF_AGENCY["email"].begins),
)  # fmt: skip
READING = Reading("people", COLUMNS)
# Each account takes some statements; a city's offices are some hundreds.
MOST_PEOPLE = 500
# Before a name: Mr, Ms, comrade.
_TITLES = re.compile(r"^(ông|bà|cô|thầy|anh|chị|đồng chí|đ/?c)[.:]? +(?=\w+ \w)", re.IGNORECASE)
_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{2,39}")


@dataclass(frozen=True)
class Person:
    """One row that can be used. account: None for one that is to be made; role: None where nothing is to be given."""

    row: int
    username: str
    name: str
    employer: str
    role: str
    within: Scope
    account: User | None
    phone: str
    email: str

    @property
    def role_label(self) -> str:
        """The role in words."""
        return str(Role(self.role).label)


@dataclass(frozen=True)
class PeoplePlan:
    """What a list would do. added: accounts; changed: roles of accounts that are there; unchanged: how many rows."""

    added: tuple[Person, ...]
    changed: tuple[Person, ...]
    unchanged: int
    refused: tuple[RefusedRow, ...]


def receive(user: User, file_name: str, content: bytes, usual_role: str) -> PeopleImport:
    """Keep a list that can be read, until it is applied or discarded. Raises a SpreadsheetRefused.

    usual_role: of rows that name none.
    """
    return READING.receive(PeopleImport, user, file_name, content, usual_role=str(usual_role))


def preview(waiting: PeopleImport) -> Preview[PeoplePlan]:
    """What the list would do to the accounts that its sender reaches. Raises a SpreadsheetRefused."""
    table = READING.table(waiting)
    if table.legacy is not None:
        return Preview(table, None, digest_of(waiting))
    found = plan(table, waiting.made_by, waiting.usual_role, timezone.now())
    return Preview(table, found, digest_of(waiting, found))


def plan(table: Table, by: User, usual_role: str, now: datetime.datetime) -> PeoplePlan:
    """Lay a list over the accounts that are there; whoever holds the role of a row already is unchanged."""
    known = _Known(by, timezone.localdate(now))
    made: list[Person] = []
    given: list[Person] = []
    refused: list[RefusedRow] = []
    unchanged = 0
    seen: set[tuple[str, str, str]] = set()
    for row in table.rows:
        person = known.read(row, usual_role, now)
        if isinstance(person, RefusedRow):
            refused.append(person)
            continue
        if person is None:
            unchanged += 1
            continue
        key = (person.username, person.role, str(person.within and person.within.key))
        if key in seen:
            refused.append(RefusedRow(row.number, "username", "repeated"))
            continue
        seen.add(key)
        (made if person.account is None and person.username not in {one.username for one in made} else given).append(
            person
        )
        known.taken.add(person.username)
    if len(made) + len(given) > MOST_PEOPLE:
        refused.append(RefusedRow(table.rows[MOST_PEOPLE].number, "name", "many"))
    return PeoplePlan(tuple(made), tuple(given), unchanged, tuple(refused))


class _Known:
    """The accounts and the directory as a list's rows name them."""

    def __init__(self, by: User, day: datetime.date) -> None:
        self._by = by
        self.taken = set(User.objects.values_list("username", flat=True))
        reached = accounts_of(by, [Role.ADMIN])
        self._accounts = {user.username: user for user in reached}
        self._held: dict[str, set[tuple[str, str]]] = defaultdict(set)
        self._by_name: dict[tuple[str, str, str], str] = {}
        for grant in _grants(reached, day):
            where = scope_text(grant.agency or grant.unit)
            self._held[grant.user.username].add((grant.role, where))
            self._by_name[fold(grant.user.name), grant.role, where] = grant.user.username
        # Where the directory has ended, its last day still names who works where.
        agencies = Agency.objects.in_force(day_to_show(Agency, day))
        units = AdminUnit.objects.in_force(day_to_show(AdminUnit, day))
        self._agencies = _Named(agencies.select_related("unit"))
        self._units = _Named(units.select_related("parent"))

    def read(self, row: Row, usual_role: str, now: datetime.datetime) -> "Person | RefusedRow | None":
        """The person of a row; None where everything is so already."""
        said = {column.name: " ".join(text_of(row.cells.get(column.name)).split()) for column in COLUMNS}
        username = said["username"].lower()
        said["name"] = _TITLES.sub("", said["name"] or f"{said['family']} {said['given']}".strip())
        if not said["name"] or len(said["name"]) > 80:
            return RefusedRow(row.number, "name", "name")
        role = _role(said["role"]) if said["role"] else usual_role
        if role is None:
            return RefusedRow(row.number, "role", "role")
        where = said["agency_code"] or said["agency"]
        if (role, where or said["unit"]) in self._held.get(username, ()):
            return None
        within = self._within(said)
        if isinstance(within, str):
            return RefusedRow(row.number, within, "scope")
        if not username:
            username = self._by_name.get((fold(said["name"]), role, scope_text(within)), "")
        if (role, scope_text(within)) in self._held.get(username, ()):
            return None
        problem = self._problem(username, role, within, now)
        if problem:
            return RefusedRow(row.number, *problem)
        employer = said["employer"] or within.name
        username = username or self._free(said["name"], row.number)
        return Person(
            row.number, username, said["name"], employer[:120], role, within, self._accounts.get(username),
            said["phone"], said["email"],
        )  # fmt: skip

    def _problem(self, username: str, role: str, within: Scope, now: datetime.datetime) -> tuple[str, str] | None:
        if username and not _USERNAME.fullmatch(username):
            return "username", "username"
        if username in self.taken and username not in self._accounts:
            return "username", "taken"
        if not role_grants.reaches(self._by, role, within):
            return "agency", "reach"
        account = self._accounts.get(username)
        # A new account of the others is made without a link: that takes a second person, and nothing else does.
        if role in (Role.ADMIN, Role.SUPERVISOR) or (account is not None and role in role_grants.TAKING_TWO):
            return "role", "two"
        if role == Role.HEALTH_WORKER and not isinstance(within, Agency):
            return "agency", "facility"
        if account is not None and not account.is_active:
            return "username", "inactive"
        return None

    def _within(self, said: Mapping[str, str]) -> Agency | AdminUnit | str:
        """The agency or the unit of a row; a column's name where it names none, or one that is unknown."""
        for name in ("agency_code", "agency"):
            if said[name] and (found := self._agencies.find(said[name])):
                return found
        if not (said["agency_code"] or said["agency"] or said["unit"]) and (
            found := self._agencies.find(said["employer"])
        ):
            return found
        if said["agency_code"] or said["agency"]:
            return "agency" if said["agency"] else "agency_code"
        # A role for the whole city is never given because a cell was empty.
        return (self._units.find(said["unit"]) if said["unit"] else None) or ("unit" if said["unit"] else "agency")

    def _free(self, name: str, row: int) -> str:
        """A sign-in name for a person: "Nguyễn Thị Hué" is hue.nguyen, or hue.nguyen2 where that is taken."""
        words = re.findall(r"[a-z0-9]+", fold(name)) or ["can", "bo"]
        base = (words[-1] if len(words) == 1 else f"{words[-1]}.{words[0]}")[:36].ljust(3, "0")
        username, number = base, 1
        while username in self.taken:
            number += 1
            username = f"{base}{number}"
        return username


_Row = TypeVar("_Row", bound=Agency | AdminUnit)


class _Named(Generic[_Row]):
    """Rows of the directory found by code, by name, by short name, or by name and the unit they lie in."""

    def __init__(self, rows: Iterable[_Row]) -> None:
        self._found: dict[str, list[_Row]] = defaultdict(list)
        for row in rows:
            names = {name_key(row.name), name_key(getattr(row, "short_name", "")), name_key(scope_text(row))}
            for name in {row.code or "", *names} - {""}:
                self._found[name].append(row)

    def find(self, text: str) -> _Row | None:
        """The one row that is called so, else None."""
        found = self._found.get(text) or self._found.get(name_key(text)) or self._found.get(text.zfill(5)) or []
        return found[0] if len(found) == 1 else None


def scope_text(within: Agency | AdminUnit | None) -> str:
    """How a list names where a role reaches: the code, else the name and the unit it lies in; "" for the whole city."""
    if within is None:
        return ""
    above = within.unit if isinstance(within, Agency) else within.parent
    return within.code or (f"{within.name}, {above.name}" if above else within.name)


def _role(text: str) -> str | None:
    words = {role.value: role.value for role in Role}
    for language in ("en", "vi"):
        with override(language):
            words |= {fold(str(role.label)): role.value for role in Role}
    return words.get(fold(text)) or words.get(text.lower())


def apply(waiting: PeopleImport, digest: str, now: datetime.datetime) -> PeoplePlan:
    """Do what the plan that was shown under `digest` says. Raises ImportOutdated or ImportNotReady."""
    seen = preview(waiting).accepted(digest)
    if seen.refused or not (seen.added or seen.changed):
        raise ImportNotReady("nothing can be stored yet")
    actor, today = waiting.made_by.username, timezone.localdate(now)
    people = {person.username: [person.phone, person.email] for person in (*seen.added, *seen.changed)}
    with transaction.atomic():
        # A second tap on the button waits here and then finds the list accepted.
        held = PeopleImport.objects.filter(pk=waiting.pk, state=State.LOOKED_AT)
        if not held.update(
            state=State.DONE, content=b"", accepted=people, added=len(seen.added), changed=len(seen.changed)
        ):
            raise ImportNotReady("it was accepted or discarded meanwhile")
        for person in seen.added:
            # Without a link: printing or sending the invitations makes one.
            role_grants.enter_account(
                actor, person.username, person.name, person.employer, person.role, now, within=person.within
            )
        for person in seen.changed:
            account = User.objects.get(username=person.username)
            role_grants.refuse_recent_hands(account, person.role, person.within, now)
            role_grants.give(actor, account, person.role, person.within, today)
    return seen


def reach_of(by: User) -> dict[str, list[str]]:
    """Sign-in name -> telephone and e-mail, as this person's lists of the last day gave them."""
    found: dict[str, list[str]] = {}
    for said in PeopleImport.objects.filter(made_by=by).exclude(state="").values_list("accepted", flat=True):
        found |= said
    return found


def listing(reached: QuerySet[User], today: datetime.date) -> ExportSheet:
    """Accounts, one row for each role; it can be imported again."""
    with override("vi"):
        rows = [
            [
                grant.user.name, grant.user.username, str(Role(grant.role).label),
                scope_text(grant.agency) if grant.agency else "", scope_text(grant.unit) if grant.unit else "",
                grant.user.agency,
            ]
            for grant in _grants(reached, today)
        ]  # fmt: skip
    headings = ("Họ và tên", "Tên đăng nhập", "Vai trò", "Thuộc cơ quan", "Trong địa bàn", "Nơi công tác")
    return ExportSheet(_("Accounts"), [ExportColumn(heading) for heading in headings], rows)


def _grants(accounts: Iterable[User], day: datetime.date) -> Iterable[RoleGrant]:
    """The roles that these accounts hold themselves on a day."""
    held = RoleGrant.objects.in_force(day).filter(user__in=accounts, delegated_by=None, user__is_active=True)
    found = held.select_related("user", "agency__unit", "unit__parent").order_by("user__name", "user__username", "pk")
    return [grant for grant in found if grant.user.name]


KEPT = datetime.timedelta(days=1)


def purge(now: datetime.datetime) -> None:
    """Forget lists a day after they came, and with them telephones and e-mail."""
    PeopleImport.objects.filter(made_at__lte=now - KEPT).delete()
