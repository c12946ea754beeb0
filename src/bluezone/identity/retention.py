# SPDX-License-Identifier: Apache-2.0
"""What the office forgets about its own people, and when."""

import datetime

from bluezone.audit import hash_chain
from bluezone.identity.models import OfficeSession, SignInFailure
from bluezone.identity.signin import invitations
from bluezone.identity.signin.attempts import WINDOW


def purge(now: datetime.datetime) -> None:
    """Delete sign-in failures, links and sessions past their time, and audit entries after a year."""
    SignInFailure.objects.filter(at__lte=now - WINDOW).delete()
    invitations.delete_past_links(now)
    OfficeSession.objects.filter(expire_date__lt=now).delete()
    hash_chain.delete_past_retention(now)
