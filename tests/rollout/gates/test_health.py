# SPDX-License-Identifier: Apache-2.0
"""What a gate program says of itself, as its agency sees it."""

import pytest
import zxingcpp
from tests.builders.devices import bearer_header
from tests.builders.office import data_folder, furnished_folder, quick_passwords, user
from tests.builders.printed import first_page
from weasyprint import HTML

from bluezone.edge.gate.box import box_text
from bluezone.identity.models import Role
from bluezone.rollout.gates import registry
from bluezone.rollout.gates.health import health_of, store_health
from bluezone.rollout.gates.models import GateDevice

__all__ = ["data_folder", "furnished_folder", "quick_passwords"]
pytestmark = pytest.mark.django_db
GOOD = {"version": "2026.11", "radio_off": None, "free_mb": 9_000, "undated": 0, "box": None}


@pytest.fixture
def say(public, open_gate):
    def said(health):
        made, token = open_gate
        answer = public.post(
            "/v1/gates/counters", {"health": health}, content_type="application/json", **bearer_header(token)
        )
        assert answer.status_code == 200
        return health_of(GateDevice.objects.get(), made)

    return said


def test_a_gate_that_does_well_has_no_trouble(say):
    shown = say(GOOD)

    assert (shown.troubles, shown.version, shown.code) == ([], "2026.11", None)


def test_a_silent_radio_a_full_disk_and_passages_without_an_hour_are_said(say):
    shown = say({**GOOD, "radio_off": "the adapter is gone", "free_mb": 12, "undated": 40})

    assert len(shown.troubles) == 3
    assert "12" in shown.troubles[1]
    assert "40" in shown.troubles[2]
    assert say({**GOOD, "radio_off": "no_radio"}).troubles == []


@pytest.mark.parametrize(
    "other",
    [
        None,
        [],
        "health",
        {},
        {**GOOD, "free_mb": -1},
        {**GOOD, "free_mb": True},
        {**GOOD, "undated": 1.5},
        {**GOOD, "version": 3},
        {**GOOD, "radio_off": {}},
    ],
)
def test_what_has_not_its_form_is_dropped_and_holds_up_nothing(say, other):
    say(GOOD)

    assert say(other).version == "2026.11"


@pytest.mark.parametrize("address", ["8.8.8.8", "192.168.1.20/admin", "evil.example", "::1", 7, ["10.0.0.1"]])
def test_tablets_are_sent_to_no_box_outside_a_local_network(say, address):
    assert say({**GOOD, "box": address}).code is None


def test_the_gate_s_page_shows_the_code_of_its_box_to_its_own_agency_alone(client, open_gate):
    gate, _token = open_gate
    store_health(
        GateDevice.objects.get().device_id, {**GOOD, "box": "192.168.1.20", "radio_off": "the adapter is gone"}
    )
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(user("lead", Role.LEAD, within=gate.agency))
    page = client.get(f"/gates/{gate.pk}/").content.decode()
    client.force_login(user("auditor", Role.AUDITOR))
    other = client.get(f"/gates/{gate.pk}/").content.decode()

    assert "Bluetooth is not sending" in page
    assert box_text(bytes.fromhex(registry.sharing_key(gate)), gate.number, "192.168.1.20") == read_code(page)
    assert "192.168.1.20" not in other


def read_code(page):
    """The text of the one QR code of a page."""
    drawing = page[page.index("<svg", page.index("qr-frame")) :].partition("</svg>")[0] + "</svg>"
    pdf = HTML(string=f"<style>svg{{width:10cm}}</style>{drawing}").write_pdf()
    return zxingcpp.read_barcode(first_page(pdf, 144).convert("L")).text
