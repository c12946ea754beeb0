# SPDX-License-Identifier: Apache-2.0
"""What the office forgets about devices, and when."""

import datetime

from bluezone.devices.enrolment import WINDOW
from bluezone.devices.models import EnrolmentFailure


def purge(now: datetime.datetime) -> None:
    """Delete wrong codes after an hour. Devices stay: counts speak of them, and they are no data of a person."""
    EnrolmentFailure.objects.filter(at__lte=now - WINDOW).delete()
