# SPDX-License-Identifier: Apache-2.0
"""The pages of directives: scenarios 1 and 4 through the browser's eyes, and what each refuses."""

import datetime
import html
import re
import time

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from tests.builders.bulletins import approved_bulletin, schedule_bulletin, station
from tests.builders.coverage import staff_report
from tests.builders.directives import LETTER, confirm_as_seen, door_to_door, person
from tests.builders.office import local_today

from bluezone.directory.models import Agency
from bluezone.rollout.bulletins.air.air_log import attest_airing
from bluezone.rollout.bulletins.models import Airing
from bluezone.rollout.directives.inbox import dispatch_acts
from bluezone.rollout.directives.models import Directive, Report
from bluezone.rollout.report_week import Week

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


@pytest.fixture
def as_clerk(client, clerk):
    client.force_login(clerk)
    return client


@pytest.fixture
def ward(committee):
    return Agency.objects.get(key="ubnd-phuong-song-cau")


@pytest.fixture
def officer(ward):
    return person("officer", "officer", ward, name="Lý Văn Cán")


def confirmed(client):
    """This browser has just proved its second factor."""
    session = client.session
    session["second_factor_at"] = int(time.time())
    session.save()


def form_of(page):
    """What a browser would send back from the page of the draft, unchanged."""
    data = {}
    for form in [page.context["form"], page.context["tasks"].management_form, *page.context["tasks"].forms]:
        for field in form:
            data[field.html_name] = "" if field.value() is None else field.value()
    return data


@pytest.mark.long
def test_the_clerk_pastes_corrects_one_field_and_it_is_sent_to_everybody(as_clerk, committee, signer):
    drafted = as_clerk.post("/directives/new/", {"issuer": committee.pk, "text": LETTER})
    page = as_clerk.get(drafted.url)
    named = {"task-1-lead_names": "UBND các xã, phường", "then": "submit"}
    stored = as_clerk.post(drafted.url, form_of(page) | named)
    directive = Directive.objects.get()
    assert (drafted.status_code, page.status_code, stored.status_code) == (302, 200, 302)
    assert "458/UBND-VP" in page.content.decode()

    as_clerk.force_login(signer)
    assert as_clerk.post(reverse("directive-approve", args=[directive.pk])).url.startswith("/confirm/")
    confirmed(as_clerk)
    confirm_as_seen(as_clerk, directive.pk)
    page = reverse("directive", args=[directive.pk])
    refused = as_clerk.post(
        reverse("directive-issue", args=[directive.pk]), HTTP_REFERER=f"https://testserver{page}?from=home"
    )
    assert refused.status_code == 409
    assert as_clerk.get(language_link(refused)).url == f"{page}?from=home", (
        "an address that only takes a form is no page"
    )
    as_clerk.post(reverse("directive-issue", args=[directive.pk]), {"on_paper": "on"})
    directive.refresh_from_db()
    assert (directive.state, directive.dispatches.count()) == ("issued", 32)
    assert as_clerk.get(reverse("directive", args=[directive.pk])).status_code == 200


def language_link(answer):
    return html.unescape(re.search(r'class="plain language"[^>]* href="([^"]+)"', answer.text)[1])


def test_a_clerk_does_not_approve(as_clerk, directive):
    assert as_clerk.post(reverse("directive-approve", args=[directive.pk])).status_code == 403


@pytest.mark.long
@pytest.mark.parametrize(
    "sent",
    [
        {"text": "Kính gửi anh Ba, mai nhớ mang sách."},
        {"text": "   "},
        {"file": SimpleUploadedFile("x.exe", b"MZ\x00\x01" + bytes(100))},
        {"file": SimpleUploadedFile("x.pdf", b"%PDF-1.7 broken")},
        {"file": SimpleUploadedFile("x.html", b"<script>alert(1)</script>")},
    ],
    ids=["no letter", "nothing", "program", "broken pdf", "html"],
)
def test_what_is_no_letter_is_refused_and_nothing_is_stored(as_clerk, committee, sent):
    answer = as_clerk.post("/directives/new/", {"issuer": committee.pk, **sent})

    assert answer.status_code == 422
    assert Directive.objects.count() == 0
    from bluezone.rollout.directives.models import StoredFile

    assert StoredFile.objects.count() == 0


@pytest.mark.long
def test_a_scan_is_kept_with_an_empty_form_beside_it(as_clerk, committee):
    answer = as_clerk.post(
        "/directives/new/", {"issuer": committee.pk, "file": SimpleUploadedFile("../cv 458.png", PNG)}
    )
    original = Directive.objects.get().original
    shown = as_clerk.get(reverse("file", args=[original.token]))

    assert answer.status_code == 302
    assert (original.name, shown["Content-Type"], shown["X-Content-Type-Options"]) == (
        "cv 458.png",
        "image/png",
        "nosniff",
    )
    assert len(original.token) == 43


@pytest.mark.long
def test_free_text_is_shown_escaped(as_clerk, directive):
    Directive.objects.filter(pk=directive.pk).update(subject="<script>alert(1)</script>")
    page = as_clerk.get(reverse("directive", args=[directive.pk])).content.decode()

    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.long
def test_an_officer_receives_begins_and_takes_a_tap_back(client, directive, officer, ward, monkeypatch):
    # As long as it takes on a busy machine.
    monkeypatch.setattr(dispatch_acts, "UNDO_SECONDS", 3600)
    client.force_login(officer)
    dispatch = directive.dispatches.get(agency=ward)
    act = reverse("inbox-act", args=[dispatch.pk])
    assert client.get(reverse("inbox-one", args=[dispatch.pk])).status_code == 200
    assert client.post(act, {"to": "received"}).status_code == 302
    assert client.get(reverse("inbox-one", args=[dispatch.pk])).context["may_undo"]
    assert client.post(reverse("inbox-undo", args=[dispatch.pk])).status_code == 302
    dispatch.refresh_from_db()
    assert dispatch.state == "arrived"
    assert client.post(act, {"to": "done"}).status_code == 409
    assert client.post(act, {"to": "sent_back"}).status_code == 422
    assert client.post(act, {"to": "sent_back", "reason": "Gửi nhầm"}).status_code == 302


@pytest.mark.long
def test_a_tap_is_offered_back_to_who_made_it_and_to_no_colleague(client, directive, officer, ward):
    client.force_login(officer)
    page = reverse("inbox-one", args=[directive.dispatches.get(agency=ward).pk])
    client.post(f"{page}act/", {"to": "received"})
    client.force_login(person("dong.nghiep", "officer", ward))

    shown = client.get(page).context
    assert (shown["handles"], shown["may_undo"]) == (True, False)


@pytest.mark.long
def test_another_wards_document_and_report_are_out_of_reach(client, directive, officer):
    client.force_login(officer)
    other = directive.dispatches.get(agency__key="ubnd-phuong-duc-xuan")
    party = door_to_door(directive).parties.get(agency=other.agency)

    assert client.get(reverse("inbox-one", args=[other.pk])).status_code == 403
    assert client.post(reverse("inbox-act", args=[other.pk]), {"to": "received"}).status_code == 403
    assert client.get(reverse("task-report", args=[party.pk])).status_code == 403
    assert client.get(reverse("directive", args=[directive.pk])).status_code == 403
    assert {one.agency_id for one in client.get("/inbox/").context["rows"]} == {officer.grants.get().agency_id}


@pytest.mark.long
def test_a_ward_reports_with_evidence_and_the_city_returns_it_with_a_reason(client, directive, officer, ward, clerk):
    task = door_to_door(directive)
    task.report_from, task.due = local_today() - datetime.timedelta(days=3), None
    task.save()
    party = task.parties.get(agency=ward)
    client.force_login(officer)
    address = reverse("task-report", args=[party.pk])
    assert client.post(address, {"people": "-3"}).status_code == 422
    sent = {"people": "120", "text": "=cmd|' /C calc'!A0", "evidence": SimpleUploadedFile("a.png", PNG)}
    assert client.post(address, sent).status_code == 302
    report = Report.objects.get()
    assert (report.values, report.evidence.count()) == ({"people": 120}, 1)

    client.force_login(clerk)
    progress = client.get(reverse("directive-progress", args=[directive.pk]) + f"?task={task.pk}")
    assert (progress.context["rates"].expected, progress.context["rates"].actual) == (8, 1)
    client.post(reverse("report-check", args=[report.pk]), {"reason": "Thiếu số hộ"})
    client.force_login(officer)
    assert "Thiếu số hộ" in client.get(address).content.decode()


@pytest.mark.long
@pytest.mark.parametrize(("every", "days_ago", "weeks"), [("week", 13, 2), ("month", 20, None), ("once", 400, 6)])
def test_the_form_of_a_report_leads_to_the_figures_of_its_weeks(
    client, directive, officer, ward, every, days_ago, weeks
):
    task = door_to_door(directive)
    task.report_every, task.report_from = every, local_today() - datetime.timedelta(days=days_ago)
    task.due = local_today() + datetime.timedelta(days=30)
    task.save()
    client.force_login(officer)
    answer = client.get(reverse("task-report", args=[task.parties.get(agency=ward).pk]))

    period, shown = answer.context["period"], answer.context["weeks"]
    assert shown[-1] == Week.of(min(period.last, local_today()))
    assert [one.following for one in shown[:-1]] == shown[1:]
    assert len(shown) <= 6
    assert len(shown) == 6 or shown[0].first_day <= period.first <= shown[0].last_day
    # Seven days touch one week where they begin on a Monday, else two.
    assert weeks is None or len(shown) == weeks or (every == "week" and period.first.isoweekday() == 1)
    for one in shown:
        address = f"{reverse('coverage-unit', args=[ward.unit_id])}?week={one}"
        assert f'href="{address}"' in answer.content.decode()
        assert client.get(address).status_code == 200


@pytest.mark.long
def test_the_form_of_a_report_has_the_figures_of_its_week_to_copy(client, directive, officer, ward):
    week = Week.of(local_today()).previous
    monday = datetime.datetime.combine(week.first_day, datetime.time(), timezone.get_default_timezone())
    task = door_to_door(directive)
    task.report_every, task.report_from, task.due = "week", week.first_day, local_today() + datetime.timedelta(days=30)
    task.save()
    address = reverse("task-report", args=[task.parties.get(agency=ward).pk]) + f"?period={week.first_day}"
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(officer)
    assert "Nothing was counted in week" in client.get(address).content.decode()

    staff_report(ward, officer, running=3, with_smartphone=9, week=week)
    bulletin = approved_bulletin(seconds=2.0, now=monday - datetime.timedelta(days=1), keeper=ward)
    schedule_bulletin(bulletin, station(keeper=ward), first=week.first_day, last=week.last_day, now=monday)
    for airing in Airing.objects.order_by("due_at")[:5]:
        attest_airing(airing, officer, airing.due_at, link="https://baobackan.example/1")
    told = " ".join(client.get(address).content.decode().split())

    assert "Bulletins reported as aired: 5 / 7 (airings due without automatic reports)." in told
    # As on the page of coverage: other agencies' numbers are among those of the ward.
    assert 'Staff running it, as reported by their agency: <span class="kept">withheld</span> / 9' in told
    assert 'data-copy="for-report"' in told


@pytest.mark.long
def test_the_reports_leave_as_xlsx_and_docx_with_formulas_inert(client, directive, clerk, ward, officer):
    import io

    import openpyxl
    from tests.builders.directives import NOW

    from bluezone.rollout.directives.reports import agency_reports

    task = door_to_door(directive)
    first = task.report_from
    agency_reports.submit(task, ward, first, {"people": 5}, "=1+1", officer, NOW)
    client.force_login(clerk)
    where = f"?task={task.pk}&period={first}"
    xlsx = client.get(reverse("directive-file", args=[directive.pk, "xlsx"]) + where)
    cells = [cell for row in openpyxl.load_workbook(io.BytesIO(xlsx.content)).active for cell in row]

    assert [cell.data_type for cell in cells if cell.value == "=1+1"] == ["s"]
    assert client.get(reverse("directive-file", args=[directive.pk, "docx"]) + where).status_code == 200


@pytest.mark.long
def test_an_agency_that_asked_for_more_time_reads_what_it_asked_and_the_answer(client, directive, clerk, ward, officer):
    task = door_to_door(directive)
    page = reverse("inbox-one", args=[directive.dispatches.get(agency=ward).pk])
    client.force_login(officer)
    until = (local_today() + datetime.timedelta(days=60)).isoformat()
    address = reverse("task-ask", args=[task.parties.get(agency=ward).pk])
    client.post(address, {"kind": "extension", "until": until, "reason": "Mưa lũ, đường <b>hỏng</b>"})
    assert "Mưa lũ, đường &lt;b&gt;hỏng&lt;/b&gt;" in client.get(page).text
    assert "Chờ trả lời" in client.get(page).text

    client.force_login(clerk)
    client.post(
        reverse("request-answer", args=[task.requests.get().pk]), {"granted": "0", "answer": "Đã gia hạn chung"}
    )
    client.force_login(officer)
    assert "Từ chối" in client.get(page).text
    assert "Đã gia hạn chung" in client.get(page).text


@pytest.mark.long
def test_the_registers_show_what_was_received_and_issued(client, directive, officer, ward, clerk):
    client.force_login(officer)
    client.post(reverse("inbox-act", args=[directive.dispatches.get(agency=ward).pk]), {"to": "received"})
    year = local_today().year
    page = client.get(f"/registers/in/?year={year}")
    assert "458/UBND-VP" in page.content.decode()
    client.force_login(clerk)
    committee = directive.issuer_id
    assert "458/UBND-VP" in client.get(f"/registers/out/?year=2020&agency={committee}").content.decode()
    assert client.get(f"/registers/out/?year=2020&agency={committee}&as=xlsx").status_code == 200
