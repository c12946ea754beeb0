# SPDX-License-Identifier: Apache-2.0
"""Mail to administrators and health supervisors when somebody breaks the glass."""

import datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from bluezone.authority.models import ActState, WaitingAct
from bluezone.identity.models import Role, User
from bluezone.messaging.email.outbox import queue_mail


def queue_break_glass_notice(now: datetime.datetime) -> int:
    """Write to every administrator and health supervisor with an address; the number of mails queued.

    Once for each broken glass, by the first process.
    """
    queued = 0
    overseers = User.objects.with_roles([Role.ADMIN, Role.SUPERVISOR], timezone.localdate(now)).exclude(email="")
    for glass in WaitingAct.objects.filter(state=ActState.GLASS, told_at=None).select_related("asked_by"):
        if not WaitingAct.objects.filter(pk=glass.pk, told_at=None).update(told_at=now):
            continue
        until = f"{timezone.localtime(glass.expires_at):%H:%M %d/%m/%Y}"
        with override("vi"):
            subject = _("Bluezone: %(name)s has broken the glass") % {"name": glass.asked_by}
            text = _(
                "%(name)s can speak to the public without a second person until %(until)s.\n\nReason: %(reason)s\n\n"
                "What is sent is in the audit."
            ) % {"name": glass.asked_by, "until": until, "reason": glass.reason}
        for overseer in overseers:
            queued += queue_mail(overseer.email, subject, text, now=now) is not None
    return queued
