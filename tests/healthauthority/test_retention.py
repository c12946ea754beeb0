# SPDX-License-Identifier: Apache-2.0
"""What the office forgets about codes."""

import datetime

import pytest
from django.utils import timezone
from tests.builders.office import local_today, user

from bluezone.healthauthority import hourly_work, quotas
from bluezone.healthauthority.codes import issuance
from bluezone.healthauthority.models import IssuedCode, QuotaRaise
from bluezone.identity.models import Role

pytestmark = pytest.mark.django_db


@pytest.mark.long
def test_a_code_goes_after_14_days(server):
    now = timezone.now()
    issuance.issue_code(server, user(), "clinical", local_today(), now)

    hourly_work.purge(now + datetime.timedelta(days=12))
    assert IssuedCode.objects.exists()
    hourly_work.purge(now + datetime.timedelta(days=15))
    assert not IssuedCode.objects.exists()


def test_a_raised_limit_with_its_reason_goes_after_14_days():
    now = timezone.now()
    quotas.raise_worker_limit(user("sup", Role.SUPERVISOR), user(), 5, "many_cases", now)

    hourly_work.purge(now + datetime.timedelta(days=13))
    assert QuotaRaise.objects.exists()
    hourly_work.purge(now + datetime.timedelta(days=15))
    assert not QuotaRaise.objects.exists()
