# SPDX-License-Identifier: Apache-2.0
"""Scenario 14's text message: a hotel owner without e-mail registers with a code that comes to the telephone."""

import re

import pytest
from tests.messaging.sms.conftest import centre, running_centre, sender
from tests.messaging.sms.test_sender import go_on_until
from tests.rollout.venues.test_registration import form

from bluezone.messaging.sms.models import Message, Purpose
from bluezone.rollout.venues.models import Venue, VenueState

__all__ = ["centre", "running_centre", "sender"]
pytestmark = pytest.mark.django_db
PHONE = {"email": "", "phone": "0912 345 678"}


def test_a_code_by_text_message_confirms_the_number(client, officer, public, wards, centre, sender):
    answer = public("/venues/register/", form(wards[0], **PHONE))
    assert answer.status_code == 303
    assert Message.objects.get().purpose == Purpose.CODE
    go_on_until(sender, lambda: centre.taken)
    assert centre.taken[0]["to"] == "84912345678"
    assert (centre.taken[0]["coding"], centre.taken[0]["udh"]) == (0, None), "one segment"

    code = re.search(r"\b(\d{6})\b", centre.taken[0]["text"])[1]
    assert public(answer.url, {"code": code}).status_code == 303
    assert Venue.objects.get().state == VenueState.APPLIED


def test_without_an_operator_or_a_mobile_number_nothing_is_stored(public, wards, centre, settings):
    landline = public("/venues/register/", form(wards[0], email="", phone="0209 3870 000"))
    settings.SMS = None
    no_operator = public("/venues/register/", form(wards[0], **PHONE))

    assert (landline.status_code, no_operator.status_code) == (422, 422)
    assert not Venue.everything.exists()


def test_a_spent_budget_sends_the_owner_to_the_ward(public, wards, centre, settings):
    import dataclasses

    settings.CITY = dataclasses.replace(settings.CITY, sms_segments_a_day=0)
    answer = public("/venues/register/", form(wards[0], **PHONE))

    assert answer.status_code == 503
    assert not Venue.everything.exists()
