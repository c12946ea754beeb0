# SPDX-License-Identifier: Apache-2.0
"""The Django app of the schools."""

from django.apps import AppConfig


class SchoolsConfig(AppConfig):
    """Classes, their weekly counts, and their indicator in coverage."""

    name = "bluezone.rollout.schools"
