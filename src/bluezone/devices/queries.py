# SPDX-License-Identifier: Apache-2.0
"""What the pages of devices read; each is a constant number of queries."""

import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import F, QuerySet

from bluezone.accounts.audiences import Audience
from bluezone.accounts.models import User
from bluezone.accounts.scoping import agencies_of
from bluezone.devices.models import Device, DeviceState

DEVICES_A_PAGE = 50


def devices_seen_by(user: User) -> QuerySet[Device]:
    """The devices of the agencies that the person's role reaches; every device for an administrator of the city."""
    reached = agencies_of(user, Audience.DEVICE_KEEPERS.value or ())
    return Device.objects.select_related("agency", "unit").filter(agency__in=reached)


def page_of_devices(
    user: User, number: str | None, now: datetime.datetime
) -> tuple[Page[Any], list[tuple[Device, DeviceState]]]:
    """One page of devices with their states: those in use by agency and name, then those cut off, newest first."""
    in_use_first = F("revoked_at").desc(nulls_first=True)
    devices = devices_seen_by(user).order_by(in_use_first, "agency__name", "name", "pk")
    page = Paginator(devices, DEVICES_A_PAGE).get_page(number)
    return page, [(device, device.state(now)) for device in page.object_list]
