# SPDX-License-Identifier: Apache-2.0
"""How long backups can be opened: the key of a day is destroyed after this time, and with it the day's backups."""

import datetime

RETAINED_DAYS = 30


def oldest_retained_day(today: datetime.date) -> datetime.date:
    """Return the oldest day of which backups can still be opened."""
    return today - datetime.timedelta(days=RETAINED_DAYS)
