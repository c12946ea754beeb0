# SPDX-License-Identifier: Apache-2.0
"""Drives and help: for now the help ticket, which the portal, the app and the gates open; the queue comes later."""

from bluezone.rollout.drives.helping import HelpRefused, HelpWanted, open_help_request

__all__ = ["HelpRefused", "HelpWanted", "open_help_request"]
