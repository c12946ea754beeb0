# SPDX-License-Identifier: Apache-2.0
"""The Django app of administrative units, agencies, recipient groups and denominators."""

from django.apps import AppConfig


class AgenciesConfig(AppConfig):
    """Who an order goes to, and over which territory."""

    name = "bluezone.directory"
    label = "agencies"
