# SPDX-License-Identifier: Apache-2.0
"""The Django app of loudspeakers."""

from django.apps import AppConfig


class LoudspeakersConfig(AppConfig):
    """Zones, machines, and what was proven to be aired."""

    name = "bluezone.rollout.loudspeakers"

    def ready(self) -> None:
        """Hear of changes of the plan, and tell what machines proved."""
        from bluezone.rollout.bulletins.api import read_proven_with, when_plan_changes
        from bluezone.rollout.loudspeakers.playback import proven
        from bluezone.rollout.loudspeakers.zone_setup import bump

        when_plan_changes(bump)
        read_proven_with(proven)
