# SPDX-License-Identifier: Apache-2.0
"""The Django app of the gates."""

from django.apps import AppConfig


class GatesConfig(AppConfig):
    """Gates, gatekeepers, counters, and their indicators in coverage."""

    name = "bluezone.rollout.gates"

    def ready(self) -> None:
        """Show what the gates counted in coverage."""
        from bluezone.rollout.coverage.indicators import register
        from bluezone.rollout.gates.indicators import CodeFresh, RunningAtGates, SeenAtGates, SeenOnPaper

        for indicator in (RunningAtGates(), CodeFresh(), SeenAtGates(), SeenOnPaper()):
            register(indicator)
