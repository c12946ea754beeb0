# SPDX-License-Identifier: Apache-2.0
"""The Django app of the gates."""

from django.apps import AppConfig


class GatesConfig(AppConfig):
    """Gates, gatekeepers, counters, and their indicators in coverage."""

    name = "bluezone.rollout.gates"
