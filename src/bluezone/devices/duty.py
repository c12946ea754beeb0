# SPDX-License-Identifier: Apache-2.0
"""What the package of enrolled devices registers with the office."""

from django.utils.translation import gettext_lazy as _

from bluezone.duties.duty import Audience, Duty, Group, MenuEntry, Work

# People who see the devices of an agency and can revoke one; administrators enter devices and make their codes.
DEVICE_KEEPERS = Audience("DEVICE_KEEPERS", frozenset({"admin", "lead", "officer"}))

DUTY = Duty(
    name="devices",
    app="bluezone.devices",
    urls="bluezone.devices.urls",
    public_urls="bluezone.devices.endpoints",
    api_prefix="/v1/devices/",
    audiences=(DEVICE_KEEPERS,),
    acts={
        "device_made": _("entered a device"),
        "device_code_made": _("created a code for a device"),
        "device_enrolled": _("connected a device"),
        "device_revoked": _("disconnected a device"),
    },
    menu=(
        MenuEntry(
            _("Devices"), "devices", 160, ("devices", "device"), DEVICE_KEEPERS, frozenset({"admin"}), Group.OFFICE
        ),
    ),
    purges=(Work("purge_devices", "bluezone.devices.enrolment.purge"),),
)
