# SPDX-License-Identifier: Apache-2.0
"""What a person has besides the password: an authenticator app, passkeys, printed recovery codes."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone


class AuthenticatorApp(models.Model):
    """The secret that a person's authenticator app shares with the office, sealed under a key in the data folder.

    last_step: the newest time step whose code was used (Unix seconds // 30); no code counts twice.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="authenticator_app")
    sealed_secret = models.BinaryField()
    last_step = models.BigIntegerField(default=0)
    added_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"authenticator app of {self.user_id}"


class Passkey(models.Model):
    """The public half of a key in a telephone, computer or security key (WebAuthn)."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="passkeys")
    name = models.CharField(max_length=40)
    credential_id = models.BinaryField(max_length=1023, unique=True)
    public_key = models.BinaryField()
    sign_count = models.BigIntegerField(default=0)
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["added_at"]

    def __str__(self) -> str:
        return self.name


class RecoveryCode(models.Model):
    """A code on paper for when telephone and key are gone: works once, and only its keyed hash is stored."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64, unique=True)

    def __str__(self) -> str:
        return f"recovery code of {self.user_id}"
