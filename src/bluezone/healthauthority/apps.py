# SPDX-License-Identifier: Apache-2.0
"""The Django app of the health authority."""

from django.apps import AppConfig


class HealthAuthorityConfig(AppConfig):
    """Codes for cases."""

    name = "bluezone.healthauthority"
