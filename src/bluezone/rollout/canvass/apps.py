# SPDX-License-Identifier: Apache-2.0
"""The Django app of house visits."""

from django.apps import AppConfig


class CanvassConfig(AppConfig):
    """Doors, lists, visits, and their indicators in coverage."""

    name = "bluezone.rollout.canvass"
