# SPDX-License-Identifier: Apache-2.0
"""Staff reports of a demo."""

import datetime

from django.utils import timezone

from bluezone.directory.models import Agency
from bluezone.identity.signin import demo_office
from bluezone.rollout.coverage.api import Week
from bluezone.rollout.staffing import staff_reports
from bluezone.rollout.staffing.counts import StaffCounts

_DAY = datetime.timedelta(days=1)
_WEEKS = 3


def plant(now: datetime.datetime) -> None:
    """Three weeks of staff reports, a little better each week; some agencies have not reported this one."""
    office = demo_office()
    for weeks_ago in reversed(range(_WEEKS)):
        then = now - 7 * weeks_ago * _DAY
        week = Week.of(timezone.localdate(then))
        for number, agency in enumerate(Agency.objects.order_by("pk")):
            if number % (4 if weeks_ago == 0 else 9) == 3:
                continue
            staff = 24 + 7 * (number % 6)
            phones = staff - 3 - number % 4
            running = phones * (72 - 14 * weeks_ago - 3 * (number % 5)) // 100
            counts = StaffCounts(
                staff=staff, with_smartphone=phones, running=running, web_edition=number % 3, reminded=phones - running
            )
            staff_reports.record(agency, week, counts, office, then)
