# SPDX-License-Identifier: Apache-2.0
"""The Django app of the e-mail outbox."""

from django.apps import AppConfig


class EmailConfig(AppConfig):
    """Outgoing mail of the office."""

    name = "bluezone.messaging.email"
