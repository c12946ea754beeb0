# SPDX-License-Identifier: Apache-2.0
"""The Django app of administrative units, agencies, recipient groups and denominators."""

from collections.abc import Callable, Sequence

from django.apps import AppConfig

# Called in the transaction of every change of agencies; an app puts its own here when it starts.
FOLLOWERS: list[Callable[[], object]] = []


def tell_followers(changed: Sequence[object]) -> None:
    """Call them where agencies have changed."""
    for follow in FOLLOWERS if changed else ():
        follow()


class AgenciesConfig(AppConfig):
    """Who an order goes to, and over which territory."""

    name = "bluezone.directory"
    label = "agencies"
