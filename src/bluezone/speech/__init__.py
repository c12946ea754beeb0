# SPDX-License-Identifier: Apache-2.0
"""Vietnamese text as it is to be spoken, for a machine's voice: pure, no I/O. `spoken` is the whole of it."""

from bluezone.speech.normalization import spoken

__all__ = ["spoken"]
