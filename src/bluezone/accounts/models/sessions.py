# SPDX-License-Identifier: Apache-2.0
"""Sessions that know whose they are, so that a person can see and end their own."""

from typing import ClassVar

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils import timezone


class OfficeSession(AbstractBaseSession):
    """One browser that is signed in. No network address is kept: browser and times tell the owner enough.

    browser: name of browser and system, as they announce themselves, for example "Chrome, Android".
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="sessions"
    )
    browser = models.CharField(max_length=40, blank=True)
    begun_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-begun_at"]

    @classmethod
    def get_session_store_class(cls) -> type:
        """The store that writes these rows."""
        from bluezone.accounts.sessions import SessionStore

        return SessionStore
