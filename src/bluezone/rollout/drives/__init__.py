# SPDX-License-Identifier: Apache-2.0
"""Drives and help: requests that the portal, the app, gates, house visits and telephones open, and teams that help."""

from bluezone.rollout.drives.help.requests import (
    PUBLIC_CHANNELS,
    HelpChannelUnknown,
    HelpDone,
    HelpRefused,
    HelpWanted,
    help_by_unit,
    open_help_request,
)

__all__ = [
    "PUBLIC_CHANNELS",
    "HelpChannelUnknown",
    "HelpDone",
    "HelpRefused",
    "HelpWanted",
    "help_by_unit",
    "open_help_request",
]
