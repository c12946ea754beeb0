# SPDX-License-Identifier: Apache-2.0
"""Create, change and deactivate accounts, and find them by words."""

import datetime

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from bluezone.audit import hash_chain
from bluezone.authority.reach import Scope, accounts_in_reach
from bluezone.authority.role_grants import grant_role, require_remaining_admin
from bluezone.directory.scopes import grants_for
from bluezone.duties.duty import MOST_HITS, Hit
from bluezone.identity.account_links import issue_account_link
from bluezone.identity.duty import ADMINS
from bluezone.identity.models import User


def create_account(
    actor: str,
    username: str,
    name: str,
    agency: str,
    role: str,
    now: datetime.datetime,
    *,
    within: Scope = None,
    valid_to: datetime.date | None = None,
) -> User:
    """A new account with one role, without a password and without a link.

    The values come from a valid AccountForm; within: the reach of the role, None for the whole city.
    """
    with transaction.atomic():
        user = User(username=username, name=name, agency=agency)
        user.set_unusable_password()
        user.save()
        hash_chain.record(actor, "account_made", username)
        grant_role(actor, user, role, within, timezone.localdate(now), valid_to)
    return user


def create_account_with_link(
    actor: str,
    username: str,
    name: str,
    agency: str,
    role: str,
    now: datetime.datetime,
    *,
    within: Scope = None,
    valid_to: datetime.date | None = None,
) -> tuple[User, str]:
    """A new account as `create_account` returns it, and the token of its first link."""
    with transaction.atomic():
        user = create_account(actor, username, name, agency, role, now, within=within, valid_to=valid_to)
        return user, issue_account_link(actor, user, now)


def change_account(actor: str, user: User, name: str, agency: str, is_active: bool) -> None:
    """Store new values of an account; raises LastAdmin if no administrator with a password would be left."""
    with transaction.atomic():
        if not is_active:
            require_remaining_admin(user, timezone.localdate())
        user.name = name
        user.agency = agency
        user.is_active = is_active
        if not is_active:
            user.email = ""
            user.sealed_phone = None
        user.save(update_fields=["name", "agency", "is_active", "email", "sealed_phone"])
        if not is_active:
            user.links.all().delete()
        hash_chain.record(actor, "account_changed", user.username, active=is_active)


def search(user: User, words: str) -> list[Hit]:
    """Accounts that match these words, for the administrators who reach them."""
    if not grants_for(user, ADMINS.roles):
        return []
    accounts = User.objects.matching(words).filter(pk__in=accounts_in_reach(user, ADMINS.roles))
    return [
        Hit(_("Person"), account.name or account.username, reverse("account", args=[account.pk]), account.agency)
        for account in accounts[:MOST_HITS]
    ]
