# SPDX-License-Identifier: Apache-2.0
"""The share running, as design.md defines it; the gates (issue 4) bring the figures."""

from collections.abc import Sequence
from typing import ClassVar

from django.utils.translation import gettext_lazy as _

from bluezone.rollout.coverage.indicators import Figure, Indicator, Proof
from bluezone.rollout.coverage.intervals import Interval, bootstrap

RUNNING = "running"


class RunningShare(Indicator):
    """Proven IN passages / IN passages with a smartphone at a unit's gates, interval by bootstrap over gate-days.

    A subclass gives one figure a gate and day: count is the IN passages whose phone answered over Bluetooth, base the
    IN passages of people with a smartphone, whatever their verdict. Passages without a smartphone are in neither, and
    fresh codes, seen screens and the web edition are in the base alone. It is a share of passages, not of phones: how
    many phones there are, only drives and doors know.
    Source: design.md, "share running".
    """

    key = RUNNING
    proof = Proof.PROVEN
    name = _("running, proven at the gates")
    base_name: ClassVar = _("passages in with a smartphone")

    def interval(self, figures: Sequence[Figure]) -> Interval | None:
        """Bootstrap over gate-days; None for fewer than two."""
        return bootstrap([(figure.count, figure.base) for figure in figures])
