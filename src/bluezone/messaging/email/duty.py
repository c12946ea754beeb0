# SPDX-License-Identifier: Apache-2.0
"""What the outbox of e-mail registers."""

from bluezone.duties.duty import Duty, Work

DUTY = Duty(
    name="email",
    app="bluezone.messaging.email",
    purges=(Work("purge_email", "bluezone.messaging.email.retention.purge"),),
    every_tick=(
        Work("tell_of_broken_glass", "bluezone.messaging.email.glass_notices.queue_break_glass_notice"),
        Work("send_mail", "bluezone.messaging.email.delivery.send_due_mail"),
    ),
)
