# SPDX-License-Identifier: Apache-2.0
"""The pages of the schools, through the browser's eyes."""

import io
import re

import openpyxl
import pypdf
import pytest
from django.utils import timezone
from tests.builders.coverage import registered_only
from tests.builders.office import user
from tests.builders.schools import class_report, find_class, this_week

from bluezone.identity.models import Role
from bluezone.rollout.schools.models import ClassReport, SchoolBreak, SchoolClass, WeekOpening
from bluezone.rollout.schools.queries import PupilsRunning

pytestmark = pytest.mark.django_db
ROWS = "Lớp\tSĩ số\tCó ĐTTM\tĐang chạy\tNgười thân\n6A\t40\t30\t12\t20\nLớp 6B\t35\t25\t9\t11\nTổng\t75\t55\t21\t31"


def body(text):
    return " ".join(text.split("<main")[1].split("</main>")[0].split())


def test_the_list_names_each_school_and_class_that_has_not_reported(client, head, school, town):
    class_report(find_class(school, "6A"), 40, 30, 12, 20)
    text = body(client.get("/schools/?show=missing").text)

    assert "Trường THCS Đức Xuân" in text
    assert "1/2" in text
    assert "missing</span> 6B" in text
    assert "missing</span> 6A, 6B" in text


@pytest.mark.long
def test_a_school_types_its_paper_form_into_one_table(client, head, school):
    a, b = find_class(school, "6A"), find_class(school, "6B")
    row = {f"{a.pk}-pupils": 40, f"{a.pk}-with_smartphone": 30, f"{a.pk}-running": 12, f"{a.pk}-relatives": 20}
    half = {**row, f"{b.pk}-pupils": 35, f"{b.pk}-running": 3}
    refused = client.post(f"/schools/{school.pk}/enter/", half)
    stored = client.post(f"/schools/{school.pk}/enter/", {**row, f"{b.pk}-pupils": 35}, follow=True)

    assert refused.status_code == 422
    assert "Write 0 for none" in refused.text
    assert "1 class is stored" in stored.text
    assert ClassReport.objects.get().school_class == a


@pytest.mark.long
def test_of_two_who_fill_in_one_table_of_classes_each_is_shown_what_the_other_stored(client, head, school):
    a, b = find_class(school, "6A"), find_class(school, "6B")
    address = f"/schools/{school.pk}/enter/"
    empty = client.get(address)
    rows = {**numbers(a, 40, 30, 12, 20), f"{b.pk}-pupils": empty_pupils(empty, b), "shown-rows": shown(empty, "-rows")}
    assert client.post(address, rows).status_code == 302
    mine = {**rows, **numbers(a, 40, 30, 15, 20), **numbers(b, 35, 25, 9, 11)}
    answer = client.post(address, mine)

    assert answer.status_code == 409
    assert [(one.label, one.stored) for one in answer.context["table"].clashes] == [("6A: Bluezone running", "12")]
    assert 'value="9"' in answer.text
    assert sorted(ClassReport.objects.values_list("running", flat=True)) == [12], "nothing of the second is stored yet"

    again = {**mine, "shown-rows": shown(answer, "-rows"), f"take-{a.pk}-running": "on"}
    assert client.post(address, again).status_code == 302
    assert sorted(ClassReport.objects.values_list("running", flat=True)) == [9, 12]


@pytest.mark.long
def test_of_two_who_report_one_class_or_change_it_each_is_shown_what_the_other_stored(client, head, school):
    one = find_class(school, "6A")
    address = f"/schools/classes/{one.pk}/"
    tokens = re.findall(r'name="shown" value="([^"]+)"', client.get(address).text)
    counts = {"pupils": 40, "with_smartphone": 30, "running": 12, "relatives": 20, "shown": tokens[0]}
    assert client.post(address, counts).status_code == 302
    second = client.post(address, {**counts, "running": 15})

    assert second.status_code == 409
    assert [clash.stored for clash in second.context["form"].clashes] == ["12"]
    assert ClassReport.objects.get().running == 12
    assert client.post(address, {**counts, "running": 15, "shown": shown(second)}).status_code == 302
    assert ClassReport.objects.get(is_current=True).running == 15

    settings = {"name": "6A", "pupils": 40, "teacher": "", "shown": tokens[1]}
    assert client.post(f"{address}correct/", {**settings, "pupils": 41}).status_code == 302
    renamed = client.post(f"{address}correct/", {**settings, "name": "6A1"})
    assert renamed.status_code == 409
    one.refresh_from_db()
    assert (one.name, one.pupils) == ("6A", 41)
    assert renamed.context["settings"]["pupils"].value() == "41"


def numbers(one, *counted):
    names = ("pupils", "with_smartphone", "running", "relatives")
    return {f"{one.pk}-{name}": count for name, count in zip(names, counted, strict=True)}


def empty_pupils(page, one):
    form = next(form for each, form in page.context["rows"] if each == one)
    return form["pupils"].value() or ""


def shown(page, of=""):
    return re.search(rf'name="shown{of}" value="([^"]+)"', page.text)[1]


def test_rows_pasted_are_shown_first_and_stored_then(client, head, school):
    shown = client.post(f"/schools/{school.pk}/paste/", {"rows": ROWS})
    assert "Store 2 classes" in shown.text
    assert not ClassReport.objects.exists()
    client.post(f"/schools/{school.pk}/paste/", {"rows": ROWS, "store": "1"})

    assert sorted(ClassReport.objects.values_list("running", "channel")) == [(9, "pasted"), (12, "pasted")]


def test_a_pasted_list_of_pupils_is_refused_not_stored_and_not_shown_again(client, head, school):
    answer = client.post(
        f"/schools/{school.pk}/paste/",
        {"rows": "STT\tHọ và tên\tLớp\tCó máy\n1\tNguyễn Văn An\t6A\t1", "store": "1"},
    )

    assert answer.status_code == 422
    assert "looks like a list of pupils" in answer.text
    assert "Nguyễn Văn An" not in answer.text
    assert not ClassReport.objects.exists()


@pytest.mark.parametrize(
    "rows", ["6A\t40\t50\t1\t1", "6Z\t1\t1\t1\t1", "6A\t1\t1", "6A\tx\t1\t1\t1", "6A\t1\t1\t1\t1\n" * 2]
)
def test_a_row_that_cannot_be_used_stores_nothing(client, head, school, rows):
    answer = client.post(f"/schools/{school.pk}/paste/", {"rows": rows, "store": "1"})

    assert answer.status_code == 422
    assert not ClassReport.objects.exists()


def filed(client):
    """The numbers of the file of the schools."""
    sheet = openpyxl.load_workbook(io.BytesIO(client.get("/schools/file/").content)).active
    return [cell.value for row in sheet.iter_rows() for cell in row if isinstance(cell.value, int)]


def test_above_the_school_only_sums_are_seen_and_small_numbers_are_kept_back(client, head, town, school):
    _top, _below, (_first, second) = town
    class_report(find_class(school, "6A"), 40, 3, 2, 1)
    class_report(find_class(second, "6A"), 40, 30, 20, 10)
    assert "missing</span>" in client.get("/schools/").text
    own, own_file = body(client.get(f"/schools/{school.pk}/").text), filed(client)
    client.force_login(user("hoa", Role.LEADER))
    assert (own_file.count(3), filed(client).count(3)) == (1, 0), "a file keeps back what the page does"
    city, page = body(client.get("/schools/").text), body(client.get(f"/schools/{school.pk}/").text)

    assert "</span>3</td>" in own
    assert "withheld" in city
    assert "</span>3</td>" not in city
    assert "withheld" in page
    assert "6A</a>" not in page


def test_an_administrator_of_the_city_enters_nothing_for_a_school(client, admin, school):
    client.force_login(admin)

    assert client.get(f"/schools/{school.pk}/enter/").status_code == 403
    assert client.get(f"/schools/{school.pk}/paste/").status_code == 403
    assert client.get(f"/schools/classes/{find_class(school, '6A').pk}/").status_code == 403


def test_a_teacher_with_an_account_sees_and_reports_the_own_class_alone(client, head, school):
    teacher = user("thu", Role.TEACHER, within=school)
    mine, other = find_class(school, "6A"), find_class(school, "6B")
    client.post(f"/schools/classes/{mine.pk}/correct/", {"name": "6A", "pupils": "40", "teacher": teacher.pk})
    client.force_login(teacher)
    values = {"pupils": 40, "with_smartphone": 30, "running": 12, "relatives": 20}
    client.post(f"/schools/classes/{mine.pk}/?week={this_week()}", values)

    assert f"/schools/classes/{mine.pk}/" in client.get("/schools/mine/").text
    assert client.get(f"/schools/classes/{other.pk}/").status_code == 403
    assert client.post(f"/schools/classes/{other.pk}/", values).status_code == 403
    assert client.get(f"/schools/{school.pk}/enter/").status_code == 403
    assert ClassReport.objects.get().reported_by == teacher


@pytest.mark.long
def test_links_and_pins_are_shown_once_and_new_ones_only_for_classes_ticked(client, head, school):
    first = client.post(f"/schools/{school.pk}/links/")
    again = client.post(f"/schools/{school.pk}/links/", follow=True)
    before = dict(school.school_classes.values_list("name", "link_digest"))
    client.post(f"/schools/{school.pk}/links/", {"class": [find_class(school, "6A").pk]})
    after = dict(school.school_classes.values_list("name", "link_digest"))

    assert first.text.count('class="num pin"') == 2
    assert "Every class has a link" in again.text
    assert before["6A"] != after["6A"]
    assert before["6B"] == after["6B"]


def test_a_class_ended_by_a_slip_goes_on_within_ten_seconds(client, head, school):
    one = find_class(school, "6A")
    page = client.post(f"/schools/classes/{one.pk}/correct/", {"end": "1"}, follow=True).text
    assert "Undo (10 seconds)" in page
    client.post("/undo/", {"next": "/schools/"})
    one.refresh_from_db()

    assert one.ended_on is None


def test_a_school_asks_for_a_locked_week_and_the_office_opens_it(client, head, school, admin):
    week = this_week().previous.previous
    client.post(f"/schools/{school.pk}/ask/?week={week}", {"reason": "Nộp nhầm"})
    asked = WeekOpening.objects.get()
    assert client.post(f"/schools/openings/{asked.pk}/answer/", {"granted": "1"}).status_code == 403
    client.force_login(admin)
    assert "Nộp nhầm" in client.get("/schools/").text
    for unfit in ("1999-01-01", "thứ Sáu"):
        client.post(f"/schools/openings/{asked.pk}/answer/", {"granted": "1", "until": unfit})
        assert WeekOpening.objects.get().state == "asked"
    client.post(f"/schools/openings/{asked.pk}/answer/", {"granted": "1"})
    client.force_login(head)
    one = find_class(school, "6A")

    values = {"pupils": 40, "with_smartphone": 30, "running": 12, "relatives": 20}
    assert client.post(f"/schools/classes/{one.pk}/?week={week}", values).status_code == 302


@pytest.mark.long
def test_holidays_are_entered_by_the_city_or_the_school_and_taken_back(client, head, town, school, admin):
    top, _below, _schools = town
    first = this_week().first_day
    day = f"{first.day}/{first.month}/{first.year}"
    values = {"holder": f"s{school.pk}", "first": day, "last": day, "reason": "Nghỉ lễ"}
    assert client.post("/schools/breaks/", values).status_code == 302
    assert client.post("/schools/breaks/", {**values, "holder": f"u{top.pk}"}).status_code == 403
    assert client.post("/schools/breaks/", {**values, "last": "2000-01-01"}).status_code == 422
    assert "no school" in client.get("/schools/").text
    client.force_login(admin)
    assert client.post("/schools/breaks/", {**values, "holder": f"u{top.pk}"}).status_code == 302
    of_the_city = SchoolBreak.objects.get(unit=top)
    client.force_login(head)

    assert client.post(f"/schools/breaks/{of_the_city.pk}/cancel/").status_code == 403
    assert client.post(f"/schools/breaks/{SchoolBreak.objects.get(school=school).pk}/cancel/").status_code == 302


def test_training_shows_and_stores_training_alone(client, head, school):
    class_report(find_class(school, "6A"), 40, 30, 12, 20)
    session = client.session
    session["training"] = True
    session.save()
    client.post(f"/schools/{school.pk}/classes/", {"classes": "9Z 20"})
    trained = SchoolClass.everything.get(name="9Z")
    client.post(f"/schools/classes/{trained.pk}/", {"pupils": 20, "with_smartphone": 9, "running": 8, "relatives": 7})
    page = body(client.get(f"/schools/{school.pk}/").text)

    assert trained.training
    assert ">9Z<" in page
    assert ">6A<" not in page
    assert ClassReport.objects.count() == 1
    assert [figure.count for figure in PupilsRunning().figures(this_week())] == [12]


def test_coverage_shows_the_pupils_self_reported_and_hides_what_the_schools_hide(client, head, town, school):
    top, _below, (_first, second) = town
    class_report(find_class(school, "6A"), 40, 38, 20, 1)
    class_report(find_class(second, "6A"), 40, 30, 20, 10)
    with registered_only(PupilsRunning()):
        text = body(client.get(f"/coverage/units/{top.pk}/numbers/").text)

    assert "pupils running it" in text
    assert ">withheld</span></a> pupils running it" in text, "the two without a smartphone would be told by the table"
    assert "/ 38" not in text
    assert f"/schools/?week={this_week()}" in text


@pytest.mark.long
def test_letter_and_paper_form_come_as_pdf_with_the_schools_name(client, head, school):
    letter = client.get(f"/schools/{school.pk}/letter/?directive=458/UBND-VP")
    form = client.get(f"/schools/{school.pk}/form/")
    texts = ["".join("".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(answer.content)).pages)
             for answer in (letter, form)]  # fmt: skip

    assert "TrườngTHCSĐứcXuân" in texts[0]
    assert "458/UBND-VP" in texts[0]
    assert "TrườngTHCSĐứcXuân" in texts[1]
    assert "6A" in texts[1]
    assert "Khôngghitênhọcsinh" in texts[1]


def test_the_file_has_what_the_page_has(client, head, school):
    class_report(find_class(school, "6A"), 40, 30, 12, 20)
    sheet = openpyxl.load_workbook(io.BytesIO(client.get("/schools/file/").content)).active
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]

    assert any(row[0] == "Trường THCS Đức Xuân" and row[3:8] == [1, 40, 30, 12, 20] and row[8] == "6B" for row in rows)
    assert timezone.localdate().year
