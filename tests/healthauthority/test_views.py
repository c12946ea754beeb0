# SPDX-License-Identifier: Apache-2.0
"""The health worker's pages."""

import datetime
import re
import uuid

import pytest
from django.utils import timezone, translation
from tests.builders.keyserver import Phone, keys_for, poster, set_city
from tests.builders.office import local_today, prove_second_factor, row_of, user

from bluezone.healthauthority import views
from bluezone.healthauthority.codes import issuance
from bluezone.healthauthority.health_tags import inwords
from bluezone.healthauthority.models import IssuedCode
from bluezone.identity.models import Role
from bluezone.protocol.upload.codes import Credential

pytestmark = pytest.mark.django_db
CODE = re.compile(r"\d{4}-\d{4}-\d{4}")


@pytest.fixture
def lan():
    return user("lan")


@pytest.fixture
def english(client, server, lan):
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(lan)
    return client


def form(**changes):
    return {"case_class": "confirmed", "onset": local_today().isoformat(), "form_id": uuid.uuid4(), **changes}


def shown_code(answer):
    return CODE.search(re.sub(r"</?i>", "", answer.text))[0]


def issued_by(server, worker):
    return issuance.issue_code(server, worker, "confirmed", local_today(), timezone.now())


def state(browser, made):
    return browser.post(f"/codes/{made.record.pk}/state/", {"ticket": made.ticket})


def test_a_code_is_shown_once_large_with_its_link_and_what_to_say(english, server):
    answer = english.post("/codes/new/", form())
    code = shown_code(answer)

    assert answer.status_code == 201
    assert server.codes.status(code) == "open"
    assert re.search(r"http://localhost:8000/r#[\w-]{22}", answer.text)
    assert "What to say on the phone" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert code not in english.get("/codes/").text


def test_a_reload_does_not_issue_another_and_says_what_to_do(english):
    same = form()
    english.post("/codes/new/", same)
    again = english.post("/codes/new/", same)

    assert again.status_code == 409
    assert "No second code was created" in again.text
    assert IssuedCode.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        # From today: the day on which the test runs, not the one on which it was collected.
        ({"onset": datetime.timedelta(days=1)}, "in the future"),
        ({"onset": datetime.timedelta(days=-24)}, "no one could be warned any more"),
        ({"onset": "last week"}, "Write the day first"),
        ({"onset": ""}, "This field is required"),
        ({"case_class": "suspected"}, "Select a valid choice"),
        ({"form_id": "x"}, "Nothing has been stored yet"),
    ],
)
def test_a_bad_form_says_what_is_wrong_and_issues_nothing(english, changes, sentence):
    if isinstance(onset := changes.get("onset"), datetime.timedelta):
        changes = {"onset": (local_today() + onset).isoformat()}
    answer = english.post("/codes/new/", form(**changes))

    assert answer.status_code == 422
    assert sentence in answer.text
    assert not IssuedCode.objects.exists()


@pytest.mark.long
def test_over_the_quota_the_page_says_what_to_do_next(english, server, lan):
    set_city(server, quota_per_worker_a_day=2)
    for _ in range(2):
        assert english.post("/codes/new/", form()).status_code == 201
    refused = english.post("/codes/new/", form())

    assert refused.status_code == 429
    assert "no supervisor has an account" in refused.text
    user("sup", Role.SUPERVISOR, name="Hoàng Văn Bình")
    assert "call the supervisor (Hoàng Văn Bình)" in english.get("/codes/new/").text
    assert IssuedCode.objects.count() == 2
    assert "2 / 2" in english.get("/codes/").text


def test_the_list_teaches_while_it_is_empty_and_says_when_reports_reach_phones(english):
    page = english.get("/codes/").text

    assert "No code issued yet" in page
    assert re.search(r"Reports received now reach phones by</small><b class=\"num\">\d\d:\d\d", page)
    assert "no field for a name" in page


def test_the_list_has_each_mark_and_no_state(english, server, lan):
    made = [issued_by(server, lan) for _ in range(2)]
    server.codes.revoke_code(row_of(made[1]))
    page = english.get("/codes/").text

    assert "</svg>revoked</span>" not in page
    assert page.count("shown where it was issued") == 2
    assert all(f">{one.record.mark}</td>" in page for one in made)


def test_each_state_is_told_to_whoever_has_the_ticket(english, server, lan):
    opened, revoked, used = (issued_by(server, lan) for _ in range(3))
    server.codes.revoke_code(row_of(revoked))
    Phone(poster(server), server, Credential.from_text(used.code), keys=keys_for(server.clock())).certified()
    the_next_day(server)

    said = [re.search(r"</svg>(.*?)</span>", state(english, made).text)[1] for made in (opened, revoked, used)]
    assert said == ["not used by this morning", "revoked", "used"]


def test_nobody_is_told_a_state_without_its_ticket(english, server, lan):
    made, other, foreign = issued_by(server, lan), issued_by(server, lan), issued_by(server, user("hoa"))

    for ticket in ("", "x", row_of(made), other.ticket, made.ticket[:-1]):
        assert english.post(f"/codes/{made.record.pk}/state/", {"ticket": ticket}).status_code == 404
    assert state(english, foreign).status_code == 404
    assert english.get(f"/codes/{made.record.pk}/state/", {"ticket": made.ticket}).status_code == 405


def the_next_day(server):
    """What the first tick of a day does (tests/keyserver/test_retention.py)."""
    server.codes_store.write(lambda transaction: transaction.execute("UPDATE credential SET told = 1 WHERE state = 1"))


def test_the_open_page_learns_on_the_next_day_that_the_code_was_used(english, server, lan):
    made = issuance.issue_code(server, lan, "confirmed", local_today(), timezone.now())
    assert state(english, made).headers["X-Code-State"] == "open"
    Phone(poster(server), server, Credential.from_text(made.link), keys=keys_for(server.clock())).certified()
    assert state(english, made).headers["X-Code-State"] == "open"
    the_next_day(server)
    answer = state(english, made)

    assert answer.headers["X-Code-State"] == "used"
    assert re.search(r"reaches phones by \d\d:\d\d", answer.text)


def test_revoking_asks_first_and_then_says_that_it_was_in_time(english, server, lan):
    made = issued_by(server, lan)
    place, ticket = f"/codes/{made.record.pk}/revoke/", {"ticket": made.ticket}
    assert "confirm/?next=" in english.post(place, ticket).url, "a session alone takes back nothing"
    assert server.codes.status(made.code) == "open"
    assert "Revoke the code?" in prove_second_factor(english).get(place).text
    assert server.codes.status(made.code) == "open"

    said = english.post(place, ticket, follow=True).text

    assert "The code is revoked" in said
    assert server.codes.status(made.code) == "revoked"


def test_revoking_too_late_says_that_it_cannot_be_recalled(english, server, lan):
    made = issuance.issue_code(server, lan, "confirmed", local_today(), timezone.now())
    Phone(poster(server), server, Credential.from_text(made.code), keys=keys_for(server.clock())).certified()
    place = f"/codes/{made.record.pk}/revoke/"

    assert "stop working at once" in prove_second_factor(english).get(place).text
    assert "Too late" in english.post(place, {"ticket": made.ticket}, follow=True).text


@pytest.mark.parametrize("named", ["code", "link"])
def test_in_another_browser_the_code_itself_says_which_one_to_revoke(english, server, lan, named):
    made = issued_by(server, lan)
    place = f"/codes/{made.record.pk}/revoke/"

    assert (
        "The code is revoked"
        in prove_second_factor(english).post(place, {"code": f" {getattr(made, named)} "}, follow=True).text
    )
    assert server.codes.status(made.code) == "revoked"


def test_by_trying_nobody_finds_a_code_to_revoke(english, server, lan):
    made, other = issued_by(server, lan), issued_by(server, lan)
    place = f"/codes/{made.record.pk}/revoke/"
    prove_second_factor(english)
    # Neither a slip of the finger nor a row's name is a try.
    for sent in ({}, {"code": "1234"}, {"code": row_of(made)}, {"ticket": other.ticket}, {"ticket": "x"}):
        assert english.post(place, sent).status_code == 422
    for _ in range(views.MOST_TYPED_TRIES):
        assert english.post(place, {"code": "0000-0000-0000"}).status_code == 422

    refused = english.post(place, {"code": made.code})
    assert refused.status_code == 429
    assert "quarter of an hour" in refused.text
    assert server.codes.status(made.code) == server.codes.status(other.code) == "open"


def test_a_worker_does_not_see_or_revoke_the_codes_of_another(english, server):
    made = issued_by(server, user("hoa"))

    assert "No code issued yet" in english.get("/codes/").text
    assert state(english, made).status_code == 404
    for sent in ({"ticket": made.ticket}, {"code": made.code}):
        assert prove_second_factor(english).post(f"/codes/{made.record.pk}/revoke/", sent).status_code == 404
    assert server.codes.status(made.code) == "open"


def test_a_supervisor_sees_the_codes_of_all_and_revokes_one_that_is_read_out(english, server, lan):
    made = issued_by(server, lan)
    english.force_login(user("sup", Role.SUPERVISOR))

    assert "Nông Thị Lan" in english.get("/codes/").text
    prove_second_factor(english).post(f"/codes/{made.record.pk}/revoke/", {"code": made.code})
    assert server.codes.status(made.code) == "revoked"


@pytest.mark.long
def test_a_long_list_has_pages(english, server, lan):
    for _ in range(21):
        issued_by(server, lan)

    first, second = (english.get(f"/codes/?page={page}").text.count("/revoke/") for page in (1, 2))
    assert (first, second) == (20, 1)
    assert english.get("/codes/?page=nonsense").status_code == 200


def test_a_moment_is_written_as_it_is_read_out():
    moment = datetime.datetime(2026, 11, 25, 3, 5, tzinfo=datetime.UTC)
    said = []
    for language in ("vi", "en"):
        with translation.override(language):
            said.append(inwords(moment).replace("\xa0", " "))

    assert said == ["10 giờ 05, thứ Tư ngày 25 tháng 11 năm 2026", "10:05 on Wednesday 25 November 2026"]
