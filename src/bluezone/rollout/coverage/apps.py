# SPDX-License-Identifier: Apache-2.0
"""The Django app of the coverage pages."""

from django.apps import AppConfig


class CoverageConfig(AppConfig):
    """Pages, map and reports over the indicators that other apps register; it has no tables of its own."""

    name = "bluezone.rollout.coverage"
