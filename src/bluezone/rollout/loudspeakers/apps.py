# SPDX-License-Identifier: Apache-2.0
"""The Django app of loudspeakers."""

from django.apps import AppConfig


class LoudspeakersConfig(AppConfig):
    """Zones, machines, and what was proven to be aired."""

    name = "bluezone.rollout.loudspeakers"

    def ready(self) -> None:
        """Hear of changes of the plan, and tell what machines proved."""
        from bluezone.rollout.bulletins.api import on_plan_change, set_report_reader
        from bluezone.rollout.loudspeakers.playback import proven
        from bluezone.rollout.loudspeakers.zone_setup import bump

        on_plan_change(bump)
        set_report_reader(proven)
