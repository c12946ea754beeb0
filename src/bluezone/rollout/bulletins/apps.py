# SPDX-License-Identifier: Apache-2.0
"""The Django app of bulletins."""

from django.apps import AppConfig


class BulletinsConfig(AppConfig):
    """Bulletins, their plan, and what was aired of it."""

    name = "bluezone.rollout.bulletins"
