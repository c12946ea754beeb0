# SPDX-License-Identifier: Apache-2.0
"""What the office forgets about its own people, and when."""

import datetime

from bluezone.accounts import auditing, inviting
from bluezone.accounts.models import OfficeSession, SignInFailure
from bluezone.accounts.signing_in import WINDOW


def purge(now: datetime.datetime) -> None:
    """Delete sign-in failures, links and sessions past their time, and audit entries after a year."""
    SignInFailure.objects.filter(at__lte=now - WINDOW).delete()
    inviting.delete_past_links(now)
    OfficeSession.objects.filter(expire_date__lt=now).delete()
    auditing.delete_past_retention(now)
