# SPDX-License-Identifier: Apache-2.0
"""A health worker warns the guests of a venue, by keyboard, on a phone."""

import datetime

import pytest
from tests.builders.accessibility import press_enter_on, serious_findings, type_into
from tests.builders.office import local_today
from tests.builders.peopling import Person
from tests.builders.visitor import NARROW, Visitor

from bluezone.keyserver.service import KeyServer
from bluezone.keyserver.venues.registrar import VenueDescription

pytestmark = pytest.mark.browser


def test_the_alert_goes_out_once_the_worker_has_seen_which_venue_it_is(chromium, peopled):
    server = KeyServer.open(peopled.data)
    venue = server.registrar.register_venue("dk-1", VenueDescription("Quán phở Bắc Hồ", "Tổ 5, phường Sông Cầu"))
    server.close()
    visitor = Visitor(chromium, peopled)
    visitor.come_in(Person("health_worker", 360))
    page = visitor.page
    page.set_viewport_size(NARROW)
    visitor.open("/codes/venues/")
    type_into(page, "[name=code]", venue.link)
    page.fill("[name=day]", (local_today() - datetime.timedelta(days=1)).isoformat())
    page.fill("[name=begins]", "10:30")
    page.fill("[name=ends]", "12:00")
    assert serious_findings(page) == []
    press_enter_on(page, "main form:not([action]) button[type=submit]")
    assert venue.fingerprint in page.text_content("main")
    assert serious_findings(page) == []
    press_enter_on(page, "main form:not([action]) button[type=submit]")

    assert "Khách sẽ được cảnh báo" in page.text_content("main")
    assert serious_findings(page) == []
    assert visitor.trouble == []
    visitor.context.close()
