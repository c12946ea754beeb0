# SPDX-License-Identifier: Apache-2.0
"""A list of the people who work in the office: read, previewed, then applied exactly as previewed or not at all.

Its telephone numbers and e-mail addresses are for sending the invitations; they are stored with the list for a day and
nowhere else.
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

from bluezone.authority import reach, recent_access, role_grants
from bluezone.authority.models import PeopleImport
from bluezone.authority.people import accounts
from bluezone.authority.reach import Scope, accounts_in_reach
from bluezone.directory.imports.files.raw_sheets import cell_text
from bluezone.directory.imports.heading_rows import Column
from bluezone.directory.imports.known_columns import AGENCY_COLUMNS
from bluezone.directory.imports.list_storage import State
from bluezone.directory.imports.sent_lists import ImportNotReady, Preview, Reading, RefusedRow, digest_of
from bluezone.directory.imports.tables import Row, Table
from bluezone.directory.models import AdminUnit, Agency
from bluezone.directory.queries import day_to_show
from bluezone.identity.models import Role, RoleGrant, User
from bluezone.paper.tables import ExportColumn, ExportSheet
from bluezone.vietnamese.spelling import fold, name_key

_AGENCY_COLUMN_BY_NAME = {column.name: column for column in AGENCY_COLUMNS}
# Here "Tên" is the heading of a person's given name.
_AGENCY_NAMES = [heading for heading in _AGENCY_COLUMN_BY_NAME["name"].headings[:-3] if heading != "Tên"]
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
    Column("agency_code", _AGENCY_COLUMN_BY_NAME["code"].headings),
    Column("agency", ("Thuộc cơ quan", "Cơ quan công tác", *_AGENCY_NAMES, "Agency name")),
    Column("unit", ("Trong địa bàn", *_AGENCY_COLUMN_BY_NAME["unit"].headings)),
    Column("employer", ("Nơi công tác", "Đơn vị công tác", "Works at")),
    Column("phone", _AGENCY_COLUMN_BY_NAME["phone"].headings, begins=_AGENCY_COLUMN_BY_NAME["phone"].begins),
    Column("email", _AGENCY_COLUMN_BY_NAME["email"].headings, begins=_AGENCY_COLUMN_BY_NAME["email"].begins),
)  # fmt: skip
READING = Reading("people", COLUMNS)
# Each account takes several SQL statements; the offices of a city have some hundreds of accounts.
MOST_PEOPLE = 500
# Before a name: Mr, Ms, comrade.
_TITLES = re.compile(r"^(ông|bà|cô|thầy|anh|chị|đồng chí|đ/?c)[.:]? +(?=\w+ \w)", re.IGNORECASE)
_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{2,39}")
_Row = TypeVar("_Row", bound=Agency | AdminUnit)
KEPT = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Person:
    """One valid row. account: None if it is to be made."""

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
    """What a list would do. added: accounts; changed: roles of existing accounts; unchanged: number of rows."""

    added: tuple[Person, ...]
    changed: tuple[Person, ...]
    unchanged: int
    refused: tuple[RefusedRow, ...]


def receive_list(user: User, file_name: str, content: bytes, usual_role: str) -> PeopleImport:
    """Store a readable list until it is applied or discarded. Raises a SpreadsheetRefused.

    usual_role: the role of rows that name none.
    """
    return READING.store_upload(PeopleImport, user, file_name, content, usual_role=str(usual_role))


def preview_list(sent_list: PeopleImport) -> Preview[PeoplePlan]:
    """What the list would do to the accounts within its sender's reach. Raises a SpreadsheetRefused."""
    table = READING.read_table(sent_list)
    if table.legacy is not None:
        return Preview(table, None, digest_of(sent_list))
    planned = plan_list(table, sent_list.made_by, sent_list.usual_role, timezone.now())
    return Preview(table, planned, digest_of(sent_list, planned))


def plan_list(table: Table, by: User, usual_role: str, now: datetime.datetime) -> PeoplePlan:
    """Compare a list with the existing accounts; a person who already holds the role of their row is unchanged."""
    office = _Office(by, timezone.localdate(now))
    added: list[Person] = []
    changed: list[Person] = []
    refused: list[RefusedRow] = []
    unchanged = 0
    keys: set[tuple[str, str, str]] = set()
    for row in table.rows:
        person = office.read(row, usual_role, now)
        if isinstance(person, RefusedRow):
            refused.append(person)
            continue
        if person is None:
            unchanged += 1
            continue
        key = (person.username, person.role, str(person.within and person.within.key))
        if key in keys:
            refused.append(RefusedRow(row.number, "username", "repeated"))
            continue
        keys.add(key)
        if person.account is None and person.username not in {earlier.username for earlier in added}:
            added.append(person)
        else:
            changed.append(person)
        office.usernames.add(person.username)
    if len(added) + len(changed) > MOST_PEOPLE:
        refused.append(RefusedRow(table.rows[MOST_PEOPLE].number, "name", "many"))
    return PeoplePlan(tuple(added), tuple(changed), unchanged, tuple(refused))


class _Office:
    """The accounts and the directory by the names that a list's rows use.

    usernames: every sign-in name in use, within reach or not.
    """

    def __init__(self, by: User, day: datetime.date) -> None:
        self._by = by
        self.usernames = set(User.objects.values_list("username", flat=True))
        reached = accounts_in_reach(by, [Role.ADMIN])
        self._accounts = {user.username: user for user in reached}
        self._roles: dict[str, set[tuple[str, str]]] = defaultdict(set)
        self._by_name: dict[tuple[str, str, str], str] = {}
        for grant in _grants(reached, day):
            where = scope_label(grant.agency or grant.unit)
            self._roles[grant.user.username].add((grant.role, where))
            self._by_name[fold(grant.user.name), grant.role, where] = grant.user.username
        # If the directory has ended, use its last day: it still has all agencies.
        agencies = Agency.objects.valid_on(day_to_show(Agency, day))
        units = AdminUnit.objects.valid_on(day_to_show(AdminUnit, day))
        self._agencies = _DirectoryIndex(agencies.select_related("unit"))
        self._units = _DirectoryIndex(units.select_related("parent"))

    def read(self, row: Row, usual_role: str, now: datetime.datetime) -> "Person | RefusedRow | None":
        """The person of a row, or why the row is refused; None if the person already holds the role."""
        values = {column.name: " ".join(cell_text(row.cells.get(column.name)).split()) for column in COLUMNS}
        username = values["username"].lower()
        values["name"] = _TITLES.sub("", values["name"] or f"{values['family']} {values['given']}".strip())
        if not values["name"] or len(values["name"]) > 80:
            return RefusedRow(row.number, "name", "name")
        role = _role(values["role"]) if values["role"] else usual_role
        if role is None:
            return RefusedRow(row.number, "role", "role")
        where = values["agency_code"] or values["agency"]
        if (role, where or values["unit"]) in self._roles.get(username, ()):
            return None
        within = self._within(values)
        if isinstance(within, str):
            return RefusedRow(row.number, within, "scope")
        if not username:
            username = self._by_name.get((fold(values["name"]), role, scope_label(within)), "")
        if (role, scope_label(within)) in self._roles.get(username, ()):
            return None
        problem = self._problem(username, role, within, now)
        if problem:
            return RefusedRow(row.number, *problem)
        employer = values["employer"] or within.name
        username = username or self._free_username(values["name"], row.number)
        return Person(
            row.number, username, values["name"], employer[:120], role, within, self._accounts.get(username),
            values["phone"], values["email"],
        )  # fmt: skip

    def _problem(self, username: str, role: str, within: Scope, now: datetime.datetime) -> tuple[str, str] | None:
        """The column at fault and the reason for which a row is refused; None for a valid row."""
        if username and not _USERNAME.fullmatch(username):
            return "username", "username"
        if username in self.usernames and username not in self._accounts:
            return "username", "taken"
        if not reach.may_grant(self._by, role, within):
            return "agency", "reach"
        account = self._accounts.get(username)
        # An account from a list has no link yet, and making the link takes the second person. These two roles, and any
        # such role for an existing account, take a second person at once.
        if role in (Role.ADMIN, Role.SUPERVISOR) or (account is not None and role in reach.TAKING_TWO):
            return "role", "two"
        if role == Role.HEALTH_WORKER and not isinstance(within, Agency):
            return "agency", "facility"
        if account is not None and not account.is_active:
            return "username", "inactive"
        return None

    def _within(self, values: Mapping[str, str]) -> Agency | AdminUnit | str:
        """The agency or the unit of a row; the name of the column at fault if it is missing or unknown."""
        for name in ("agency_code", "agency"):
            if values[name] and (agency := self._agencies.find(values[name])):
                return agency
        if values["agency"]:
            return "agency"
        if values["agency_code"]:
            return "agency_code"
        if values["unit"]:
            return self._units.find(values["unit"]) or "unit"
        # Without any of them: an empty cell never gives a role for the whole city.
        return self._agencies.find(values["employer"]) or "agency"

    def _free_username(self, name: str, row: int) -> str:
        """A free sign-in name: hue.nguyen for "Nguyễn Thị Hué", or hue.nguyen2 if that is taken."""
        words = re.findall(r"[a-z0-9]+", fold(name)) or ["can", "bo"]
        base = (words[-1] if len(words) == 1 else f"{words[-1]}.{words[0]}")[:36].ljust(3, "0")
        username = base
        number = 1
        while username in self.usernames:
            number += 1
            username = f"{base}{number}"
        return username


class _DirectoryIndex(Generic[_Row]):
    """Finds rows of the directory by code, by name, by short name, or by name and the unit above."""

    def __init__(self, rows: Iterable[_Row]) -> None:
        self._rows: dict[str, list[_Row]] = defaultdict(list)
        for row in rows:
            names = {name_key(row.name), name_key(getattr(row, "short_name", "")), name_key(scope_label(row))}
            for name in {row.code or "", *names} - {""}:
                self._rows[name].append(row)

    def find(self, text: str) -> _Row | None:
        """The row of this code or name; None if there is none or several."""
        rows = self._rows.get(text) or self._rows.get(name_key(text)) or self._rows.get(text.zfill(5)) or []
        return rows[0] if len(rows) == 1 else None


def scope_label(within: Agency | AdminUnit | None) -> str:
    """How a list names the reach of a role: the code, else the name and the unit above; "" for the whole city."""
    if within is None:
        return ""
    if within.code:
        return within.code
    above = within.unit if isinstance(within, Agency) else within.parent
    return f"{within.name}, {above.name}" if above else within.name


def _role(text: str) -> str | None:
    words = {role.value: role.value for role in Role}
    for language in ("en", "vi"):
        with override(language):
            words |= {fold(str(role.label)): role.value for role in Role}
    return words.get(fold(text)) or words.get(text.lower())


def apply_list(sent_list: PeopleImport, digest: str, now: datetime.datetime) -> PeoplePlan:
    """Carry out the plan that was previewed under `digest`. Raises ImportOutdated or ImportNotReady."""
    accepted = preview_list(sent_list).plan_for(digest)
    if accepted.refused or not (accepted.added or accepted.changed):
        raise ImportNotReady("nothing can be stored yet")
    actor = sent_list.made_by.username
    today = timezone.localdate(now)
    contacts = {person.username: [person.phone, person.email] for person in (*accepted.added, *accepted.changed)}
    with transaction.atomic():
        # A second tap on the button waits here and then finds the list accepted.
        pending = PeopleImport.objects.filter(pk=sent_list.pk, state=State.PREVIEWED)
        if not pending.update(
            state=State.DONE, content=b"", accepted=contacts, added=len(accepted.added), changed=len(accepted.changed)
        ):
            raise ImportNotReady("the list was accepted or discarded in the meantime")
        for person in accepted.added:
            # Without a link: printing or sending the invitations makes one.
            accounts.create_account(
                actor, person.username, person.name, person.employer, person.role, now, within=person.within
            )
        for person in accepted.changed:
            account = User.objects.get(username=person.username)
            recent_access.refuse_recent_access(account, person.role, person.within, now)
            role_grants.grant_role(actor, account, person.role, person.within, today)
    return accepted


def contact_details(by: User) -> dict[str, list[str]]:
    """Sign-in name -> telephone and e-mail from the lists that this person sent in during the last day."""
    contacts: dict[str, list[str]] = {}
    for accepted in PeopleImport.objects.filter(made_by=by).exclude(state="").values_list("accepted", flat=True):
        contacts |= accepted
    return contacts


def people_listing(reached: QuerySet[User], today: datetime.date) -> ExportSheet:
    """Accounts, one row for each role; the sheet can be imported again."""
    with override("vi"):
        rows = [
            [
                grant.user.name, grant.user.username, str(Role(grant.role).label),
                scope_label(grant.agency) if grant.agency else "", scope_label(grant.unit) if grant.unit else "",
                grant.user.agency,
            ]
            for grant in _grants(reached, today)
        ]  # fmt: skip
    headings = ("Họ và tên", "Tên đăng nhập", "Vai trò", "Thuộc cơ quan", "Trong địa bàn", "Nơi công tác")
    return ExportSheet(_("Accounts"), [ExportColumn(heading) for heading in headings], rows)


def _grants(accounts: Iterable[User], day: datetime.date) -> Iterable[RoleGrant]:
    """The roles that these accounts hold on a day, without delegations."""
    grants = RoleGrant.objects.valid_on(day).filter(user__in=accounts, delegated_by=None, user__is_active=True)
    grants = grants.select_related("user", "agency__unit", "unit__parent")
    return [grant for grant in grants.order_by("user__name", "user__username", "pk") if grant.user.name]


def purge(now: datetime.datetime) -> None:
    """Delete lists a day after they were received, and with them telephone numbers and e-mail addresses."""
    PeopleImport.objects.filter(made_at__lte=now - KEPT).delete()
