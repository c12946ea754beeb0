# SPDX-License-Identifier: Apache-2.0
"""Gates (clause 1): who records entries and exits, and what the gates count; sums only, never a row per person."""

from bluezone.rollout.gates.drive_radio import close_radio, open_radio, proven_passes

__all__ = ["close_radio", "open_radio", "proven_passes"]
