# SPDX-License-Identifier: Apache-2.0
"""Issuing a code for practice: nothing reaches the key server, no phone takes it, it counts nowhere and is erased."""

import datetime
import uuid

import pytest
from django.utils import timezone
from tests.builders.office import local_today, prove_second_factor, user

from bluezone import training
from bluezone.healthauthority import queries
from bluezone.healthauthority.codes import issuance, practice
from bluezone.healthauthority.codes.issuance import OnsetRefused
from bluezone.healthauthority.models import IssuedCode
from bluezone.identity.models import AuditEntry
from bluezone.protocol.upload.codes import InvalidCode, parse_code, parse_link

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


@pytest.fixture
def trainee(client, server):
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(user("lan"))
    session = client.session
    session[training.TRAINING_KEY] = True
    session.save()
    return client


def issue(browser):
    return browser.post(
        "/codes/new/", {"case_class": "confirmed", "onset": local_today().isoformat(), "form_id": uuid.uuid4()}
    )


def test_a_code_for_practice_is_made_up_and_the_key_server_never_hears_of_it(trainee, server):
    before = queries.code_rows(everything=True)
    answer = issue(trainee)
    issued = answer.context["issued"]

    assert answer.status_code == 201
    assert "No phone accepts it" in answer.text
    assert queries.code_rows(everything=True) == before
    assert IssuedCode.objects.count() == 0
    assert not AuditEntry.objects.filter(action__startswith="code").exists()
    with pytest.raises(InvalidCode):
        parse_code(issued.code)
    with pytest.raises(InvalidCode):
        parse_link(issued.link)


@pytest.mark.long
def test_it_is_open_then_used_or_revoked_and_stands_in_the_list_of_practice_alone(trainee):
    made = [issue(trainee).context["issued"] for _ in range(2)]
    first, second = (one.record for one in made)
    tickets = {one.record.pk: one.ticket for one in made}

    def state(record):
        return trainee.post(f"/codes/{record.pk}/state/", {"ticket": tickets[record.pk]})

    assert state(first)["X-Code-State"] == "open"
    prove_second_factor(trainee).post(f"/codes/{second.pk}/revoke/")
    IssuedCode.everything.update(issued_at=first.issued_at - datetime.timedelta(minutes=1))

    assert state(first)["X-Code-State"] == "used"
    assert state(second)["X-Code-State"] == "revoked"
    assert len(trainee.get("/codes/").context["page"]) == 2
    session = trainee.session
    session[training.TRAINING_KEY] = False
    session.save()
    assert len(trainee.get("/codes/").context["page"]) == 0
    assert state(first).status_code == 404


def test_practice_takes_nothing_from_the_limit_of_the_day(trainee):
    issue(trainee)
    session = trainee.session
    session[training.TRAINING_KEY] = False
    session.save()

    assert trainee.get("/codes/").context["quota"].worker_issued == 0


def test_codes_of_practice_are_erased_after_seven_days(trainee):
    issue(trainee)
    at = IssuedCode.everything.get().issued_at
    training.purge(at + 6 * DAY)
    assert IssuedCode.everything.count() == 1
    training.purge(at + 7 * DAY)

    assert IssuedCode.everything.count() == 0


def ask_for_many(browser, key="ab" * 32):
    rows = [{"class": "confirmed", "onset": local_today().isoformat()}] * 3
    return browser.post("/codes/bulk/issue/", {"key": key, "rows": rows}, content_type="application/json")


def test_many_codes_at_once_are_made_up_too_and_the_key_server_never_hears_of_them(trainee, server):
    before = queries.code_rows(everything=True)
    answer = ask_for_many(trainee)

    assert answer.status_code == 201
    assert {row["code"] for row in answer.json()["rows"]} == {"0000-0000-0001"}
    assert "No phone accepts them" in trainee.get("/codes/bulk/").text
    assert (IssuedCode.objects.count(), IssuedCode.everything.count()) == (0, 3)
    assert queries.code_rows(everything=True) == before
    assert not AuditEntry.objects.filter(action__startswith="code").exists()


def test_a_list_that_is_sent_again_after_the_training_gets_real_codes_and_not_those_of_practice(trainee):
    practised = ask_for_many(trainee).json()["rows"]
    again = ask_for_many(trainee).json()["rows"]
    session = trainee.session
    session[training.TRAINING_KEY] = False
    session.save()
    real = ask_for_many(trainee).json()["rows"]

    assert again == practised
    assert "0000-0000-0001" not in {row["code"] for row in real}
    assert IssuedCode.objects.count() == 3


@pytest.mark.parametrize("days", [-1, 24])
def test_training_refuses_the_onsets_that_are_refused_in_earnest(server, days):
    """The key server, which refuses them too, is not asked in training."""
    with training.practice(), pytest.raises(OnsetRefused):
        issuance.issue_code(server, user(), "confirmed", local_today() - days * DAY, timezone.now())


def test_a_code_for_practice_counts_as_used_after_half_a_minute(server):
    now = timezone.now()
    with training.practice():
        issued = issuance.issue_code(server, user(), "confirmed", local_today(), now)
        made = issued.record
        after = [
            practice.practice_states([made], now + datetime.timedelta(seconds=seconds))[made.handle]
            for seconds in (0, 29, 30)
        ]

    assert after == ["open", "open", "used"]
    assert (issued.expires_at - now, issued.link_expires_at - now) == (DAY, 2 * DAY)
