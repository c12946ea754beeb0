# SPDX-License-Identifier: Apache-2.0
"""Requests for help: opened once, sealed, and gone after their time."""

import datetime

import pytest
from django.db import connection
from django.utils import timezone

from bluezone.directory.kinds import UnitKind
from bluezone.directory.models import AdminUnit
from bluezone.directory.records.seed import seed_empty_directory
from bluezone.office_secrets import SealBroken
from bluezone.refusal import Refused
from bluezone.rollout.drives import help_requests, retention
from bluezone.rollout.drives.api import open_help_request
from bluezone.rollout.drives.models import HelpRequest

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)
PHONE, NOTE = "0912 345 678", "Bà ở một mình, nhờ cài giúp"


def test_a_request_is_told_a_ticket_and_keeps_what_was_asked_sealed():
    ticket = open_help_request("app", PHONE, "tổ 5", NOTE)
    request = HelpRequest.objects.get()

    assert len(ticket) == 7
    assert request.ticket == ticket
    assert help_requests.open_texts(request) == help_requests.HelpTexts(PHONE, "tổ 5", NOTE)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM drives_helprequest")
        stored = repr([bytes(value) if isinstance(value, memoryview) else value for value in cursor.fetchone()])
    for said in (PHONE, "0912", "tổ 5", NOTE):
        assert said not in stored
        assert said.encode() not in bytes(request.sealed)


def test_a_seal_opens_only_under_its_own_ticket():
    open_help_request("app", PHONE)
    request = HelpRequest.objects.get()
    request.ticket = "AAA-AAA"
    with pytest.raises(SealBroken):
        help_requests.open_texts(request)


def test_an_outbox_sent_twice_opens_one_ticket():
    first = open_help_request("gate", PHONE, repeat_key="one-phone-once")

    assert open_help_request("gate", PHONE, repeat_key="one-phone-once") == first
    assert open_help_request("gate", PHONE, repeat_key="another-one") != first
    assert HelpRequest.objects.count() == 2


def test_a_unit_is_named_by_its_code_and_must_be_in_force():
    seed_empty_directory()
    wards = AdminUnit.objects.filter(kind__in=[UnitKind.WARD, UnitKind.COMMUNE]).exclude(code=None)
    in_force = wards.valid_on(timezone.localdate())
    ended = wards.exclude(code__in=in_force.values("code")).first()
    open_help_request("portal", PHONE, unit=in_force.first().code)

    assert HelpRequest.objects.get().unit == in_force.first()
    with pytest.raises(help_requests.HelpUnitUnknown):
        open_help_request("portal", PHONE, unit=ended.code)


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        ("help_channel_unknown", ("fax", PHONE)),
        ("help_contact_missing", ("app", " \n ")),
        ("help_text_too_long", ("app", "9" * 81)),
        ("help_text_too_long", ("app", PHONE, "x" * 121)),
        ("help_text_too_long", ("app", PHONE, "", "x" * 501)),
        ("help_unit_unknown", ("app", PHONE, "", "", "99999")),
        ("help_unit_unknown", ("app", PHONE, "", "", "\0")),
        ("help_unit_unknown", ("app", PHONE, "", "", "\ud800")),
    ],
)
def test_what_cannot_be_a_request_is_refused_and_nothing_is_stored(code, arguments):
    with pytest.raises(Refused) as refused:
        open_help_request(*arguments)

    assert refused.value.code == code
    assert PHONE not in refused.value.message
    assert not HelpRequest.objects.exists()


def test_contacts_are_gone_thirty_days_after_help_and_ninety_after_the_question():
    now = timezone.now()
    for contact in ("helped", "waiting", "fresh"):
        open_help_request("app", contact)
    helped, waiting, _fresh = HelpRequest.objects.order_by("pk")
    HelpRequest.objects.filter(pk=helped.pk).update(state="done", closed_at=now)
    HelpRequest.objects.filter(pk=waiting.pk).update(opened_at=now - 60 * DAY)

    def left():
        return [help_requests.open_texts(request).contact for request in HelpRequest.objects.all()]

    retention.purge(now + 29 * DAY)
    assert sorted(left()) == ["fresh", "helped", "waiting"]
    retention.purge(now + 30 * DAY)
    assert left() == ["fresh"], "30 days after it was done; 90 days after it was opened"


def test_the_hourly_tick_purges_them():
    from bluezone.server.recurring_work import purge_office

    open_help_request("app", PHONE)
    purge_office(timezone.now() + 91 * DAY)

    assert not HelpRequest.objects.exists()
