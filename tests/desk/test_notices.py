# SPDX-License-Identifier: Apache-2.0
"""Being told: as one chose, not at night, once of each matter, in one's own browsers, and without a mail server."""

import datetime
import json
import re

import pytest
from django.utils import timezone
from tests.builders.directives import DAY, send_letter
from tests.builders.office import PASSWORD, user
from tests.builders.pushservice import Browser

from bluezone.authority.people import accounts
from bluezone.desk import notices, phone_views
from bluezone.desk.models import Choice, PushBrowser
from bluezone.identity.models import AuditEntry
from bluezone.messaging.announcer import Outcome
from bluezone.messaging.sms.models import Message, OptOut
from bluezone.messaging.sms.opt_outs import opt_out
from bluezone.messaging.sms.providers import read_sms_url
from bluezone.office_secrets import unseal
from bluezone.rollout.directives.inbox.digests import sections_by_address

ENDPOINT = "https://updates.push.services.mozilla.com/wpush/v2/abc"
MINUTE = datetime.timedelta(minutes=1)


class Post:
    """Takes notices as a push service would; a later answer than SENT is set by the test."""

    def __init__(self):
        self.sent, self.outcome = [], Outcome.SENT

    def send(self, subscriptions, body):
        self.sent += [(one.endpoint, json.loads(body)) for one in subscriptions]
        return [self.outcome for _one in subscriptions]


@pytest.fixture
def morning(now):
    """Nine o'clock of the next day here."""
    return (timezone.localtime(now) + DAY).replace(hour=9, minute=0)


@pytest.fixture
def post():
    return Post()


@pytest.fixture
def ward_clerk(ward_clerk, client):
    """Signed in, in a browser that asked for notices."""
    client.force_login(ward_clerk)
    assert (
        client.post("/notices/browsers/", Browser(ENDPOINT).body(), content_type="application/json").status_code == 201
    )
    return ward_clerk


@pytest.mark.long
def test_a_notice_says_how_much_is_new_and_nothing_of_what_it_is_once(
    draft, clerk, signer, ward_clerk, post, now, morning
):
    send_letter(draft, clerk, signer, now)
    assert notices.notify_browsers(post, morning) == 1
    ((endpoint, said),) = post.sent

    assert endpoint == ENDPOINT
    assert said["type"] == "work"
    assert "việc mới đang chờ" in said["text"]
    assert "458" not in said["text"]
    assert notices.notify_browsers(post, morning + 6 * MINUTE) == 0, "it was told"


@pytest.mark.long
def test_what_comes_at_night_is_told_in_the_morning(draft, clerk, signer, ward_clerk, post, now, morning):
    send_letter(draft, clerk, signer, now)

    assert notices.notify_browsers(post, morning + 14 * 60 * MINUTE) == 0
    assert notices.notify_browsers(post, morning + DAY) == 1


@pytest.mark.long
def test_who_wants_only_what_is_urgent_is_told_when_it_becomes_so(draft, clerk, signer, ward_clerk, post, now, morning):
    Choice.objects.update(only_urgent=True)
    send_letter(draft, clerk, signer, now)
    draft.dispatches.update(arrived_at=morning)
    told = [notices.notify_browsers(post, morning + hours * 60 * MINUTE) for hours in (0, 23)]

    assert told[1] == 1
    assert told[0] <= 1, "the staff report of the last week may be due"


def test_nobody_is_told_who_wants_no_notice_or_may_not_sign_in(draft, clerk, signer, ward_clerk, post, now, morning):
    send_letter(draft, clerk, signer, now)
    Choice.objects.update(push=False)
    assert notices.notify_browsers(post, morning) == 0
    Choice.objects.update(push=True)
    ward_clerk.is_active = False
    ward_clerk.save()

    assert notices.notify_browsers(post, morning) == 0


@pytest.mark.long
def test_a_browser_that_its_push_service_knows_no_more_is_forgotten(
    draft, clerk, signer, ward_clerk, post, now, morning
):
    send_letter(draft, clerk, signer, now)
    post.outcome = Outcome.GONE

    assert notices.notify_browsers(post, morning) == 0
    assert not PushBrowser.objects.exists()


def test_a_browser_is_of_who_asked_last_and_only_they_take_it_away(client, ward_clerk, clerk):
    own = PushBrowser.objects.get()
    client.force_login(clerk)
    assert client.post(f"/notices/browsers/{own.pk}/remove/").status_code == 404
    client.force_login(ward_clerk)

    assert client.post(f"/notices/browsers/{own.pk}/remove/").status_code == 302
    assert not PushBrowser.objects.exists()


@pytest.mark.parametrize(
    "endpoint", ["https://evil.example/x", "http://updates.push.services.mozilla.com/x", "https://10.0.0.1/x"]
)
def test_no_address_is_called_that_is_no_push_service_of_the_city(client, ward_clerk, endpoint):
    refused = client.post("/notices/browsers/", Browser(endpoint).body(), content_type="application/json")

    assert refused.status_code == 422
    assert PushBrowser.objects.count() == 1


def test_the_page_says_that_there_is_no_mail_server_and_stores_a_choice(client, ward_clerk, settings):
    client.cookies.load({"bluezone-language": "en"})
    settings.SMTP = None
    assert "this office has no mail server" in client.get("/notices/").text
    form = {"push": "on", "quiet_from": "22:00", "quiet_to": "05:00"}
    assert client.post("/notices/", form).status_code == 302
    stored = Choice.objects.get(user=ward_clerk)

    assert (stored.mail, stored.push, stored.quiet_from) == (False, True, datetime.time(22))


def test_who_wants_no_mail_is_in_no_digest(ward, ward_clerk):
    ward_clerk.email = "sen@example.gov.vn"
    ward_clerk.save()
    day = timezone.localdate()
    assert "sen@example.gov.vn" in sections_by_address({ward.pk: ["x"]}, day)
    Choice.objects.update(mail=False)

    assert "sen@example.gov.vn" not in sections_by_address({ward.pk: ["x"]}, day)


@pytest.mark.django_db
def test_the_worker_is_served_at_an_address_that_stays(client, server):
    client.force_login(user("lan", "clerk"))
    answer = client.get("/notices/worker.js")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/javascript")


def test_equal_times_mean_no_quiet_hours(morning):
    choice = Choice(quiet_from=datetime.time(0), quiet_to=datetime.time(0))

    assert not any(notices.is_quiet(choice, morning + DAY * n / 24) for n in range(24))


@pytest.fixture
def operator(settings):
    """The city has a way to send text messages."""
    settings.SMS = read_sms_url("file:sms-not-sent.log")


@pytest.fixture
def can(db, server):
    """Somebody whose role needs no second factor."""
    return user("can", "officer", factor=False)


def queued():
    """(number, text) of each message in the outbox."""
    return [tuple(json.loads(unseal(bytes(one.sealed), f"sms {one.pk}"))) for one in Message.objects.all()]


def given(client, user, number="0912 345 678"):
    """The answers to giving a telephone with the password, and to the code that came."""
    client.force_login(user)
    asked = client.post("/notices/phone/", {"phone": number, "present": PASSWORD})
    code = re.search(r"\d{6}$", queued()[-1][1]).group()
    return asked, client.post("/notices/phone/", {"code": code})


def test_a_telephone_counts_once_its_code_came_back_and_stands_in_no_row_page_or_audit(client, can, operator):
    asked, answered = given(client, can)
    can.refresh_from_db()
    page = client.get("/notices/").text

    assert (asked.status_code, answered.status_code) == (200, 302)
    assert phone_views.phone_of(can) == "+84912345678"
    assert b"912345678" not in bytes(can.sealed_phone)
    assert "••78" in page
    assert "912345678" not in page + str(AuditEntry.objects.values_list("subject", "details"))
    assert AuditEntry.objects.filter(action="phone_changed", subject=can.username).count() == 1


def test_no_telephone_is_stored_by_a_wrong_code_or_one_that_is_tried_too_often(client, can, operator):
    client.force_login(can)
    client.post("/notices/phone/", {"phone": "0912345678", "present": PASSWORD})
    code = re.search(r"\d{6}$", queued()[-1][1]).group()
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    tried = [client.post("/notices/phone/", {"code": wrong}).status_code for _ in range(phone_views.MOST_TRIES)]
    can.refresh_from_db()

    assert set(tried) == {422}
    assert client.post("/notices/phone/", {"code": code}).status_code == 422
    assert can.sealed_phone is None


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"phone": "1234", "present": PASSWORD}, 422),
        ({"phone": "0209 3870 000", "present": PASSWORD}, 422),
        ({"phone": "0912345678", "present": "khác"}, 422),
    ],
    ids=["no number", "not a mobile number", "another password"],
)
def test_nothing_is_sent_to_what_is_no_telephone_or_without_the_password(client, can, operator, form, status):
    client.force_login(can)

    assert client.post("/notices/phone/", form).status_code == status
    assert queued() == []


def test_a_session_sends_three_codes_and_none_to_who_wants_no_messages(client, can, operator):
    client.force_login(can)
    opt_out("0987654321")
    form = {"phone": "0987654321", "present": PASSWORD}
    assert client.post("/notices/phone/", form).status_code == 409
    sent = [client.post("/notices/phone/", {**form, "phone": "0912345678"}).status_code for _ in range(4)]

    assert sent == [200, 200, 200, 409]
    assert len(queued()) == 3


def test_a_telephone_asks_for_the_second_factor_where_there_is_one(client, clerk, operator):
    client.force_login(clerk)

    assert client.post("/notices/phone/", {"phone": "0912345678"}).url.startswith("/confirm/")


def test_it_is_forgotten_by_the_person_and_with_the_account(client, can, operator):
    for ending in ("by hand", "with the account"):
        phone_views.store_phone(can, "+84912345678")
        if ending == "by hand":
            client.force_login(can)
            assert client.post("/notices/phone/forget/").status_code == 302
        else:
            accounts.change_account("admin", can, can.name, "", is_active=False)
        can.refresh_from_db()
        assert can.sealed_phone is None, ending


def test_without_an_operator_the_pages_say_so_and_no_telephone_is_asked_for(client, can, settings):
    client.cookies.load({"bluezone-language": "en"})
    settings.SMS = None
    client.force_login(can)
    page = client.get("/notices/phone/").text

    assert "no operator for text messages" in client.get("/notices/").text
    assert "no operator for text messages" in page
    assert 'name="phone"' not in page
    assert client.post("/notices/phone/", {"phone": "0912345678", "present": PASSWORD}).status_code == 409


@pytest.mark.long
def test_a_text_message_says_how_much_is_new_once_and_at_most_one_an_hour(
    draft, clerk, signer, ward_clerk, operator, now, morning
):
    phone_views.store_phone(ward_clerk, "+84912345678")
    send_letter(draft, clerk, signer, now)
    assert notices.notify_phones(morning) == 1
    ((number, text),) = queued()

    assert number == "+84912345678"
    assert re.fullmatch(r"Bluezone: \d+ viec moi dang cho.*", text)
    assert "458" not in text
    assert Message.objects.get().segments == 1
    assert notices.notify_phones(morning + 61 * MINUTE) == 0, "it was told"
    Choice.objects.update(texted=[])
    assert notices.notify_phones(morning + 62 * MINUTE) == 0, "an hour is not over"
    assert notices.notify_phones(morning + 122 * MINUTE) == 1


@pytest.mark.long
def test_no_text_message_goes_at_night_or_to_who_chose_none_or_left(
    draft, clerk, signer, ward_clerk, operator, now, morning
):
    phone_views.store_phone(ward_clerk, "+84912345678")
    send_letter(draft, clerk, signer, now)
    assert notices.notify_phones(morning + 14 * 60 * MINUTE) == 0
    Choice.objects.update(text=False)
    assert notices.notify_phones(morning + DAY) == 0
    Choice.objects.update(text=True)
    ward_clerk.is_active = False
    ward_clerk.save()

    assert notices.notify_phones(morning + DAY) == 0
    assert queued() == []


@pytest.mark.long
def test_what_no_message_could_tell_of_is_told_of_later(draft, clerk, signer, ward_clerk, operator, now, morning):
    phone_views.store_phone(ward_clerk, "+84912345678")
    send_letter(draft, clerk, signer, now)
    opt_out("+84912345678")
    assert notices.notify_phones(morning) == 0
    OptOut.objects.all().delete()

    assert notices.notify_phones(morning + 61 * MINUTE) == 1
