# SPDX-License-Identifier: Apache-2.0
"""All that other parts use of drives and help."""

from bluezone.rollout.drives.help_requests import (
    CONTACT_LENGTH,
    NOTE_LENGTH,
    PLACE_LENGTH,
    PUBLIC_CHANNELS,
    HelpChannelUnknown,
    HelpRefused,
    HelpTexts,
    open_help_request,
)
from bluezone.rollout.drives.permissions import wards_of_drives

__all__ = [
    "CONTACT_LENGTH",
    "NOTE_LENGTH",
    "PLACE_LENGTH",
    "PUBLIC_CHANNELS",
    "HelpChannelUnknown",
    "HelpRefused",
    "HelpTexts",
    "open_help_request",
    "wards_of_drives",
]
