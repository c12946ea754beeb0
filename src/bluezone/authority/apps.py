# SPDX-License-Identifier: Apache-2.0
"""The Django app of what one person may not do alone."""

from django.apps import AppConfig


class AuthorityConfig(AppConfig):
    """Acts that wait for a second person."""

    name = "bluezone.authority"
    label = "authority"
