# SPDX-License-Identifier: Apache-2.0
"""The office's pages of the gates, through the browser's eyes."""

import dataclasses
import datetime
import io
import re
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from django.utils import timezone
from pypdf import PdfReader
from tests.builders import devices
from tests.builders.coverage import agency, city
from tests.builders.office import data_folder, furnished_folder, quick_passwords, user

from bluezone.identity.models import AuditEntry, Role
from bluezone.rollout.coverage.api import agency_cell
from bluezone.rollout.gates import registry
from bluezone.rollout.gates.counters import store_counters
from bluezone.rollout.gates.models import Gate, GateDay, Gatekeeper
from bluezone.rollout.gates.queries import CodeFresh, RunningAtGates, SeenAtGates
from bluezone.rollout.report_week import Week

__all__ = ["data_folder", "furnished_folder", "quick_passwords"]
pytestmark = pytest.mark.django_db
LINKS = {"android": "https://tai.backan.example/app"}


def counted(gate, day=None, **counts):
    """Sums of a day, put straight into the table."""
    from bluezone.rollout.gates.models import PROOF_OF, Verdict

    for verdict, count in counts.items():
        one = Verdict(verdict)
        GateDay.objects.create(
            gate=gate,
            day=day or timezone.localdate(),
            direction="out" if one is Verdict.OUT else "in",
            verdict=one,
            proof=PROOF_OF[one],
            count=count,
        )


@pytest.fixture
def place():
    """Two agencies of a ward, each with a gate, and a lead of the first."""
    _top, (ward,) = city("phường Đức Xuân")
    ours, theirs = agency("Phòng Nội vụ", ward), agency("Phòng Tư pháp", ward, phone="0209 3870 111")
    now = timezone.now()
    gates = [registry.open_gate("x", one, "Cổng chính", now) for one in (ours, theirs)]
    return ours, theirs, *gates, user("lead", Role.LEAD, within=ours)


@pytest.fixture
def lead(client, place):
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(place[4])
    return place[4]


@pytest.mark.long
def test_an_agency_opens_a_gate_nominates_and_gets_a_badge_shown_once(client, place, lead):
    ours = place[0]
    answer = client.post("/gates/new/", {"agency": ours.pk, "name": "Cổng sau"})
    made = Gate.objects.get(name="Cổng sau")
    assert (answer.status_code, answer.url) == (302, f"/gates/{made.pk}/")

    answer = client.post(
        f"/gates/{made.pk}/gatekeepers/new/", {"name": "Hà Thị Lan", "phone": "0209 1", "since": "2026-01-01"}
    )
    badge = answer.context["badge"]
    assert answer.status_code == 201
    assert badge.pin in answer.text
    # Without the words that were drawn: tokens and the numbers of gates may hold any six digits.
    assert badge.pin not in re.sub(r"\w{8,}", "", client.get(f"/gates/{made.pk}/").text)

    for paper, width in (("a6", 105), ("a4", 210)):
        pdf = client.post(f"/gatekeepers/{badge.gatekeeper.pk}/badge.pdf", {"pin": badge.pin, "paper": paper})
        page = PdfReader(io.BytesIO(pdf.content)).pages[0]
        assert round(float(page.mediabox.width) / 72 * 25.4) == width
        assert badge.pin in "".join(page.extract_text().split())
        assert pdf.headers["Cache-Control"] == "no-store"
    acts = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"gate_opened", "gatekeeper_named"} <= acts


@pytest.mark.long
def test_a_badge_is_not_printed_with_another_pin(client, place, lead):
    badge = registry.nominate("lead", place[2], "Hà Thị Lan", timezone.localdate(), now=timezone.now())
    answer = client.post(f"/gatekeepers/{badge.gatekeeper.pk}/badge.pdf", {"pin": "abcdef"})

    assert answer.status_code == 302


@pytest.mark.long
def test_a_badge_is_renewed_and_a_nomination_ends(client, place, lead):
    first = registry.nominate("lead", place[2], "Hà Thị Lan", timezone.localdate(), now=timezone.now())
    pk = first.gatekeeper.pk
    second = client.post(f"/gatekeepers/{pk}/renew/").context["badge"]
    assert second.text != first.text

    early = timezone.localdate() - datetime.timedelta(days=1)
    assert client.post(f"/gatekeepers/{pk}/end/", {"until": early}).status_code == 422
    assert client.post(f"/gatekeepers/{pk}/end/", {"until": timezone.localdate()}).status_code == 302
    assert Gatekeeper.objects.get().until == timezone.localdate()


@pytest.mark.long
def test_another_agency_s_gate_is_refused_with_every_act(client, place, lead):
    other = place[3]
    theirs = registry.nominate("x", other, "Ma Văn Bình", timezone.localdate(), now=timezone.now()).gatekeeper
    posts = [f"/gates/{other.pk}/close/", f"/gates/{other.pk}/tablet/", f"/gates/{other.pk}/gatekeepers/new/"]
    posts += [f"/gatekeepers/{theirs.pk}/{act}" for act in ("renew/", "badge.pdf", "end/")]

    assert [client.post(address).status_code for address in posts] == [403] * len(posts)
    refused = client.post("/gates/new/", {"agency": place[1].pk, "name": "Cổng lạ"})
    assert refused.status_code == 422


def test_a_tablet_of_the_agency_is_put_to_a_gate_and_another_s_is_not(client, place, lead):
    ours, theirs, gate, _, _ = place
    mine, _ = devices.device(ours, name="Máy 1", now=timezone.now())
    foreign, _ = devices.device(theirs, name="Máy 2", now=timezone.now())
    for one in (mine, foreign):
        client.post(f"/gates/{gate.pk}/tablet/", {"device": one.pk})

    assert [one.device_id for one in gate.devices.all()] == [mine.pk]
    assert AuditEntry.objects.filter(action="gate_device_put").count() == 1


def test_a_closed_gate_keeps_its_sums_and_takes_no_nomination(client, place, lead):
    gate = place[2]
    counted(gate, running=12)
    assert client.post(f"/gates/{gate.pk}/close/").status_code == 302
    client.post(f"/gates/{gate.pk}/gatekeepers/new/", {"name": "Lan", "since": "2026-01-01"})

    assert not Gatekeeper.objects.exists()
    assert GateDay.objects.get().count == 12
    assert "closed" in client.get("/gates/").text


def test_who_has_nominated_nobody_is_listed_with_a_telephone(client, place, lead):
    led_to = [f"/gates/new/?agency={one.pk}" in client.get("/gates/late/").text for one in place[:2]]
    assert led_to == [True, False], "the reader's own agency alone"
    registry.nominate("lead", place[2], "Hà Thị Lan", timezone.localdate(), now=timezone.now())
    text = client.get("/gates/late/").text

    assert "0209 3870 111" in text
    assert "Phòng Nội vụ</a>" not in text
    assert "1 agency has not nominated anyone" in client.get("/gates/").text


def test_a_gate_s_page_shows_days_classes_inside_share_and_trend(client, place, lead):
    gate, today = place[2], timezone.localdate()
    counted(gate, running=3, valid_code=2, told=5, no_smartphone=4, out=6)
    counted(gate, today - datetime.timedelta(days=7), running=9, told=1)
    shown = client.get(f"/gates/{gate.pk}/")

    assert shown.context["shown"].inside.now == 8
    assert "30.0%" in shown.text
    assert "90.0%" in shown.text
    assert 'id="trend-words"' in shown.text
    assert "no interval" in shown.text


def test_small_numbers_are_kept_from_readers_of_other_agencies_in_every_view(client, place, lead):
    _ours, _theirs, gate, other, _ = place
    counted(gate, running=40, told=9, out=30)
    counted(other, running=3, told=50, no_smartphone=2, out=44)
    page = client.get("/gates/")
    rows = {row.gate.pk: row.counted for row in page.context["rows"]}

    assert (rows[gate.pk].proven, rows[other.pk].proven) == (40, None)
    assert rows[other.pk].no_smartphone is None
    assert rows[other.pk].share is None
    # Neither the sum of a row nor what is left of it gives the small number away.
    assert None in (rows[other.pk].with_smartphone, rows[other.pk].other)
    assert None in (rows[other.pk].came_in, rows[other.pk].with_smartphone)
    # Coverage keeps the same back, so that neither page gives away what the other hides.
    week = Week.of(timezone.localdate())
    for indicator, name in ((RunningAtGates(), "proven"), (CodeFresh(), "fresh"), (SeenAtGates(), "attested")):
        counts, bases = indicator.suppressed_cells(list(indicator.figures(week)))
        shown = rows[other.pk]
        assert (agency_cell(other.agency_id) in counts) == (getattr(shown, name) is None)
        assert (agency_cell(other.agency_id) in bases) == (shown.with_smartphone is None)
    alone = client.get(f"/gates/{other.pk}/")
    assert alone.context["shown"] is None
    assert alone.context["row"].counted == rows[other.pk]
    sheet = openpyxl.load_workbook(io.BytesIO(client.get("/gates/file/").content)).worksheets[0]
    line = next(row for row in sheet.iter_rows(values_only=True) if row[0] == "Phòng Tư pháp")
    assert line[4] is None


def test_the_city_s_administrator_sees_every_number(client, place):
    counted(place[3], running=3)
    client.force_login(user("admin", Role.ADMIN))

    assert client.get(f"/gates/{place[3].pk}/").context["shown"].total.proven == 3


@pytest.mark.long
@pytest.mark.parametrize(
    ("links", "asked"), [({}, "mở Bluezone khi vào"), (LINKS, "mở Bluezone và bật Bluetooth khi vào")]
)
def test_the_sign_asks_for_bluetooth_only_where_there_is_an_app_that_has_it(
    client, place, lead, settings, links, asked
):
    settings.CITY = dataclasses.replace(settings.CITY, install_links=links)
    sign = PdfReader(io.BytesIO(client.get(f"/gates/{place[2].pk}/sign.pdf?paper=a4").content))
    text = " ".join(sign.pages[0].extract_text().split())

    assert f"Đề nghị ông/bà {asked} cơ quan." in text
    assert ("Bluetooth" in text) is bool(links)


@pytest.mark.long
def test_sign_and_book_are_pdf_and_say_what_is_counted(client, place, lead):
    gate = place[2]
    sizes = []
    for paper in ("a4", "a3"):
        sign = PdfReader(io.BytesIO(client.get(f"/gates/{gate.pk}/sign.pdf?paper={paper}").content))
        assert len(sign.pages) == 1
        text = " ".join(sign.pages[0].extract_text().split())
        assert "Cổng này chỉ đếm số lượt, không ghi tên, không ghi số điện thoại." in text
        assert "This gate counts passages only" in text
        sizes.append(round(float(sign.pages[0].mediabox.width) / 72 * 25.4))
    book = PdfReader(io.BytesIO(client.get(f"/gates/{gate.pk}/book.pdf").content))
    assert sizes == [210, 297]
    assert len(book.pages) == 4
    assert "chỉ giữ trên giấy" in " ".join(book.pages[0].extract_text().split())


def test_passages_whose_day_is_not_known_are_in_a_line_of_the_gate_s_page_and_in_no_number(client, place, lead):
    ours, theirs = place[2], place[3]
    tomorrow = int(timezone.now().timestamp()) // 300 * 300 + 86_400
    for gate in (ours, theirs):
        tablet, _token = devices.connected_device(gate.agency, name=f"Máy {gate.pk}", now=timezone.now())
        registry.put_device("x", tablet, gate)
        store_counters(
            tablet.pk, gate, [[tomorrow, "in", "running", 7]], timezone.now().timestamp(), ZoneInfo("Asia/Ho_Chi_Minh")
        )
    page = client.get(f"/gates/{ours.pk}/")

    assert "7 passages without a known day" in page.text
    assert page.context["shown"].total.came_in == 0
    assert "without a known day" not in client.get(f"/gates/{theirs.pk}/").text
    assert "Passages without a known day" in client.get("/gates/").text
    assert list(RunningAtGates().figures(Week.of(timezone.localdate()))) == []
