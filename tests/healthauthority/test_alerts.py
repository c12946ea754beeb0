# SPDX-License-Identifier: Apache-2.0
"""The page that warns the guests of a venue."""

import datetime
import re
import uuid

import pytest
from django.utils import timezone
from tests.builders.office import user
from tests.builders.venue import qr_text, signed_venue

from bluezone.audit import hash_chain
from bluezone.healthauthority import alerts
from bluezone.healthauthority.forms import AlertForm
from bluezone.identity.models import AuditEntry
from bluezone.keyserver.storage.store import StoreFull
from bluezone.keyserver.venues.registrar import VenueDescription

pytestmark = pytest.mark.django_db
PHO = VenueDescription("Quán phở Bắc Hồ", "Tổ 5, phường Sông Cầu")
ADDRESS = "/codes/venues/"


@pytest.fixture
def lan():
    return user("lan")


@pytest.fixture
def english(client, server, lan):
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(lan)
    return client


@pytest.fixture
def venue(server):
    return server.registrar.register_venue("dk-1", PHO)


def form(venue, **changes):
    yesterday = timezone.localdate() - datetime.timedelta(days=1)
    told = {"code": venue.link, "day": yesterday.isoformat(), "begins": "10:30", "ends": "12:00"}
    return {**told, "form_id": uuid.uuid4(), **changes}


def waiting(server):
    return server.keys_store.read("SELECT * FROM waiting_item")


def test_the_page_shows_which_venue_it_is_before_anybody_is_warned(english, server, venue):
    answer = english.post(ADDRESS, form(venue))

    assert answer.status_code == 200
    for told in (PHO.name, PHO.address, venue.fingerprint, "10:30", "12:00"):
        assert told in answer.text
    assert waiting(server) == []
    assert not AuditEntry.objects.filter(action="venue_alerted").exists()


def test_once_confirmed_the_hours_wait_for_the_next_package_and_the_audit_says_who(english, server, venue):
    answer = english.post(ADDRESS, form(venue, confirm="yes"))
    entry = AuditEntry.objects.get(action="venue_alerted")

    assert answer.status_code == 201
    assert len(waiting(server)) == 2  # 10:30 to 11:00 and 11:00 to 12:00
    assert (entry.actor, entry.subject) == ("lan", venue.fingerprint)
    assert entry.details["end"] - entry.details["start"] == 90 * 60
    assert PHO.name not in str(entry.details) + entry.subject
    assert hash_chain.verify_chain().broken_at is None


def test_the_same_form_twice_warns_once(english, server, venue):
    sent = form(venue, confirm="yes")
    answers = [english.post(ADDRESS, sent).status_code for _ in range(2)]

    assert answers == [201, 409]
    assert len(waiting(server)) == 2


def test_an_alert_that_the_key_server_cannot_take_is_not_in_the_audit_and_can_be_sent_again(
    english, server, venue, monkeypatch
):
    sent = form(venue, confirm="yes")
    real = server.keys_store.write

    def full(action):
        raise StoreFull("no space is left")

    monkeypatch.setattr(server.keys_store, "write", full)
    with pytest.raises(StoreFull):
        alerts.publish_alert(
            server, user("minh"), venue.link,
            timezone.now() - datetime.timedelta(hours=3), timezone.now() - datetime.timedelta(hours=1), sent["form_id"],
        )  # fmt: skip
    assert not AuditEntry.objects.filter(action="venue_alerted").exists()
    monkeypatch.setattr(server.keys_store, "write", real)

    assert english.post(ADDRESS, sent).status_code == 201


def test_what_the_confirmation_carries_on_is_what_was_shown(english, server, venue):
    shown = english.post(ADDRESS, form(venue)).text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', shown))
    hidden.pop("csrfmiddlewaretoken", None)

    assert english.post(ADDRESS, hidden).status_code == 201
    assert len(waiting(server)) == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"code": "https://example.com/"}, "not a venue code"),
        ({"code": qr_text(signed_venue())}, "did not sign"),
        ({"day": "2020-08-11"}, "last 14 days"),
        ({"day": "tomorrow"}, "must be over"),
        ({"begins": ""}, "This field is required"),
        ({"code": ""}, "This field is required"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence_and_warns_nobody(english, server, venue, change, said):
    if change.get("day") == "tomorrow":
        change = {"day": (timezone.localdate() + datetime.timedelta(days=1)).isoformat()}
    answer = english.post(ADDRESS, form(venue, confirm="yes", **change))

    assert answer.status_code == 422
    assert said in answer.text
    assert waiting(server) == []
    assert not AuditEntry.objects.filter(action="venue_alerted").exists()


def test_a_code_with_line_breaks_from_a_message_is_read(english, venue):
    broken = venue.link[:40] + "\r\n" + venue.link[40:] + " \n"

    assert english.post(ADDRESS, form(venue, code=broken)).status_code == 200


def test_an_end_before_the_beginning_is_on_the_next_day():
    start, end = alerts.hours_between(datetime.date(2020, 8, 11), datetime.time(22, 0), datetime.time(1, 0))

    assert (end - start).total_seconds() == 3 * 3600


def test_the_page_says_it_in_vietnamese_too(client, server, lan, venue):
    client.force_login(lan)

    assert "Cảnh báo khách của một địa điểm" in client.get(ADDRESS).text
    assert "Cảnh báo những khách này?" in client.post(ADDRESS, form(venue)).text
    assert "Khách sẽ được cảnh báo" in client.post(ADDRESS, form(venue, confirm="yes")).text


def test_in_training_mode_nobody_is_warned(english, server, venue):
    from bluezone.training import practice

    with practice():
        told = alerts.publish_alert(
            server, user("minh"), venue.link,
            timezone.now() - datetime.timedelta(hours=3), timezone.now() - datetime.timedelta(hours=1), uuid.uuid4(),
        )  # fmt: skip

    assert told.name == PHO.name
    assert waiting(server) == []


def test_an_end_that_is_not_after_the_beginning_is_on_the_next_day():
    day, ten, eleven = datetime.date(2026, 11, 24), datetime.time(10), datetime.time(11)
    lengths = [
        end - start for start, end in (alerts.hours_between(day, *span) for span in ((ten, eleven), (eleven, ten)))
    ]

    assert lengths == [datetime.timedelta(hours=1), datetime.timedelta(hours=23)]
    assert alerts.hours_between(day, ten, ten)[1] - alerts.hours_between(day, ten, ten)[0] == datetime.timedelta(
        hours=24
    )


def test_the_form_offers_the_days_that_may_be_alerted_and_takes_whole_minutes(venue):
    asked = AlertForm(form(venue, begins="10:30:45", ends="12:00:59"))
    offered, today = asked.fields["day"].widget.attrs, timezone.localdate()

    assert (offered["min"], offered["max"]) == (str(today - datetime.timedelta(days=14)), str(today))
    assert asked.is_valid()
    assert [f"{timezone.localtime(asked.cleaned_data[name]):%X}" for name in ("start", "end")] == [
        "10:30:00",
        "12:00:00",
    ]
