# SPDX-License-Identifier: Apache-2.0
"""The Django app of the notices to visitors."""

from django.apps import AppConfig


class VisitorsConfig(AppConfig):
    """Notices to guests on arrival, and their indicator in coverage."""

    name = "bluezone.rollout.visitors"
