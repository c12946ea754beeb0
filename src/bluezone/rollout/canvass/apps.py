# SPDX-License-Identifier: Apache-2.0
"""The Django app of house visits."""

from django.apps import AppConfig


class CanvassConfig(AppConfig):
    """Doors, lists, visits, and their indicators in coverage."""

    name = "bluezone.rollout.canvass"

    def ready(self) -> None:
        """Show what the visits counted in coverage."""
        from bluezone.rollout.canvass.indicators import DoorsVisited, SeenAtDoors, ToldAtDoors
        from bluezone.rollout.coverage.indicators import register

        for indicator in (DoorsVisited(), SeenAtDoors(), ToldAtDoors()):
            register(indicator)
