# SPDX-License-Identifier: Apache-2.0
"""Accounts and their one-time links."""

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from tests.builders.office import PASSWORD, user

from bluezone.authority.people import accounts, first_admin
from bluezone.authority.role_grants import LastAdmin
from bluezone.identity import account_links
from bluezone.identity.account_links import AccountLinkInvalid
from bluezone.identity.models import Role, User, valid_roles

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def made(username="lan"):
    return accounts.create_account_with_link("admin", username, "Nông Thị Lan", "Trạm Y tế", Role.HEALTH_WORKER, NOW)


def test_the_links_of_a_deactivated_account_are_dead():
    user("root", Role.ADMIN)
    account, token = made()
    accounts.change_account("root", account, account.name, account.agency, is_active=False)

    with pytest.raises(AccountLinkInvalid):
        account_links.find_linked_account(token, NOW)


def test_the_first_administrator_gets_one_link_whatever_starts_again_and_however_many_hosts_start():
    first = first_admin.first_admin_link(NOW)
    others = [first_admin.first_admin_link(NOW) for _ in range(2)]

    assert User.objects.count() == 1
    assert [other.token for other in others] == [None, None]
    assert {other.username for other in others} == {first.username}
    account_links.set_first_password(first.token, "Hoàng Thị Mai", PASSWORD, NOW)
    assert first_admin.first_admin_link(NOW) is None


def test_a_first_link_past_its_time_is_replaced_at_the_next_start():
    past = first_admin.first_admin_link(NOW)
    later = NOW + account_links.LINK_LIFE
    again = first_admin.first_admin_link(later)

    with pytest.raises(AccountLinkInvalid):
        account_links.find_linked_account(past.token, later)
    assert account_links.find_linked_account(again.token, later).username == past.username


def test_a_worker_who_has_taken_the_name_admin_does_not_get_the_link():
    worker = user("admin", Role.HEALTH_WORKER)
    token = first_admin.first_admin_link(NOW).token

    assert account_links.find_linked_account(token, NOW) != worker
    assert valid_roles(account_links.find_linked_account(token, NOW)) == {Role.ADMIN}


def test_the_last_administrator_stays():
    root = user("root", Role.ADMIN)
    made("waiting")[0]

    with pytest.raises(LastAdmin):
        accounts.change_account("root", root, root.name, root.agency, is_active=False)
    assert User.objects.get(username="root").is_active


def test_one_of_two_administrators_may_go():
    root, second = user("root", Role.ADMIN), user("second", Role.ADMIN)

    accounts.change_account("root", second, second.name, second.agency, is_active=False)

    assert list(User.objects.with_roles([Role.ADMIN])) == [root]


def test_the_command_prints_a_link_that_works(capsys):
    root = user("root", Role.ADMIN)
    call_command("account_link", "root")
    token = capsys.readouterr().out.strip().rstrip("/").rsplit("/", 1)[1]

    assert account_links.find_linked_account(token, timezone.now()) == root
    with pytest.raises(CommandError, match="no active account"):
        call_command("account_link", "nobody")
