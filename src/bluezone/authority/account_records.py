# SPDX-License-Identifier: Apache-2.0
"""Accounts made, changed and deactivated, and the first administrator of a server."""

import datetime
import secrets

from django.db import transaction
from django.utils import timezone

from bluezone.audit import hash_chain
from bluezone.audit.hash_chain import COMMAND_LINE
from bluezone.authority import role_grants
from bluezone.identity.models import Role, User
from bluezone.identity.signin import make_link

FIRST_ADMIN_NAME = "admin"


def make_account(
    actor: str,
    username: str,
    name: str,
    agency: str,
    role: str,
    now: datetime.datetime,
    *,
    within: role_grants.Scope = None,
    valid_to: datetime.date | None = None,
) -> tuple[User, str]:
    """A new account without a password, holding one role, and the token of its first link.

    The values come from a valid AccountForm; within: where the role reaches, None for the whole city.
    """
    with transaction.atomic():
        user = User(username=username, name=name, agency=agency)
        user.set_unusable_password()
        user.save()
        hash_chain.record(actor, "account_made", username)
        role_grants.give(actor, user, role, within, timezone.localdate(now), valid_to)
        return user, make_link(actor, user, now)


def change_account(actor: str, user: User, name: str, agency: str, is_active: bool) -> None:
    """Store other values of an account; raises LastAdmin when no administrator with a password would be left."""
    with transaction.atomic():
        if not is_active:
            role_grants.keep_an_administrator(user, timezone.localdate())
        user.name, user.agency, user.is_active = name, agency, is_active
        if not is_active:
            user.email = ""
        user.save(update_fields=["name", "agency", "is_active", "email"])
        if not is_active:
            user.links.all().delete()
        hash_chain.record(actor, "account_changed", user.username, active=is_active)


def first_admin_token(now: datetime.datetime) -> str | None:
    """A link for the first administrator while no administrator has a password yet, else None.

    Called at every start of `serve`: a link that was lost or has expired is replaced by starting again.
    """
    admins = User.objects.holding([Role.ADMIN], timezone.localdate(now))
    if any(admin.has_usable_password() for admin in admins):
        return None
    admin = admins.first()
    if admin is None:
        return make_account(COMMAND_LINE, _free_name(), "", "", Role.ADMIN, now)[1]
    return make_link(COMMAND_LINE, admin, now)


def _free_name() -> str:
    taken = User.objects.filter(username=FIRST_ADMIN_NAME).exists()
    return f"{FIRST_ADMIN_NAME}-{secrets.token_hex(2)}" if taken else FIRST_ADMIN_NAME
