# SPDX-License-Identifier: Apache-2.0
"""The Django app of loudspeakers."""

from django.apps import AppConfig


class LoudspeakersConfig(AppConfig):
    """Zones, machines, and what was proven to be aired."""

    name = "bluezone.rollout.loudspeakers"

    def ready(self) -> None:
        """Hear of changes of the plan, and tell what machines proved."""
        from bluezone.rollout.bulletins.api import on_plan_change, set_report_reader
        from bluezone.rollout.loudspeakers.playback import reports_by_airing
        from bluezone.rollout.loudspeakers.zone_setup import raise_plan_version

        on_plan_change(raise_plan_version)
        set_report_reader(reports_by_airing)
