# SPDX-License-Identifier: Apache-2.0
"""What the office forgets about its own people."""

import datetime

import pytest
from django.utils import timezone

from bluezone.audit import hash_chain
from bluezone.authority.people import accounts
from bluezone.identity import retention
from bluezone.identity.models import AccountLink, AuditEntry, OfficeSession, Role, SignInFailure

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def test_what_has_had_its_time_goes_and_the_rest_stays():
    hour, year = datetime.timedelta(hours=1), datetime.timedelta(days=366)
    for age in (hour / 5, hour):
        SignInFailure.objects.create(account="a" * 64, address="b" * 64, at=NOW - age)
    hash_chain.record("lan", "code_issued", now=NOW - year)
    OfficeSession.objects.create(session_key="old", session_data="", expire_date=NOW - hour)
    OfficeSession.objects.create(session_key="new", session_data="", expire_date=NOW + hour)
    accounts.create_account_with_link("admin", "old", "Cũ", "x", Role.ADMIN, NOW - 80 * hour)
    accounts.create_account_with_link("admin", "new", "Mới", "x", Role.ADMIN, NOW)

    retention.purge(NOW)

    assert SignInFailure.objects.count() == 1
    assert [session.session_key for session in OfficeSession.objects.all()] == ["new"]
    assert [link.user.username for link in AccountLink.objects.all()] == ["new"]
    assert not AuditEntry.objects.filter(at__lt=NOW - year / 2).exists()
    assert hash_chain.verify_chain().broken_at is None
