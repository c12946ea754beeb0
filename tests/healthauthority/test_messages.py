# SPDX-License-Identifier: Apache-2.0
"""The house sends a code's message once, in its own words, and afterwards knows neither number nor list."""

import datetime
import json

import pytest
from django.db import connection
from django.utils import timezone
from tests.builders.office import local_today, user

from bluezone.healthauthority.codes import audit_entries, issuance, text_messages
from bluezone.healthauthority.models import IssuedCode
from bluezone.identity.models import AuditEntry, Role
from bluezone.messaging.sms import claims, retention
from bluezone.messaging.sms.destinations import destination_hash
from bluezone.messaging.sms.models import Message, State
from bluezone.messaging.sms.providers import read_sms_url
from bluezone.office_secrets import unseal

pytestmark = pytest.mark.django_db
NUMBER = "0912345678"
DAY = datetime.timedelta(days=1)


@pytest.fixture
def lan(client, server, settings):
    """A health worker of a city that has an operator, signed in; nobody sends what is queued."""
    settings.SMS = read_sms_url("smpp://ten:matkhau@127.0.0.1:9?from=BACKAN")
    worker = user("lan")
    client.force_login(worker)
    return worker


def issued(server, worker):
    return issuance.issue_code(server, worker, "confirmed", local_today(), timezone.now())


def order(made, **changes):
    return {
        "pk": made.record.pk,
        "ticket": made.ticket,
        "phone": NUMBER,
        "code": made.code,
        "link": made.link,
        **changes,
    }


def ask(client, sent):
    return client.post("/codes/bulk/send/", json.dumps(sent), content_type="application/json")


def text_of(message):
    number, text = json.loads(unseal(bytes(message.sealed), f"sms {message.pk}"))
    return number, text


def stored():
    """Every value of every table, as one text."""
    found = []
    for table in connection.introspection.table_names():
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT * FROM "{table}"')
            found += [value for row in cursor.fetchall() for value in row]
    return "\n".join(bytes(one).hex() if isinstance(one, bytes | memoryview) else str(one) for one in found)


def drawn_apart(text, made):
    """The words alone: a code and its link are drawn, and may end in any two letters."""
    return text.replace(made.link, "").replace(made.code, "").lower()


def test_the_message_has_code_link_and_agency_and_names_neither_disease_nor_result(client, server, lan):
    made = issued(server, lan)
    answer = ask(client, order(made))
    number, text = text_of(Message.objects.get())

    assert answer.status_code == 201
    assert number == "+84912345678"
    assert made.code in text
    assert made.link in text
    assert "Tram Y te Song Cau" in text
    for word in ("covid", "sars", "duong tinh", "benh", "xet nghiem", "positive", "ca "):
        assert word not in drawn_apart(text, made)
    assert client.get("/codes/bulk/sent/", {"id": answer.json()["message"]}).json() == {
        "states": {answer.json()["message"]: "waiting"}
    }


def test_a_guest_from_abroad_reads_english(client, server, lan):
    ask(client, order(issued(server, lan), phone="+66 81 234 5678"))

    assert "your code is" in text_of(Message.objects.get())[1]


def test_the_same_code_is_not_sent_twice(client, server, lan):
    made = issued(server, lan)
    ask(client, order(made))
    again = ask(client, order(made, phone="0987654321"))

    assert (again.status_code, again.json()["error"]["code"]) == (409, "code_message_sent_before")
    assert Message.objects.count() == 1


def test_nobody_sends_the_code_of_another_or_a_text_of_their_own(client, server, lan):
    mine, other = issued(server, lan), issued(server, user("hoa"))
    supervisor = issued(server, user("binh", Role.SUPERVISOR))
    refused = [
        order(other), order(supervisor), order(mine, code=other.code), order(mine, link=other.link),
        order(mine, code="1234"), order(mine, code="gọi số này"), order(mine, pk=5), order(mine, ticket=other.ticket),
        order(mine, ticket="x"), {**order(other), "pk": mine.record.pk, "ticket": mine.ticket},
    ]  # fmt: skip

    assert {ask(client, one).json()["error"]["code"] for one in refused} == {"code_not_yours"}
    assert Message.objects.count() == 0
    assert not IssuedCode.objects.filter(messaged=True).exists()


@pytest.mark.parametrize("sent", ["x", [], {}, {"pk": True, "ticket": "1", "phone": "1", "code": "1", "link": "1"}])
def test_what_is_no_order_is_refused(client, lan, sent):
    assert ask(client, sent).status_code == 400


def test_more_than_number_code_and_link_is_refused(client, server, lan):
    assert ask(client, order(issued(server, lan), text="Bạn mắc COVID-19")).status_code == 400


def test_a_number_that_is_none_can_be_corrected_and_sent(client, server, lan):
    made = issued(server, lan)
    refused = ask(client, order(made, phone="12345"))

    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "sms_number_invalid")
    assert "12345" not in refused.text
    assert ask(client, order(made)).status_code == 201


def test_over_the_budget_nothing_is_sent_and_the_code_can_be_sent_later(client, server, lan, settings):
    city, made = settings.CITY, issued(server, lan)
    settings.CITY = type(city)(**{**vars(city), "sms_segments_a_day": 0})
    assert ask(client, order(made)).status_code == 429
    settings.CITY = city

    assert ask(client, order(made)).status_code == 201


@pytest.mark.parametrize("url", [None, "file:sms-not-sent.log"])
def test_a_city_without_an_operator_does_not_offer_it(client, lan, settings, url):
    assert 'data-at="house"' in client.get("/codes/bulk/").text
    settings.SMS = read_sms_url(url)

    assert 'data-at="house"' not in client.get("/codes/bulk/").text


def test_while_it_waits_no_store_has_the_number_in_the_clear_and_afterwards_none_has_anything_of_it(
    client, server, lan
):
    made = issued(server, lan)
    ask(client, order(made))
    waiting = stored()
    assert NUMBER[1:] not in waiting
    assert made.code not in waiting
    assert destination_hash("+84912345678") in waiting, "the search sees what is there"

    claims.close_messages(list(Message.objects.all()), State.SENT, timezone.now())
    left = stored()

    assert NUMBER[1:] not in left
    assert destination_hash("+84912345678") not in left
    assert Message.objects.get().sealed is None


def test_on_the_next_day_nothing_says_at_what_time_it_was_sent(client, server, lan):
    now = timezone.now()
    ask(client, order(issued(server, lan)))
    claimed = claims.claim_due(timezone.now(), 9)
    assert claimed.parts
    claims.close_messages(list(Message.objects.all()), State.SENT, now)
    retention.purge(now)
    assert Message.objects.get().queued_at != timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)

    retention.purge(now + DAY)
    message = Message.objects.get()
    day = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)

    assert {message.queued_at, message.next_try_at, message.expires_at, message.closed_at} == {day}
    assert message.submitted_at is None
    assert set(message.parts.values_list("submitted_at", "ask_at")) == {(None, None)}


def test_the_audit_says_on_the_next_day_that_the_house_sent_it_and_not_to_whom(client, server, lan):
    first, second = issued(server, lan), issued(server, lan)
    ask(client, order(first))
    audit_entries.audit_past_days(timezone.now() + DAY)
    noted = {entry.subject: entry.details for entry in AuditEntry.objects.filter(action="code_issued")}

    assert noted == {first.record.handle: {"messaged": True}, second.record.handle: {}}


def test_only_the_states_of_messages_with_codes_are_told_and_only_by_their_ids(client, lan):
    assert client.get("/codes/bulk/sent/").json() == {"states": {}}
    assert client.get("/codes/bulk/sent/", {"id": ["x", ""]}).json() == {"states": {}}
    assert text_messages.message_states(["00000000-0000-0000-0000-000000000000"]) == {}
