# SPDX-License-Identifier: Apache-2.0
"""Every list that the office gives away can be sent in again: no row is refused, and nothing changes."""

import ast
import datetime
import inspect
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from tests.builders import coverage
from tests.builders.agencies import plant_seed
from tests.builders.office import data_folder, furnished_folder, prove_second_factor, quick_passwords, user

import bluezone
from bluezone.directory.kinds import AgencyKind, Quantity, UnitKind
from bluezone.directory.models import AdminUnit, Agency
from bluezone.directory.records import changes
from bluezone.identity.audiences import every_view
from bluezone.identity.models import Role, User
from bluezone.rollout.canvass.households.facts import new_key
from bluezone.rollout.canvass.models import Household
from bluezone.rollout.schools.models import SchoolClass
from bluezone.rollout.schools.page_input import latest_week
from bluezone.rollout.schools.school_calendar import year_of

__all__ = ["data_folder", "furnished_folder", "quick_passwords"]
pytestmark = pytest.mark.django_db
SOURCE = Path(bluezone.__file__).parent
WRITERS = {
    "bluezone.paper.tables.write_csv", "bluezone.paper.tables.write_xlsx", "bluezone.paper.official.write_xlsx",
    "bluezone.paper.official.xlsx_file.write_xlsx",
}  # fmt: skip
# Name of each address that gives a list away -> where it is sent in, with what beside the file.
LISTS = {
    **dict.fromkeys(("agencies-file", "agencies-csv"), ("imports", {"about": "agencies"})),
    **dict.fromkeys(("units-file", "units-csv"), ("imports", {"about": "units"})),
    **dict.fromkeys(("people-file", "people-csv"), ("people-imports", {"usual_role": "clerk"})),
    **dict.fromkeys(("canvass-household-file", "canvass-household-csv"), ("canvass-imports", {"unit": "{ward}"})),
    **dict.fromkeys(("school-class-file", "school-class-csv"), ("class-imports", {"school": "{school}"})),
}
# Every other table that leaves the office, and why nothing could take it in again.
LEAVES = {
    "audit-export": "a copy of a chain of hashes, which nobody may add to",
    "invite": "one-time links, which are stored as hashes alone",
    "code-statistics-file": "sums of codes, numbers under five kept back",
    "coverage-written": "a report: sums and shares, numbers kept back",
    "directive-file": "a report on a letter, as it stood on that day",
    "register": "a book of letters, which are in it by being received or sent",
    "gates-file": "sums of what tablets counted",
    "staff-file": "what agencies said in a week, each signed in for itself; rows are pasted under the agency",
    "schools-file": "sums of classes, numbers under five kept back",
    "air-log-file": "what was aired, as machines and people attested it",
}
# Of a list on its way in: one has no row, the other holds the rows that are refused.
ON_THE_WAY = {f"{pages}-{act}" for pages in ("import", "people-import", "canvass-import", "class-import")
              for act in ("empty", "marked")}  # fmt: skip


def used_by_function():
    """Of every function of the house, by its full name, the names it uses that could be functions, in full too."""
    found = {}
    for path in SOURCE.rglob("*.py"):
        if "migrations" in path.parts:
            continue
        module = ".".join(("bluezone", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__")
        tree = ast.parse(path.read_text("utf-8"))
        imported = {
            alias.asname or alias.name: f"{node.module}.{alias.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        for holder in (tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))):
            inside = module if holder is tree else f"{module}.{holder.name}"
            for function in holder.body:
                if isinstance(function, ast.FunctionDef):
                    used = set()
                    for node in ast.walk(function):
                        if isinstance(node, ast.Name | ast.Attribute):
                            head, _dot, rest = ast.unparse(node).partition(".")
                            of = imported.get(head) or (inside if head == "self" else f"{module}.{head}")
                            used.add(f"{of}.{rest}" if rest else of)
                    found[f"{inside}.{function.name}"] = used
    return found


def addresses_that_give_a_table_away():
    """Names of the addresses whose view reaches one of the writers, through whatever it calls."""
    used, reaching = used_by_function(), set(WRITERS)
    while new := {name for name, uses in used.items() if name not in reaching and uses & reaching}:
        reaching |= new
    named = set()
    for _address, name, view in every_view("bluezone.web.urls_office"):
        inner = inspect.unwrap(view)
        if f"{inner.__module__}.{inner.__qualname__}" in reaching:
            named.add(name)
    return named


@pytest.mark.long
def test_every_table_that_is_given_away_is_sent_in_again_here_or_it_is_said_why_not():
    assert addresses_that_give_a_table_away() == {*LISTS, *LEAVES, *ON_THE_WAY}


@pytest.fixture
def city(client):
    """A directory with whatever a field can hold: names alike, no codes, a plus before a telephone number, heads."""
    _city, ward = plant_seed()
    today = datetime.date(2020, 8, 7)
    for number in ("1", "2"):
        for above in (ward, AdminUnit.objects.get(key="phuong-duc-xuan")):
            values = {
                "name": f"Tổ {number}", "kind": UnitKind.GROUP, "code": None, "parent": above,
                "valid_from": above.valid_from,
                "valid_to": above.valid_to, "successors": [], "confirmed": True, "head_name": "Nông Văn Páo",
                "head_phone": "+84 209 3870 001",
            }  # fmt: skip
            group = changes.save_unit("mai", None, values)
    changes.record_figure("mai", ward, Quantity.POPULATION, 4501, "Chi cục Thống kê, Công an", today, today)
    changes.record_figure("mai", ward, Quantity.SMARTPHONES, 2000, "=tự khai", datetime.date(2020, 7, 1), today)
    values = {
        "name": "Trạm Y tế", "short_name": "-TYT", "kind": AgencyKind.HEALTH, "code": None, "unit": group.parent,
        "parent": Agency.objects.get(key="ubnd-tp"), "valid_from": None, "valid_to": group.valid_to, "successors": [],
        "confirmed": True, "email": "tyt@example.vn", "phone": "0209 3870 002", "edxml_id": "H06.12.3",
    }  # fmt: skip
    for place in (group.parent, ward):
        station = changes.save_agency("mai", None, {**values, "unit": place})
    user("hue", Role.CLERK, within=station, name="Nguyễn Thị Hué")
    user("pao", Role.OFFICER, within=ward, name="'Nông Văn Páo")
    now = timezone.now()
    school = coverage.agency("Trường THCS Sông Cầu", ward, kind="school", valid_to=ward.valid_to)
    user("head", Role.LEAD, within=school)
    year = year_of(latest_week())
    for number in ("", "2"):
        teacher = user(f"giao-vien{number}", Role.TEACHER, within=school, name="Hà Thị Mơ")
        SchoolClass.objects.create(
            school=school, year=year, name=f"Lớp 6A{number}", folded=f"6a{number}", teacher=teacher, pupils=31
        )
    SchoolClass.objects.create(school=school, year=year, name="7/1", folded="7/1")
    for head, where in (("Lý A", "Tổ 1"), ("Lý A", "Tổ 1"), ("", "5"), ("x", "")):
        Household.objects.create(
            key=new_key(now), unit=ward, head=head, address="+ ngõ 2" if where else "", group=where, smartphones=2,
            note="@chó dữ", made_at=now, touched_at=now,
        )  # fmt: skip
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(user("mai", Role.ADMIN, name="Mai"))
    prove_second_factor(client)
    return client, ward, school


@pytest.mark.long
@pytest.mark.parametrize("name", LISTS)
def test_a_list_that_is_sent_in_as_it_came_changes_nothing_and_no_row_is_refused(city, name):
    client, ward, school = city
    there, said = LISTS[name]
    wanted = {"canvass-imports": [ward.pk], "class-imports": [school.pk]}.get(there, [])
    if wanted:
        AdminUnit.objects.filter(pk=ward.pk).update(valid_to=None)
        client.force_login(User.objects.get(username={"canvass-imports": "pao", "class-imports": "head"}[there]))
    given = client.get(reverse(name, args=wanted))
    beside = {key: text.format(ward=ward.pk, school=school.pk) for key, text in said.items()}
    page = client.post(
        reverse(there), {**beside, "file": SimpleUploadedFile(f"l.{name[-3:]}", given.content)}, follow=True
    )

    plan = page.context["plan"]
    assert (list(plan.refused), page.context["to_fix"]) == ([], [])
    assert plan.unchanged if isinstance(plan.unchanged, int) else len(plan.unchanged)
    assert (list(plan.added), list(plan.changed), page.context["doubted"]) == ([], [], [])


@pytest.mark.long
def test_the_list_of_the_agencies_is_also_one_of_their_telephone_numbers(city):
    client, _ward, _school = city
    file = SimpleUploadedFile("l", client.get(reverse("agencies-file")).content)
    plan = client.post("/imports/", {"about": "phones", "file": file}, follow=True).context["plan"]

    assert (plan.added, plan.changed) == ((), ())
    assert plan.unchanged
    assert {one.reason for one in plan.refused} == {"import_phone_missing"}
