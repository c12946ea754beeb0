# SPDX-License-Identifier: Apache-2.0
"""The Django app of install drives and help."""

from django.apps import AppConfig


class DrivesConfig(AppConfig):
    """Teams, drives, the help queue, and their indicators in coverage."""

    name = "bluezone.rollout.drives"

    def ready(self) -> None:
        """Show in coverage what the teams helped with; register what takes one-tap acts back."""
        from bluezone.rollout.coverage.indicators import register
        from bluezone.rollout.drives.help import queue
        from bluezone.rollout.drives.indicators import ProvenWithHelp, SeenWithHelp

        queue.register()
        for indicator in (ProvenWithHelp(), SeenWithHelp()):
            register(indicator)
