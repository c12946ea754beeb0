# SPDX-License-Identifier: Apache-2.0
"""The Django app of the outbox of text messages."""

from django.apps import AppConfig


class SmsConfig(AppConfig):
    """Outgoing text messages of the office."""

    name = "bluezone.messaging.sms"
    label = "sms"
