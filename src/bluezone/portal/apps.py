# SPDX-License-Identifier: Apache-2.0
"""The Django app of the public site."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """News and its desk; every other page has no model."""

    name = "bluezone.portal"
