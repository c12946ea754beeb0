# SPDX-License-Identifier: Apache-2.0
"""Asking for help on the public origin: the call of the app and the form of the page."""

import re
import time

import pytest
from django.test import Client
from django.utils import timezone
from tests.builders.office import user

from bluezone.directory.models import Agency
from bluezone.directory.records.seed import seed_directory
from bluezone.portal import views
from bluezone.protocol.upload.puzzle import PUZZLE_BITS, difficulty_bits, read_challenge, solve_for_header
from bluezone.publicpages import form_limits
from bluezone.publicpages.form_limits import FormLimit
from bluezone.rollout.drives import help_requests
from bluezone.rollout.drives.models import HelpRequest

pytestmark = pytest.mark.django_db
WANTED = {"channel": "app", "contact": "0912 345 678", "place": "tổ 5", "note": "cài giúp", "unit": ""}


@pytest.fixture(autouse=True)
def fresh_limit(monkeypatch):
    """What was counted is forgotten as the hour turns: it does not, while a test counts."""
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    monkeypatch.setattr(views, "help_limit", FormLimit(3, 5))


def call(public, body, **more):
    return public.post("/v1/help", body, content_type="application/json", **more)


def problem(answer):
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) - {"challenge"} == {"code", "message"}
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code, body["error"]["code"]


def test_the_call_answers_with_a_ticket_and_keeps_no_address(public):
    answer = call(public, WANTED, REMOTE_ADDR="203.0.113.77")

    assert answer.status_code == 201
    request = HelpRequest.objects.get()
    assert answer.json() == {"ticket": request.ticket}
    assert help_requests.open_texts(request).contact == "0912 345 678"
    stored = repr(HelpRequest.objects.values().get()) + repr(help_requests.open_texts(request))
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


def test_a_network_that_asks_often_solves_a_puzzle_and_others_do_not(public):
    for _ in range(3):
        assert call(public, WANTED, REMOTE_ADDR="203.0.113.7").status_code == 201
    asked = call(public, WANTED, REMOTE_ADDR="203.0.113.7")
    assert problem(asked) == (429, "puzzle_required")
    answer = {"headers": {"X-Bluezone-Puzzle": solve_for_header(read_challenge(asked.content))}}

    assert call(public, WANTED, REMOTE_ADDR="203.0.113.7", **answer).status_code == 201
    assert call(public, WANTED, REMOTE_ADDR="203.0.113.7", **answer).status_code == 429, "good for once"
    assert call(public, WANTED, REMOTE_ADDR="203.0.113.8").status_code == 201


def test_a_flood_from_many_networks_costs_a_citizen_a_puzzle_and_keeps_nobody_out(public):
    for number in range(6):
        call(public, WANTED, REMOTE_ADDR=f"2001:db8:0:{number}00::1")
    asked = call(public, WANTED, REMOTE_ADDR="203.0.113.9")
    answer = {"headers": {"X-Bluezone-Puzzle": solve_for_header(read_challenge(asked.content))}}

    assert call(public, WANTED, REMOTE_ADDR="203.0.113.9", **answer).status_code == 201


@pytest.mark.usefixtures("real_puzzles")
def test_a_flood_that_solves_no_puzzle_makes_none_harder(public):
    for number in range(70):
        asked = call(public, WANTED, REMOTE_ADDR="203.0.113.7")
        assert number < 3 or asked.status_code == 429

    assert difficulty_bits(read_challenge(asked.content)) == PUZZLE_BITS
    assert form_limits._puzzles()._tally.misses(time.time())[0] == 0


def test_the_networks_of_one_customer_count_together_too(public, monkeypatch):
    monkeypatch.setattr(views, "help_limit", FormLimit(3, 1000))
    seen = [call(public, WANTED, REMOTE_ADDR=f"2001:db8:0:{number:x}00::1").status_code for number in range(14)]

    assert seen == [201] * 12 + [429] * 2


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


def test_over_the_limit_the_form_keeps_the_words_and_brings_a_puzzle(public):
    for _ in range(3):
        public.post("/help/", {"contact": "0912"})
    asked = public.post("/help/", {"contact": "0912", "note": "lời của tôi"})
    challenge = re.search(r'data-challenge="([0-9a-f]{64})"', asked.text)[1]

    assert asked.status_code == 429
    assert "lời của tôi" in asked.text
    assert 'data-worker="/app/engine/web/puzzleworker.js"' in asked.text
    answered = {"contact": "0912", "note": "lời của tôi", "puzzle": solve_for_header(bytes.fromhex(challenge))}
    assert public.post("/help/", answered).status_code == 303


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


def test_the_page_says_where_the_health_stations_are_and_when(public):
    seed_directory()
    station = Agency.objects.get(key="trung-tam-y-te")
    Agency.objects.filter(pk=station.pk).update(valid_to=None, phone="0209 3870 111", hours="7:00–17:00")

    page = public.get("/help/").content.decode()
    assert "tel:02093870111" in page
    assert "7:00–17:00" in page
