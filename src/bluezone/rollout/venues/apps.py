# SPDX-License-Identifier: Apache-2.0
"""The Django app of the venues."""

from django.apps import AppConfig


class VenuesConfig(AppConfig):
    """Venues, their codes and posters, inspections, and their indicators in coverage."""

    name = "bluezone.rollout.venues"
