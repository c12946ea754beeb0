# SPDX-License-Identifier: Apache-2.0
"""Deletion of failed sign-ins, links, sessions and audit entries that are past their time."""

import datetime

from bluezone.audit import hash_chain
from bluezone.identity.account_links import delete_past_links
from bluezone.identity.models import OfficeSession, SignInFailure
from bluezone.identity.signin.attempts import WINDOW
from bluezone.identity.signin.sessions import purge_minutes


def purge(now: datetime.datetime) -> None:
    """Delete expired sign-in failures, links and sessions, and audit entries after a year."""
    SignInFailure.objects.filter(at__lte=now - WINDOW).delete()
    delete_past_links(now)
    OfficeSession.objects.filter(expire_date__lt=now).delete()
    purge_minutes(now)
    hash_chain.delete_past_retention(now)
