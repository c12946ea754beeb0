# SPDX-License-Identifier: Apache-2.0
"""The one-time link with which a person takes their account."""

import datetime

import pytest
from django.utils import timezone
from tests.builders.office import PASSWORD

from bluezone.identity import account_links
from bluezone.identity.account_links import AccountLinkInvalid
from bluezone.identity.models import AccountLink, AuditEntry, User

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def invited():
    account = User(username="lan", name="Nông Thị Lan", agency="Trạm Y tế")
    account.set_unusable_password()
    account.save()
    return account, account_links.issue_account_link("admin", account, NOW)


def test_a_link_sets_the_password_once():
    account, token = invited()
    assert not account.has_usable_password()

    taken = account_links.set_first_password(token, "Nông Thị Lan", PASSWORD, NOW)

    assert taken.check_password(PASSWORD)
    with pytest.raises(AccountLinkInvalid):
        account_links.set_first_password(token, "Somebody else", "another password", NOW)


def test_looking_at_a_link_does_not_use_it():
    account, token = invited()

    assert account_links.find_linked_account(token, NOW) == account
    assert account_links.find_linked_account(token, NOW) == account


def test_a_link_ends_after_72_hours():
    _, token = invited()
    account_links.find_linked_account(token, NOW + datetime.timedelta(hours=71, minutes=59))

    with pytest.raises(AccountLinkInvalid):
        account_links.find_linked_account(token, NOW + datetime.timedelta(hours=72))


def test_a_newer_link_replaces_the_older():
    account, old = invited()
    new = account_links.issue_account_link("admin", account, NOW)

    with pytest.raises(AccountLinkInvalid):
        account_links.find_linked_account(old, NOW)
    assert account_links.find_linked_account(new, NOW) == account


def test_the_token_is_not_stored():
    _, token = invited()

    assert token not in str(list(AccountLink.objects.values()))
    assert token not in str(list(AuditEntry.objects.values()))
