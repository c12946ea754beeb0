# SPDX-License-Identifier: Apache-2.0
"""The Django app of bulletins."""

from django.apps import AppConfig


class BulletinsConfig(AppConfig):
    """Bulletins, their plan, and what was aired of it."""

    name = "bluezone.rollout.bulletins"

    def ready(self) -> None:
        """Show what was aired in coverage, and let a one-tap word be taken back."""
        from bluezone.rollout.bulletins.indicators import AiredAttested
        from bluezone.rollout.coverage.indicators import register

        register(AiredAttested())
