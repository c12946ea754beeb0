# SPDX-License-Identifier: Apache-2.0
"""What the pages of devices read; each is a constant number of queries."""

import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import F

from bluezone.devices.models import Device, DeviceState

DEVICES_A_PAGE = 50


def page_of_devices(number: str | None, now: datetime.datetime) -> tuple[Page[Any], list[tuple[Device, DeviceState]]]:
    """One page of devices with their states: those in use by agency and name, then those cut off, newest first."""
    in_use_first = F("revoked_at").desc(nulls_first=True)
    devices = Device.objects.select_related("agency", "unit").order_by(in_use_first, "agency__name", "name", "pk")
    page = Paginator(devices, DEVICES_A_PAGE).get_page(number)
    return page, [(device, device.state(now)) for device in page.object_list]
