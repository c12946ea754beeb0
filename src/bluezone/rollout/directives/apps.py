# SPDX-License-Identifier: Apache-2.0
"""The Django app of directives."""

from django.apps import AppConfig


class DirectivesConfig(AppConfig):
    """Orders on their way: taken in, approved, sent, followed, reported on."""

    name = "bluezone.rollout.directives"
