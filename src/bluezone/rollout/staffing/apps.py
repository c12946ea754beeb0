# SPDX-License-Identifier: Apache-2.0
"""The Django app of the staff report."""

from django.apps import AppConfig


class StaffingConfig(AppConfig):
    """Its reports, and their indicator in coverage."""

    name = "bluezone.rollout.staffing"
