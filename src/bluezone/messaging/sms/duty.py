# SPDX-License-Identifier: Apache-2.0
"""What the outbox of text messages registers."""

from django.utils.translation import gettext_lazy as _

from bluezone.duties.duty import Duty, Group, MenuEntry, Work
from bluezone.identity.duty import OVERSEERS

DUTY = Duty(
    name="sms",
    app="bluezone.messaging.sms",
    urls="bluezone.messaging.sms.urls",
    menu=(
        MenuEntry(_("Text messages"), "messages", 170, ("messages",), OVERSEERS, frozenset({"admin"}), Group.OFFICE),
    ),
    purges=(Work("purge_sms", "bluezone.messaging.sms.retention.purge"),),
    threads=(Work("sms", "bluezone.messaging.sms.sender.send_until_stopped"),),
)
