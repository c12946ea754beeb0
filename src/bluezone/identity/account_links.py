# SPDX-License-Identifier: Apache-2.0
"""The one-time link with which a person sets the password of their own account."""

import datetime
import hashlib
import secrets

from django.db import transaction

from bluezone.audit import hash_chain
from bluezone.identity.models import AccountLink, User
from bluezone.refusal import Refused

LINK_LIFE = datetime.timedelta(hours=72)


class AccountLinkInvalid(Refused):
    """The link is unknown, used, replaced by a newer one, or expired; the answer does not say which."""

    code = "account_link_invalid"


def issue_account_link(actor: str, user: User, now: datetime.datetime) -> str:
    """A new one-time token for the account; its earlier links stop working.

    Returns the token, 43 characters, which is shown once: only its SHA-256 is stored.
    """
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        user.links.all().delete()
        AccountLink.objects.create(user=user, digest=_digest(token), expires_at=now + LINK_LIFE)
        hash_chain.record(actor, "link_made", user.username)
    return token


def find_linked_account(token: str, now: datetime.datetime) -> User:
    """The account of a link, without using the link; raises AccountLinkInvalid."""
    link = AccountLink.objects.select_related("user").filter(digest=_digest(token), expires_at__gt=now).first()
    if link is None or not link.user.is_active:
        raise AccountLinkInvalid("the link is unknown, used or expired")
    return link.user


def set_first_password(token: str, name: str, password: str, now: datetime.datetime) -> User:
    """Use the link: store name and password of its account. A second use raises AccountLinkInvalid."""
    with transaction.atomic():
        user = find_linked_account(token, now)
        # Of two requests with the same link, one deletes it; the other finds nothing to delete.
        if not AccountLink.objects.filter(digest=_digest(token)).delete()[0]:
            raise AccountLinkInvalid("the link is unknown, used or expired")
        user.name = name
        user.set_password(password)
        user.save(update_fields=["name", "password"])
        hash_chain.record(user.username, "password_set", user.username)
    return user


def delete_past_links(now: datetime.datetime) -> int:
    """Delete expired links; returns their number."""
    return AccountLink.objects.filter(expires_at__lte=now).delete()[0]


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
