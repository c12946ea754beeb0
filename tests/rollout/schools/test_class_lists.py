# SPDX-License-Identifier: Apache-2.0
"""Lists of classes with pupils and teachers: a school sends in its own, and a list of children is not kept."""

import datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from tests.builders.agencies import write_csv, write_workbook
from tests.builders.coverage import agency
from tests.builders.office import user

from bluezone.identity.models import Role
from bluezone.rollout.schools.classes import class_lists
from bluezone.rollout.schools.models import ClassesImport, SchoolClass

pytestmark = [pytest.mark.django_db, pytest.mark.long]
HEAD = ("STT", "Lớp", "Họ và tên GVCN", "Sĩ số", "Trường")
TITLE = ("TRƯỜNG THCS BẮC KẠN", "", "", "", "")


@pytest.fixture
def there(client, school):
    """A head of two schools, with two teachers of one name in the second."""
    beside = agency("Trường TH Sông Cầu", school.unit, kind="school", short_name="TH Sông Cầu")
    agency("Trường THPT Chuyên", school.unit, kind="school")  # which she does not keep
    SchoolClass.objects.all().delete()
    user("mo", Role.TEACHER, within=school, name="Hà Thị Mơ")
    for name in ("lan1", "lan2"):
        user(name, Role.TEACHER, within=beside, name="Nông Thị Lan")
    head = user("head.of.two", Role.LEAD, within=school)
    head.grants.create(role=Role.LEAD, agency=beside, valid_from=datetime.date(2020, 1, 1))
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(head)
    return client, school, beside


def send(there, *rows, head=HEAD):
    client, school, _beside = there
    file = SimpleUploadedFile("l.csv", write_csv(TITLE, head, *rows))
    return client.post("/schools/class-lists/", {"school": school.pk, "file": file}, follow=True)


def press(there, page, act, **sent):
    return there[0].post(f"/schools/class-lists/{page.context['sent_list'].pk}/{act}/", sent, follow=True)


def stored():
    found = SchoolClass.objects.select_related("school", "teacher").order_by("pk")
    return [(one.school.name, one.name, one.pupils, one.teacher and one.teacher.username) for one in found]


def test_classes_with_pupils_and_teachers_are_looked_at_then_stored_once(there):
    _client, school, beside = there
    rows = [
        ("1", "6A", "Cô Hà Thị Mơ", "32", ""),
        ("2", "6B", "Lý Văn Páo", "30", ""),
        ("3", "1A", "lan2", "28", "TH Sông Cầu"),
    ]
    page = send(there, *rows)
    assert (page.context["plan"].refused, len(page.context["plan"].added)) == ((), 3)
    assert "Row 4: Lý Văn Páo has no account as a teacher" in page.text
    assert not SchoolClass.objects.exists()

    press(there, page, "apply", digest=page.context["preview"].digest)
    assert press(there, page, "apply", digest=page.context["preview"].digest).status_code == 404
    assert stored() == [
        (school.name, "6A", 32, "mo"), (school.name, "6B", 30, None), (beside.name, "1A", 28, "lan2"),
    ]  # fmt: skip
    again = send(there, *rows[:2], ("3", "1A", "", "29", "TH Sông Cầu"))
    assert (again.context["plan"].unchanged, len(again.context["plan"].changed)) == (2, 1)
    press(there, again, "apply", digest=again.context["preview"].digest)
    assert stored()[2][2:] == (29, "lan2"), "an empty cell leaves what is stored"


@pytest.mark.parametrize(
    ("row", "reason", "words"),
    [
        (("1", "Lớp chuyên Toán của trường", "", "3", ""), "name", "not a class name"),
        (("1", "6A", "", "320", ""), "number", "at most 100 pupils"),
        (("1", "6A", "", "3", "Trường THPT Chuyên"), "school", "You do not manage a school with this name"),
        (("1", "6A", "Nông Thị Lan", "3", "TH Sông Cầu"), "teacher", "Write the sign-in name"),
    ],
)
def test_a_row_that_cannot_be_used_is_refused_and_corrected_in_place(there, row, reason, words):
    page = send(there, row)
    assert [one.reason for one in page.context["plan"].refused] == [reason]
    assert words in page.text
    assert press(there, page, "apply", digest=page.context["preview"].digest).status_code == 409

    right = {"fix-3-name": "6C", "fix-3-pupils": "31", "fix-3-school": "", "fix-3-teacher": ""}
    page = press(there, page, "fix", **right)
    press(there, page, "apply", digest=page.context["preview"].digest)
    assert stored() == [(there[1].name, "6C", 31, None)]


@pytest.mark.parametrize(
    ("head", "rows"),
    [
        (("STT", "Họ và tên học sinh", "Lớp"), [("1", "Lý Văn An", "6A")]),
        (("STT", "Lớp", "Ngày sinh"), [("1", "6A", "1/2/2009")]),
        (("Cột 1", "Lớp", "Cột 3"), [("Lý Văn An", "6A", "32"), ("Hà Thị Mơ", "6A", "32"), ("Ma A Páo", "6B", "30")]),
    ],
    ids=["a heading", "a birthday", "more people than classes"],
)
def test_a_list_of_children_is_thrown_away_whole(there, head, rows):
    page = send(there, *rows, head=head)

    assert page.status_code == 422
    assert "This looks like a list of pupils" in page.text
    assert not ClassesImport.objects.exists()


def test_a_list_of_another_person_is_not_found_and_is_forgotten_after_a_day(there):
    page = send(there, ("1", "6A", "", "32", ""))
    client, school, _beside = there
    client.force_login(user("other", Role.LEAD, within=school))
    assert client.get(f"/schools/class-lists/{page.context['sent_list'].pk}/").status_code == 404

    kept = ClassesImport.objects.get()
    class_lists.purge(kept.made_at + datetime.timedelta(hours=23))
    assert ClassesImport.objects.exists()
    class_lists.purge(kept.made_at + datetime.timedelta(days=1))
    assert not ClassesImport.objects.exists()


@pytest.mark.parametrize(
    ("rows", "classes"),
    [
        (
            [
                ["STT", "Lớp", "Số học sinh", None, None, "GVCN"],
                [None, None, "Tổng số", "Nam", "Nữ", None],
                [1, "6A", 32, 15, 17, ""],
            ],
            [("6A", 32)],
        ),
        (
            [["Khối", "Lớp", "Sĩ số đầu năm", "Sĩ số hiện tại"], [6, "A", 32, 31], ["Khối 7", "A", 29, 29]],
            [("6A", 31), ("7A", 29)],
        ),
    ],
    ids=["a merged heading with its parts", "the grade apart"],
)
def test_lists_of_classes_as_schools_keep_them(there, rows, classes):
    client, school, _beside = there
    file = SimpleUploadedFile("l.xlsx", write_workbook(rows))
    page = client.post("/schools/class-lists/", {"school": school.pk, "file": file}, follow=True)

    assert [(one.named.name, one.named.pupils) for one in page.context["plan"].added] == classes
