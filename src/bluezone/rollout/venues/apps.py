# SPDX-License-Identifier: Apache-2.0
"""The Django app of the venues."""

from django.apps import AppConfig


class VenuesConfig(AppConfig):
    """Venues, their codes and posters, inspections, and their indicators in coverage."""

    name = "bluezone.rollout.venues"

    def ready(self) -> None:
        """Show in coverage how many venues are registered, and at how many the poster was seen."""
        from bluezone.rollout.coverage.indicators import register
        from bluezone.rollout.venues.indicators import VenuesRegistered, VenuesWithPoster

        for indicator in (VenuesRegistered(), VenuesWithPoster()):
            register(indicator)
