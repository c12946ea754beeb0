# SPDX-License-Identifier: Apache-2.0
"""The Django app of alerts."""

from django.apps import AppConfig


class CapConfig(AppConfig):
    """Alerts in CAP 1.2."""

    name = "bluezone.messaging.cap"
    label = "cap"
