# SPDX-License-Identifier: Apache-2.0
"""Scenario 3: a reminder after a day, escalation after two, one mail a day and address."""

import pytest
from tests.builders.directives import DAY, NOW

from bluezone.agencies.models import Agency
from bluezone.messaging.email.models import Mail
from bluezone.messaging.email.smtpurl import read_smtp_url
from bluezone.rollout.directives import demonstrating, digests, handling
from bluezone.rollout.directives.models import DispatchState


@pytest.fixture(autouse=True)
def mail_server(settings):
    settings.SMTP = read_smtp_url("smtp://127.0.0.1:2525", "office@example.org")


@pytest.fixture
def addresses(directive):
    """Every agency has an address; the wards answer to the city."""
    for agency in Agency.objects.all():
        agency.email = f"a{agency.pk}@example.org"
        agency.parent = None if agency.key == "ubnd-tp" else directive.issuer
        agency.save()
    return directive


def test_a_lead_that_does_nothing_is_reminded_then_told_upward_once_a_day(addresses):
    ward = addresses.dispatches.get(agency__key="ubnd-phuong-song-cau")
    for other in addresses.dispatches.exclude(pk=ward.pk):
        handling.move(other, DispatchState.RECEIVED, addresses.approved_by, NOW)

    assert digests.queue_daily(NOW + DAY / 2) == 0
    assert digests.queue_daily(NOW + DAY) == 1
    assert digests.queue_daily(NOW + DAY) == 0
    assert digests.queue_daily(NOW + 2 * DAY) == 2
    city = Mail.objects.get(to=f"a{addresses.issuer_id}@example.org")
    assert "phường Sông Cầu" in city.text
    assert list(ward.events.values_list("what", flat=True))[:3] == ["escalated", "reminded", "arrived"]


def test_nothing_goes_out_at_night_or_for_what_is_done(addresses):
    for one in addresses.dispatches.all():
        handling.move(one, DispatchState.RECEIVED, addresses.approved_by, NOW)

    assert digests.queue_daily(NOW + 3 * DAY) == 0


def test_the_demo_shows_the_letter_at_different_stages(committee):
    directive = demonstrating.plant(NOW + 100 * DAY)
    states = set(directive.dispatches.values_list("state", flat=True))

    assert states == {"arrived", "sent_back", "received", "assigned", "in_progress", "done"}
    assert directive.tasks.get(label="2").reports.filter(on_time=True).count() == 7
    assert demonstrating.plant(NOW + 100 * DAY) is None
