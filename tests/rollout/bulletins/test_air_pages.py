# SPDX-License-Identifier: Apache-2.0
"""The air log as a page: who may say what of which airing, with what evidence."""

import datetime
import html
import io
import re

import pypdfium2
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from openpyxl import load_workbook
from PIL import Image
from tests.builders.bulletins import NOW, approved_bulletin, machine, make_people, schedule_bulletin, station, zone
from tests.builders.devices import agency
from tests.builders.office import prove_second_factor, user

from bluezone.directory.models import AdminUnit
from bluezone.identity.acts import UndoTooLate
from bluezone.rollout.bulletins.air import air_views
from bluezone.rollout.bulletins.air.air_log import AiringOutcome, airings_between, log_rows, sum_rows, undo_attestation
from bluezone.rollout.bulletins.models import Airing, Attestation, Outlet, OutletKind
from bluezone.rollout.report_week import Week

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


@pytest.fixture
def operator(client):
    """Somebody who keeps the outlets of the ward, in Vietnamese."""
    client.force_login(user("loa", "speaker_operator", within=agency(), factor=False))
    return client


def first_airing(outlet):
    schedule_bulletin(approved_bulletin(seconds=2.0), outlet, last=NOW.date())
    return Airing.objects.get(outlet=outlet)


def log(client, **asked):
    return client.get("/air-log/", {"on": "2020-08-10", **asked}).content.decode()


def counted():
    rows = log_rows(list(airings_between(NOW, NOW + DAY)), NOW + DAY)
    return rows, sum_rows(rows)


@pytest.mark.long
def test_a_zone_whose_machine_is_silent_is_played_by_hand_and_said_to_have_been(operator):
    place = zone()
    machine(place)
    airing = first_airing(place.outlet)
    tap = f"/airings/{airing.pk}/aired/"
    assert tap in log(operator)
    assert tap in operator.get(f"/loudspeakers/{place.pk}/?on=2020-08-10").content.decode()

    operator.post(tap)

    (row,), counts = counted()
    assert row.aired is AiringOutcome.AIRED
    assert (counts.machine_airings, counts.proven, counts.other_airings, counts.attested) == (0, 0, 1, 1)
    assert tap not in log(operator)
    assert Attestation.objects.get().airing == airing


@pytest.mark.long
def test_what_a_machine_reported_takes_no_word_of_a_person(operator):
    place = zone()
    device, _token = machine(place)
    airing = first_airing(place.outlet)
    airing.playings.create(device=device, outcome="missed", sink="ffplay", reason="was_off")

    assert f"/airings/{airing.pk}/" not in log(operator)


@pytest.mark.parametrize("by_hand", [True, False])
def test_an_airing_is_to_come_until_nothing_was_heard_of_it_for_five_minutes(by_hand):
    place = zone(by_hand=by_hand)
    if not by_hand:
        machine(place)
    airing = first_airing(place.outlet)
    waited = [airing.due_at + datetime.timedelta(minutes=minutes) for minutes in (4, 5)]

    assert [log_rows([airing], moment)[0].aired for moment in waited] == [AiringOutcome.TO_COME, AiringOutcome.SILENT]
    assert (log_rows([airing], waited[0])[0].proven is None) == by_hand


@pytest.mark.long
def test_the_log_says_what_broke_off_how_much_was_heard_and_what_was_said_again(operator):
    place = zone()
    device, _token = machine(place)
    airing = first_airing(place.outlet)
    told = airing.playings.create(
        device=device, outcome="missed", sink="ffplay", reason="cut_off", began_at=airing.due_at, heard_seconds=8.2
    )
    page = log(operator)
    assert "1 bị ngắt giữa chừng (nghe được nhiều nhất 8 giây)" in page
    assert str(AiringOutcome.MISSED.label) not in page

    told.outcome, told.earlier = "played", [[airing.due_at.timestamp(), 8.2]]
    told.save()
    assert "1 phát lại từ đầu sau khi bị ngắt" in log(operator)


@pytest.mark.long
@pytest.mark.parametrize("kind", [kind for kind in OutletKind if kind != OutletKind.LOUDSPEAKERS])
def test_radio_television_and_the_press_are_booked_as_aired_with_a_link_or_a_photo_alone(operator, kind):
    airing = first_airing(station("Đài, báo", kind))
    shown = log(operator)
    assert f"/airings/{airing.pk}/aired/" not in shown
    assert f"/airings/{airing.pk}/say/" in shown

    refused = operator.post(f"/airings/{airing.pk}/aired/", follow=True)
    assert "cần liên kết hoặc ảnh làm minh chứng" in refused.content.decode()
    say = f"/airings/{airing.pk}/say/"
    assert "cần liên kết hoặc ảnh" in operator.get(say).content.decode()
    bare = operator.post(say, {"was_aired": "1"})
    assert (bare.status_code, Attestation.objects.count()) == (422, 0)
    assert "cần liên kết hoặc ảnh làm minh chứng" in bare.content.decode()

    assert operator.post(say, {"was_aired": "1", "link": "https://example.org/ban-tin"}).status_code == 302
    assert counted()[1].attested == 1


def test_why_something_was_not_aired_needs_no_evidence_and_a_photo_will_do_for_a_link(operator):
    airing, other = first_airing(station()), first_airing(station("Báo", OutletKind.PRESS))
    assert operator.post(f"/airings/{airing.pk}/say/", {"was_aired": "0", "note": "Mất điện"}).status_code == 302

    picture = io.BytesIO()
    Image.new("RGB", (20, 20)).save(picture, "PNG")
    photo = SimpleUploadedFile("bao.png", picture.getvalue())
    assert operator.post(f"/airings/{other.pk}/say/", {"was_aired": "1", "photo": photo}).status_code == 302
    assert Attestation.objects.get(airing=other).has_photo


def test_a_zone_played_by_hand_takes_one_tap(operator):
    airing = first_airing(zone(by_hand=True).outlet)
    operator.post(f"/airings/{airing.pk}/aired/")
    assert counted()[1].attested == 1


def test_a_word_is_taken_back_by_whom_it_is_and_by_nobody_else(operator):
    airing = first_airing(zone(by_hand=True).outlet)
    operator.post(f"/airings/{airing.pk}/aired/")
    said = Attestation.objects.get()
    with pytest.raises(UndoTooLate):
        undo_attestation(make_people()[0], {"airing": airing.pk}, said.at)
    assert counted()[1].attested == 1

    undo_attestation(said.by, {"airing": airing.pk}, said.at)
    assert counted()[1].attested == 0


@pytest.fixture
def elsewhere():
    """An outlet of another ward, which has nothing to do with what is aired here."""
    here = agency()
    province = here.unit.parent
    other = AdminUnit.objects.create(
        key="duc-xuan", name="Phường Đức Xuân", kind="ward", parent=province, folded="duc xuan",
        path=f"{province.path}99/",
    )  # fmt: skip
    made = zone("Tổ của Đức Xuân").outlet
    Outlet.objects.filter(pk=made.pk).update(unit=other)
    schedule_bulletin(approved_bulletin(seconds=2.0), made)
    return made


@pytest.mark.long
@pytest.mark.parametrize("address", ["/air-log/", "/air-plan/"])
def test_a_page_narrowed_to_a_unit_stays_so_on_every_way_on(operator, elsewhere, address, monkeypatch):
    monkeypatch.setattr(air_views, "A_PAGE", 2)
    place = zone().outlet
    schedule_bulletin(approved_bulletin(seconds=2.0), place)
    unit = place.agency.unit
    asked = {"week": str(Week.of(NOW.date())), "unit": unit.pk, "outlet": place.pk, "page": 2}
    shown = operator.get(address, asked).content.decode()
    assert unit.name in shown

    ways = [html.unescape(one) for one in re.findall(r'href="([^"]*\?[^"]*)"', shown) if "language" not in one]
    ways = [one for one in ways if not one.startswith("/") or one.startswith(address)]
    leaving = [one for one in ways if f"unit={unit.pk}" not in one]
    # Earlier, later, the file, for the plan also the weeks beside; one way alone leads to everything.
    assert len(ways) >= 4
    assert len(leaving) == 1
    assert elsewhere.name in operator.get(address + leaving[0]).content.decode()
    for way in set(ways) - set(leaving):
        assert f"outlet={place.pk}" in way
    assert f'name="unit" value="{unit.pk}"' in shown, "the form that chooses an outlet"


@pytest.mark.parametrize("address", ["/air-log/", "/air-plan/"])
def test_only_an_outlet_that_is_open_can_be_chosen(operator, address):
    present, closed = station(), station("Báo cũ", OutletKind.PRESS)
    Outlet.objects.filter(pk=closed.pk).update(closed_at=NOW)

    assert operator.get(address).context["outlets"] == [present]


def test_the_sentence_for_the_report_on_clause_6_counts_what_the_page_is_narrowed_to(operator, elsewhere):
    place = zone(by_hand=True).outlet
    airing = first_airing(place)
    operator.post(f"/airings/{airing.pk}/aired/")

    assert "người xác nhận đã phát 1/2 lượt" in log(operator)
    assert "người xác nhận đã phát 1/1 lượt" in log(operator, unit=place.agency.unit.pk)


def test_the_address_that_goes_into_a_report_names_the_day_or_the_week(operator):
    schedule_bulletin(approved_bulletin(seconds=2.0), zone().outlet, now=timezone.now() - DAY)
    today, week = timezone.localdate(), Week.of(timezone.localdate())
    place = Outlet.objects.get()

    assert f"/air-log/?on={today}</p>" in log(operator, on="")
    assert f"/air-log/?week={week}&amp;outlet={place.pk}</p>" in log(operator, on="", week=week, outlet=place.pk)


@pytest.mark.long
def test_file_and_paper_of_a_unit_hold_its_airings_and_no_others(operator, elsewhere):
    place = zone("Tổ của Sông Cầu").outlet
    schedule_bulletin(approved_bulletin(seconds=2.0), place)
    asked = {"week": str(Week.of(NOW.date())), "unit": place.agency.unit.pk}

    book = load_workbook(io.BytesIO(operator.get("/air-log/file/", asked).content))
    cells = {str(cell.value) for sheet in book for row in sheet for cell in row}
    assert "Tổ của Sông Cầu" in cells
    assert "Tổ của Đức Xuân" not in cells
    paper = pypdfium2.PdfDocument(operator.get("/air-plan/file.pdf", asked).content)
    words = " ".join(page.get_textpage().get_text_range() for page in paper).split()
    assert "Cầu" in words
    assert "Đức" not in words


@pytest.mark.long
def test_of_two_who_lend_an_outlet_neither_takes_back_unseen_what_the_other_has_lent(operator):
    outlet, others = station(), [agency("UBND phường Đức Xuân"), agency("UBND phường Minh Khai")]
    address = f"/outlets/{outlet.pk}/lent/"
    shown = sealed(prove_second_factor(operator).get(address))
    assert operator.post(address, {"lent_to": [others[0].pk], "shown": shown}).status_code == 302
    second = operator.post(address, {"lent_to": [others[1].pk], "shown": shown})

    assert second.status_code == 409
    assert [one.stored for one in second.context["form"].clashes] == [others[0].name]
    assert list(outlet.lent_to.all()) == [others[0]], "nothing of the second is stored yet"
    both = {"lent_to": [one.pk for one in others], "shown": sealed(second)}
    assert operator.post(address, both).status_code == 302
    assert set(outlet.lent_to.all()) == set(others)


def sealed(page):
    return re.search(r'name="shown" value="([^"]+)"', page.text)[1]
