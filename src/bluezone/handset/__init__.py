# SPDX-License-Identifier: Apache-2.0
"""The phone as a program: encounter log, downloads, warnings, reports, and its local page."""

from bluezone.handset.phone import Handset

__all__ = ["Handset"]
