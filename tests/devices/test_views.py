# SPDX-License-Identifier: Apache-2.0
"""Pages of the office for devices."""

import base64
import datetime
import re

import pytest
import segno
from django.utils import timezone
from tests.builders.devices import NETWORK, agency, connected_device, device
from tests.builders.office import prove_second_factor, user
from tests.builders.pace import queries

from bluezone.devices import enrolment
from bluezone.devices.models import Device
from bluezone.directory.models import AdminUnit, Agency
from bluezone.edge.appliance.ticket import read_ticket
from bluezone.identity.models import Role
from bluezone.portal.programs import public_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def english(client, keeper):
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(user("mai", Role.ADMIN))
    return client


def shown_code(answer):
    return re.search(r"\d{3}-\d{3}-\d{3}-\d{3}", re.sub(r"</?i>", "", answer.text))[0]


def test_an_empty_list_says_what_to_do(english):
    text = english.get("/devices/").text

    assert "No device yet" in text
    assert 'href="/devices/new/"' in text


def test_an_administrator_of_one_agency_enters_no_device_of_another(client, keeper):
    client.force_login(user("of-a-school", Role.ADMIN, agency("Trường THCS Sông Cầu")))
    answer = client.post("/devices/new/", {"kind": "gate", "name": "Front gate", "agency": keeper.pk, "unit": ""})

    assert answer.status_code == 422
    assert not Device.objects.exists()


def test_a_device_is_entered_and_its_code_shown_once_with_a_qr_code(english, keeper):
    answer = english.post("/devices/new/", {"kind": "gate", "name": "Front gate", "agency": keeper.pk, "unit": ""})
    code = shown_code(answer)

    assert answer.status_code == 201
    assert '<svg viewBox="0 0' in answer.text
    assert "localhost:8000" in answer.text
    made = Device.objects.get()
    for address in ("/devices/", f"/devices/{made.pk}/"):
        assert code not in english.get(address).text
    assert enrolment.enrol_device(code, NETWORK, timezone.now()).device == made


def test_the_qr_code_leads_to_the_page_that_says_what_the_code_is_for(english, keeper, monkeypatch):
    drawn = []
    original = segno.make
    monkeypatch.setattr(segno, "make", lambda text, **how: drawn.append(text) or original(text, **how))
    code = shown_code(english.post("/devices/new/", {"kind": "gate", "name": "Gate", "agency": keeper.pk, "unit": ""}))

    assert drawn[0] == f"http://localhost:8000/connect/#{code}"


@pytest.mark.parametrize(("kind", "boxes"), [("gate", True), ("drive", True), ("speaker", True), ("canvass", False)])
def test_for_a_box_without_a_screen_the_code_is_a_file_and_a_second_qr_code(english, keeper, monkeypatch, kind, boxes):
    drawn = []
    original = segno.make
    monkeypatch.setattr(segno, "make", lambda text, **how: drawn.append(text) or original(text, **how))
    answer = english.post("/devices/new/", {"kind": kind, "name": "Hộp 1", "agency": keeper.pk, "unit": ""})
    files = re.findall(r'download="bluezone-box.json" href="data:application/json;base64,([^"]+)"', answer.text)

    assert len(files) == len(drawn) - 1 == boxes
    if boxes:
        ticket = read_ticket(base64.b64decode(files[0]), timezone.now().timestamp())
        assert read_ticket(drawn[1], 0) == ticket
        device = Device.objects.get()
        assert (ticket.device, ticket.kind, ticket.name, ticket.agency) == (device.pk, kind, "Hộp 1", keeper.name)
        assert (ticket.server, ticket.city) == ("http://localhost:8000", public_key())
        assert ticket.until == int(device.code_expires_at.timestamp())
        assert enrolment.enrol_device(ticket.code, NETWORK, timezone.now()).device == device


def test_the_page_behind_the_qr_code_warns_who_is_not_meant(public):
    public.cookies.load({"bluezone-language": "en"})
    answer = public.get("/connect/")

    assert answer.status_code == 200
    assert "not a code for reporting a test" in answer.text


@pytest.mark.parametrize(
    "changed", [{"kind": "drone"}, {"name": ""}, {"name": "x" * 81}, {"agency": ""}, {"agency": "999"}, {"unit": "999"}]
)
def test_a_form_that_does_not_fit_stores_nothing(english, keeper, changed):
    form = {"kind": "gate", "name": "Front gate", "agency": keeper.pk, "unit": "", **changed}

    assert english.post("/devices/new/", form).status_code == 422
    assert not Device.objects.exists()


def test_a_second_device_of_one_name_is_refused_with_a_sentence(english, keeper):
    device(keeper, name="Front gate")
    answer = english.post("/devices/new/", {"kind": "gate", "name": "Front gate", "agency": keeper.pk, "unit": ""})

    assert answer.status_code == 422
    assert "already has a device with this name" in answer.text


def test_without_agencies_the_page_says_what_comes_first(english, keeper):
    keeper.delete()

    assert "Enter the agencies first" in english.get("/devices/new/").text


def test_the_list_tells_the_states_apart(english, keeper):
    now = timezone.now()
    device(keeper, name="waits", now=now)
    device(keeper, name="lapsed", now=now - datetime.timedelta(days=2))
    connected_device(keeper, name="in use", now=now)
    gone, _ = connected_device(keeper, name="gone", now=now)
    enrolment.revoke_device("mai", gone, now)
    rows = re.findall(r"<tr>.*?</tr>", english.get("/devices/").text, re.DOTALL)[1:]
    states = [re.sub(r"<svg.*?</svg>|<[^>]+>|\s+", " ", row) for row in rows]

    words = ["connected", "code has expired", "waiting for its code", "disconnected"]
    assert all(word in state for word, state in zip(words, states, strict=True)), states


def test_a_lost_code_is_replaced_on_the_page_of_the_device(english, keeper):
    made, first = device(keeper, now=timezone.now())
    answer = english.post(f"/devices/{made.pk}/code/")

    assert answer.status_code == 201
    assert shown_code(answer) != first
    assert enrolment.enrol_device(shown_code(answer), NETWORK, timezone.now()).device == made


def test_cutting_off_is_asked_first_and_then_done(english, keeper):
    made, _ = connected_device(keeper, now=timezone.now())
    prove_second_factor(english)
    assert "cannot be undone" in english.get(f"/devices/{made.pk}/revoke/").text

    assert english.post(f"/devices/{made.pk}/revoke/").url == "/devices/"

    made.refresh_from_db()
    assert made.revoked_at is not None
    assert "do not need to do anything" in english.get(f"/devices/{made.pk}/revoke/").text
    assert english.post(f"/devices/{made.pk}/code/").url == f"/devices/{made.pk}/"


@pytest.mark.long
def test_the_list_takes_the_same_number_of_queries_however_long_it_is(english, keeper):
    device(keeper, name="first")
    few = queries(english, "/devices/")
    for number in range(60):
        device(agency(f"Cơ quan {number}"), name=f"tablet {number}")

    assert queries(english, "/devices/") == few


def test_names_are_shown_as_written_and_never_as_markup(english, keeper):
    made, _ = device(keeper, name="<b>Cổng & sân</b>")

    assert "<b>Cổng" not in english.get("/devices/").text
    assert "&lt;b&gt;Cổng &amp; sân&lt;/b&gt;" in english.get(f"/devices/{made.pk}/").text


def test_an_agency_of_a_directory_that_has_ended_can_still_keep_a_device(english, keeper):
    Agency.objects.update(valid_to=datetime.date(2025, 7, 1))
    AdminUnit.objects.update(valid_to=datetime.date(2025, 7, 1))

    assert f'<option value="{keeper.pk}">{keeper.name}</option>' in english.get("/devices/new/").text


@pytest.fixture
def elsewhere(keeper):
    """An agency of another unit, with a device of its own."""
    other = AdminUnit.objects.create(
        key="duc-xuan", name="Phường Đức Xuân", kind="ward", parent=keeper.unit.parent, path="1/3/", folded="duc xuan"
    )
    agency = Agency.objects.create(key="dx", name="UBND phường Đức Xuân", kind="committee", unit=other, path="dx/")
    return device(agency, name="Cổng bên kia", now=timezone.now())[0]


@pytest.mark.parametrize("reach", ["agency", "unit"])
@pytest.mark.parametrize("role", [Role.LEAD, Role.OFFICER])
def test_who_leads_an_agency_sees_and_cuts_off_its_devices_and_no_others(client, keeper, elsewhere, role, reach):
    own, _ = connected_device(keeper, name="Cổng nhà", now=timezone.now())
    client.force_login(user("can", role, within=keeper if reach == "agency" else keeper.unit))
    prove_second_factor(client)
    listed = client.get("/devices/").text

    assert "Cổng nhà" in listed
    assert "Cổng bên kia" not in listed
    assert client.get(f"/devices/{elsewhere.pk}/").status_code == 404
    assert client.post(f"/devices/{elsewhere.pk}/revoke/").status_code == 404
    assert client.post(f"/devices/{own.pk}/revoke/").status_code == 302
    states = {each.pk: each.revoked_at is not None for each in Device.objects.all()}
    assert states == {own.pk: True, elsewhere.pk: False}


def test_who_leads_an_agency_enters_no_device_and_makes_no_code_and_is_offered_neither(client, keeper):
    made, _ = device(keeper, now=timezone.now())
    client.force_login(user("can", Role.LEAD, within=keeper))
    pages = client.get("/devices/").text + client.get(f"/devices/{made.pk}/").text

    assert f'action="/devices/{made.pk}/code/"' not in pages
    assert "/devices/new/" not in pages
    assert client.get("/devices/new/").status_code == 403
    assert client.post(f"/devices/{made.pk}/code/").status_code == 403


def test_other_roles_see_no_device(client, keeper):
    client.force_login(user("lan", Role.HEALTH_WORKER))

    assert client.get("/devices/").status_code == 403
    assert 'href="/devices/"' not in client.get("/codes/").text
