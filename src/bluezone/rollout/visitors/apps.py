# SPDX-License-Identifier: Apache-2.0
"""The Django app of the notices to visitors."""

from django.apps import AppConfig


class VisitorsConfig(AppConfig):
    """Notices to guests on arrival, and their indicator in coverage."""

    name = "bluezone.rollout.visitors"

    def ready(self) -> None:
        """Show what was sent in coverage."""
        from bluezone.rollout.coverage.indicators import register
        from bluezone.rollout.visitors.indicators import NoticesDelivered

        register(NoticesDelivered())
