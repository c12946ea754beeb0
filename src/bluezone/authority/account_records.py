# SPDX-License-Identifier: Apache-2.0
"""Making accounts, and the one-time link with which a person takes theirs: nobody else ever knows the password."""

import datetime
import hashlib
import secrets

from django.db import transaction
from django.utils import timezone

from bluezone.audit import hash_chain
from bluezone.authority import role_grants
from bluezone.identity.models import AccountLink, Role, User
from bluezone.refusal import Refused

LINK_LIFE = datetime.timedelta(hours=72)
FIRST_ADMIN_NAME = "admin"
COMMAND_LINE = "command line"


class AccountLinkInvalid(Refused):
    """The link is unknown, used, replaced by a newer one, or past its time; it is not said which."""

    code = "account_link_invalid"


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


def make_link(actor: str, user: User, now: datetime.datetime) -> str:
    """A new one-time token for the account; links made for it before stop working.

    Returns the token, 43 characters, which is shown once: only its SHA-256 is stored.
    """
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        user.links.all().delete()
        AccountLink.objects.create(user=user, digest=_digest(token), expires_at=now + LINK_LIFE)
        hash_chain.record(actor, "link_made", user.username)
    return token


def user_of_link(token: str, now: datetime.datetime) -> User:
    """Whose link this is, without using it; raises AccountLinkInvalid."""
    link = AccountLink.objects.select_related("user").filter(digest=_digest(token), expires_at__gt=now).first()
    if link is None or not link.user.is_active:
        raise AccountLinkInvalid("the link is unknown, used or past its time")
    return link.user


def set_first_password(token: str, name: str, password: str, now: datetime.datetime) -> User:
    """Use the link: store name and password of its account. A second use raises AccountLinkInvalid."""
    with transaction.atomic():
        user = user_of_link(token, now)
        # Of two requests with one link, one deletes it; the other finds nothing to delete.
        if not AccountLink.objects.filter(digest=_digest(token)).delete()[0]:
            raise AccountLinkInvalid("the link is unknown, used or past its time")
        user.name = name
        user.set_password(password)
        user.save(update_fields=["name", "password"])
        hash_chain.record(user.username, "password_set", user.username)
    return user


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


def delete_past_links(now: datetime.datetime) -> int:
    """Delete links past their time; how many went."""
    return AccountLink.objects.filter(expires_at__lte=now).delete()[0]


def _free_name() -> str:
    taken = User.objects.filter(username=FIRST_ADMIN_NAME).exists()
    return f"{FIRST_ADMIN_NAME}-{secrets.token_hex(2)}" if taken else FIRST_ADMIN_NAME


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
