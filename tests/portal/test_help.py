# SPDX-License-Identifier: Apache-2.0
"""Asking for help on the public origin: the call of the app and the form of the page."""

import pytest
from django.test import Client
from tests.builders.office import user

from bluezone.portal import help_views
from bluezone.publicpages.page_frame import HourlyLimit
from bluezone.rollout.drives import help_requests
from bluezone.rollout.drives.models import HelpRequest

pytestmark = pytest.mark.django_db
WANTED = {"channel": "app", "contact": "0912 345 678", "place": "tổ 5", "note": "cài giúp", "unit": ""}


@pytest.fixture(autouse=True)
def fresh_limit(monkeypatch):
    monkeypatch.setattr(help_views, "help_limit", HourlyLimit(3, 5))


def call(public, body, **more):
    return public.post("/v1/help", body, content_type="application/json", **more)


def problem(answer):
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message"}
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code, body["error"]["code"]


def test_the_call_answers_with_a_ticket_and_keeps_no_address(public):
    answer = call(public, WANTED, REMOTE_ADDR="203.0.113.77")

    assert answer.status_code == 201
    request = HelpRequest.objects.get()
    assert answer.json() == {"ticket": request.ticket}
    assert help_requests.read(request).contact == "0912 345 678"
    stored = repr(HelpRequest.objects.values().get()) + repr(help_requests.read(request))
    assert "203.0.113" not in stored


def test_the_same_outbox_again_gets_the_same_ticket(public):
    key = {"headers": {"Idempotency-Key": "0190b3a0-7c1e-7000-8000-000000000001"}}

    assert call(public, WANTED, **key).json() == call(public, WANTED, **key).json()
    assert HelpRequest.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("[]", 400, "body_invalid"),
        ("{", 400, "body_invalid"),
        ('{"channel": "app", "contact": 7}', 400, "body_invalid"),
        ('{"channel": "app"}', 422, "help_contact_missing"),
        ('{"channel": "fax", "contact": "0912"}', 422, "help_channel_unknown"),
        ('{"channel": "app", "contact": "' + "9" * 81 + '"}', 422, "help_text_too_long"),
        ('{"contact": "' + "9" * 8192 + '"}', 413, "body_too_large"),
    ],
)
def test_a_body_that_is_none_is_refused_in_the_error_shape(public, body, status, code):
    assert problem(call(public, body)) == (status, code)
    assert not HelpRequest.objects.exists()


def test_a_strange_key_and_another_method_are_refused(public):
    assert problem(call(public, WANTED, headers={"Idempotency-Key": "a b"})) == (400, "body_invalid")
    assert problem(public.get("/v1/help")) == (405, "method_not_allowed")


def test_a_network_that_asks_too_often_waits_and_others_do_not(public):
    for _ in range(3):
        assert call(public, WANTED, REMOTE_ADDR="203.0.113.7").status_code == 201
    refused = call(public, WANTED, REMOTE_ADDR="203.0.113.7")

    assert problem(refused) == (429, "help_too_many")
    assert 0 < int(refused.headers["Retry-After"]) <= 3601
    assert call(public, WANTED, REMOTE_ADDR="203.0.113.8").status_code == 201


def test_the_form_leads_to_its_ticket_and_a_second_tap_to_the_same(public):
    page = public.get("/help/")
    assert page.headers["Cache-Control"] == "no-store"
    form = {"key": "k" * 22, "contact": "0912 345 678", "unit": "", "place": "", "note": ""}
    first, second = public.post("/help/", form), public.post("/help/", form)

    assert (first.status_code, first.url) == (303, second.url)
    assert HelpRequest.objects.get().ticket in public.get(first.url).text
    assert HelpRequest.objects.get().channel == "portal"


def test_a_form_with_a_gap_comes_back_with_what_was_written(public):
    answer = public.post("/help/", {"contact": "", "place": "tổ 5 phường Sông Cầu"})

    assert answer.status_code == 422
    assert "tổ 5 phường Sông Cầu" in answer.text
    assert "Chưa gửi" in answer.text
    assert not HelpRequest.objects.exists()


def test_a_form_that_another_site_sends_opens_nothing(public):
    form = {"contact": "0912 345 678"}
    for origin in ("https://evil.example", "null"):
        assert public.post("/help/", form, headers={"Origin": origin}).status_code == 403
    assert not HelpRequest.objects.exists()
    assert public.post("/help/", form, headers={"Origin": "http://testserver"}).status_code == 303


def test_over_the_limit_the_form_keeps_the_words_and_says_when(public):
    for _ in range(3):
        public.post("/help/", {"contact": "0912"})
    answer = public.post("/help/", {"contact": "0912", "note": "lời của tôi"})

    assert answer.status_code == 429
    assert "lời của tôi" in answer.text
    assert answer.headers["Retry-After"]


def test_no_answer_sets_a_cookie_or_says_whether_a_ticket_exists(public):
    for address in ("/help/", "/help/AAA-AAA/"):
        answer = public.get(address)
        assert answer.status_code == 200
        assert not answer.cookies
    assert public.get("/help/x/").url == "/help/"


def test_the_office_has_no_such_call(server):
    office = Client()
    office.force_login(user())

    assert office.post("/v1/help", WANTED, content_type="application/json").status_code == 404
