# SPDX-License-Identifier: Apache-2.0
"""Vietnamese text as it is to be spoken (`spoken`, pure), and a machine's voice that speaks it (`voice`)."""

from bluezone.speech.normalization import spoken

__all__ = ["spoken"]
