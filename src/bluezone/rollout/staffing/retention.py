# SPDX-License-Identifier: Apache-2.0
"""What the staff report forgets, and when: training. Real reports are counts without names and are kept."""

import datetime

from bluezone.rollout.staffing.models import StaffReport

TRAINING_LIFE = datetime.timedelta(days=7)


def purge(now: datetime.datetime) -> None:
    """Delete what was reported in training mode more than a week ago."""
    StaffReport.everything.filter(training=True, reported_at__lte=now - TRAINING_LIFE).delete()
