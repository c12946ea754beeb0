# SPDX-License-Identifier: Apache-2.0
"""The Django app of administrative units, agencies, recipient groups and denominators."""

from collections.abc import Callable, Sequence

from django.apps import AppConfig

# Called in the transaction of every change of agencies; an app adds its function when it starts.
FOLLOWERS: list[Callable[[], object]] = []


def notify_followers(changed: Sequence[object]) -> None:
    """Call every follower if agencies have changed."""
    if not changed:
        return
    for follow in FOLLOWERS:
        follow()


class AgenciesConfig(AppConfig):
    """Agencies, which receive directives, and the units that they serve."""

    name = "bluezone.directory"
    label = "agencies"
