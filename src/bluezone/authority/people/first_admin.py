# SPDX-License-Identifier: Apache-2.0
"""The account of the first administrator, made when the office starts without one."""

import datetime
import secrets
from dataclasses import dataclass

from django.utils import timezone

from bluezone.audit.hash_chain import COMMAND_LINE
from bluezone.authority.people.accounts import create_account_with_link
from bluezone.identity.account_links import issue_account_link
from bluezone.identity.models import Role, User

FIRST_ADMIN_NAME = "admin"


@dataclass(frozen=True)
class FirstLink:
    """The first administrator's one-time link. token: None if it was shown before and is still valid."""

    username: str
    token: str | None


def is_first_admin_missing(now: datetime.datetime) -> bool:
    """Whether no administrator has a password yet."""
    return not any(
        admin.has_usable_password() for admin in User.objects.with_roles([Role.ADMIN], timezone.localdate(now))
    )


def first_admin_link(now: datetime.datetime) -> FirstLink | None:
    """A link for the first administrator while no administrator has a password yet, else None.

    Called at every start of `serve`, on every host. A link is given out once: no start makes another until it has been
    used or has expired. To replace a lost link, use `bluezone manage account_link NAME`.
    """
    if not is_first_admin_missing(now):
        return None
    admin = User.objects.with_roles([Role.ADMIN], timezone.localdate(now)).first()
    if admin is None:
        account, token = create_account_with_link(COMMAND_LINE, _free_name(), "", "", Role.ADMIN, now)
        return FirstLink(account.username, token)
    if admin.links.filter(expires_at__gt=now).exists():
        return FirstLink(admin.username, None)
    return FirstLink(admin.username, issue_account_link(COMMAND_LINE, admin, now))


def _free_name() -> str:
    if User.objects.filter(username=FIRST_ADMIN_NAME).exists():
        return f"{FIRST_ADMIN_NAME}-{secrets.token_hex(2)}"
    return FIRST_ADMIN_NAME
