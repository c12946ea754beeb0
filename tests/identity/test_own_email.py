# SPDX-License-Identifier: Apache-2.0
"""The own e-mail address: given by the person alone, after the second factor or the password, and forgotten again."""

import time

import pytest
from tests.builders.office import PASSWORD, data_folder, furnished_folder, quick_passwords, user

from bluezone.authority.people import accounts
from bluezone.identity.models import AuditEntry, Role

__all__ = ["data_folder", "furnished_folder", "quick_passwords"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def officer(client):
    made = user("can", Role.OFFICER, factor=False)
    client.force_login(made)
    return made


def test_it_is_given_with_the_password_where_there_is_no_second_factor(client, officer):
    wrong = client.post("/email/", {"email": "can@example.org", "present": "khác"})
    right = client.post("/email/", {"email": "can@example.org", "present": PASSWORD})
    officer.refresh_from_db()

    assert (wrong.status_code, right.status_code, officer.email) == (422, 302, "can@example.org")
    entry = AuditEntry.objects.get(action="email_changed")
    assert "example.org" not in str(entry.details) + entry.subject


def test_it_asks_for_the_second_factor_where_there_is_one(client):
    ky = user("ky", Role.ISSUER)
    client.force_login(ky)
    assert client.post("/email/", {"email": "ky@example.org"}).url.startswith("/confirm/")
    session = client.session
    session["second_factor_at"] = int(time.time())
    session.save()

    assert client.post("/email/", {"email": "ky@example.org"}).status_code == 302
    ky.refresh_from_db()
    assert ky.email == "ky@example.org"


@pytest.mark.parametrize(
    "address", [" can@example.org ", "mailto:can@example.org", "can@example.org\u200b", "<can@example.org>"]
)
def test_what_comes_with_an_address_that_was_copied_is_left_out(client, officer, address):
    assert client.post("/email/", {"email": address, "present": PASSWORD}).status_code == 302
    officer.refresh_from_db()

    assert officer.email == "can@example.org"


@pytest.mark.parametrize("address", ["can", "a@b", "a@example.org, b@example.org", "a@example.org\nBcc: b@example.org"])
def test_what_is_no_address_is_refused_and_shown_again(client, officer, address):
    answer = client.post("/email/", {"email": address, "present": PASSWORD})
    officer.refresh_from_db()

    assert (answer.status_code, officer.email) == (422, "")


def test_it_is_emptied_by_the_person_and_with_the_account(client, officer):
    for ending in ("by hand", "with the account"):
        client.post("/email/", {"email": "can@example.org", "present": PASSWORD})
        if ending == "by hand":
            client.post("/email/", {"email": "", "present": PASSWORD})
        else:
            officer.refresh_from_db()
            accounts.change_account("mai", officer, officer.name, "", is_active=False)
        officer.refresh_from_db()
        assert officer.email == "", ending
