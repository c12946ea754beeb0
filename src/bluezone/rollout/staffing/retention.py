# SPDX-License-Identifier: Apache-2.0
"""How long reports made in training mode are kept, and the purge."""

import datetime

from bluezone.rollout.staffing.models import StaffReport

TRAINING_RETENTION = datetime.timedelta(days=7)


def purge(now: datetime.datetime) -> None:
    """Delete the reports made in training mode more than a week ago."""
    StaffReport.everything.filter(training=True, reported_at__lte=now - TRAINING_RETENTION).delete()
