# SPDX-License-Identifier: Apache-2.0
"""The Django app of install drives and help."""

from django.apps import AppConfig


class DrivesConfig(AppConfig):
    """Teams, drives, the help queue, and their indicators in coverage."""

    name = "bluezone.rollout.drives"
