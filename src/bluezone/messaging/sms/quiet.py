# SPDX-License-Identifier: Apache-2.0
"""Quiet hours of reminders, in local time. A notice on arrival and a code somebody waits for never keep them."""

import datetime

from django.utils import timezone

from bluezone.messaging.sms.presentcity import present_city


def not_before(now: datetime.datetime) -> datetime.datetime:
    """When a reminder may go: now, or at the end of the quiet hours that `now` lies in."""
    city = present_city()
    begin, end = city.sms_quiet_from_hour, city.sms_quiet_until_hour
    local = timezone.localtime(now)
    overnight = begin > end
    quiet = (local.hour >= begin or local.hour < end) if overnight else begin <= local.hour < end
    if not quiet:
        return now
    day = local.date() + datetime.timedelta(days=overnight and local.hour >= begin)
    return datetime.datetime.combine(day, datetime.time(end), timezone.get_current_timezone())
