# SPDX-License-Identifier: Apache-2.0
"""The Django app of people, roles, sign-in and the audit chain."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """People of the office."""

    name = "bluezone.identity"
    label = "accounts"
