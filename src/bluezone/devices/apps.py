# SPDX-License-Identifier: Apache-2.0
"""The Django app of enrolled devices."""

from django.apps import AppConfig


class DevicesConfig(AppConfig):
    """Tablets, canvass phones and speakers."""

    name = "bluezone.devices"
