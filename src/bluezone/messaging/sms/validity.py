# SPDX-License-Identifier: Apache-2.0
"""How long an SMS is tried before it expires."""

import datetime

from bluezone.messaging.sms.models import Purpose

# By then a person has requested another code, and a guest has left.
DEFAULT_VALIDITY = {
    Purpose.CODE: datetime.timedelta(minutes=10),
    Purpose.ARRIVAL: datetime.timedelta(hours=24),
    Purpose.REMINDER: datetime.timedelta(hours=48),
}
# Of a code that a health worker issues: the worker calls a patient who has got nothing by then; the digits work for a
# day.
HEALTH_CODE_VALIDITY = datetime.timedelta(hours=2)
