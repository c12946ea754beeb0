# SPDX-License-Identifier: Apache-2.0
"""Virtual air: handsets that meet in this process, with measured signal strengths."""

from bluezone.radio.air.scenes import APART, Pair, Scene
from bluezone.radio.air.station import Advertisement
from bluezone.radio.air.virtual import VirtualAir

__all__ = ["APART", "Advertisement", "Pair", "Scene", "VirtualAir"]
