# SPDX-License-Identifier: Apache-2.0
"""How a person wants to be notified of new matters, and the browsers that show the notices."""

import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Choice(models.Model):
    """One person's choice (notices.py).

    mail: one mail a day. push: notices in the person's browsers. text: text messages to their telephone.
    only_urgent: notices only of what is due within hours.
    quiet_from, quiet_to: local times; between them nothing is shown or sent.
    told, texted: keys of the matters that had a notice, or a text message, the newest last. told_at, texted_at: the
    last look at the person's matters.
    Personal data: the hours in which a person may be disturbed; deleted with the account.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notice_choice")
    mail = models.BooleanField(_("One e-mail a day"), default=True)
    push = models.BooleanField(_("Notices in my browsers"), default=True)
    text = models.BooleanField(_("Text messages to my telephone"), default=True)
    only_urgent = models.BooleanField(_("Only what is due within four hours"), default=False)
    quiet_from = models.TimeField(_("No notices from"), default=datetime.time(21))
    quiet_to = models.TimeField(_("No notices until"), default=datetime.time(6, 30))
    told = models.JSONField(default=list, editable=False)
    told_at = models.DateTimeField(null=True, editable=False, db_index=True)
    texted = models.JSONField(default=list, editable=False)
    texted_at = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return f"choice of {self.user_id}"


class PushBrowser(models.Model):
    """One browser in which a person turned notices on.

    endpoint: address of its push service. p256dh, auth: 65 and 16 bytes with which a notice is sealed for it.
    name: as the browser announces itself, "Chrome, Android".
    Personal data: ties an account to a browser. Deleted when the person removes it, or its push service does not know
    it any more.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="push_browsers")
    endpoint = models.CharField(max_length=512, unique=True)
    p256dh = models.BinaryField(max_length=65)
    auth = models.BinaryField(max_length=16)
    name = models.CharField(max_length=40, blank=True)
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-added_at", "pk"]

    def __str__(self) -> str:
        return f"browser {self.pk} of {self.user_id}"
