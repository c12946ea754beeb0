# SPDX-License-Identifier: Apache-2.0
"""Devices of the city, and failed tries to enrol one."""

import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.directory.models import AdminUnit, Agency


class DeviceKind(models.TextChoices):
    """What a device does; it may call only the endpoints of its kind."""

    GATE = "gate", _("Tablet at a gate")
    CANVASS = "canvass", _("Phone for house visits")
    SPEAKER = "speaker", _("Loudspeaker")
    DRIVE = "drive", _("Phone at an install drive")


class DeviceState(models.TextChoices):
    """The state of a device, from its entry to its revocation."""

    WAITING = "waiting", _("waiting for its code")
    LAPSED = "lapsed", _("code has expired")
    CONNECTED = "connected", _("connected")
    REVOKED = "revoked", _("disconnected")


class Device(models.Model):
    """One device, without the name of a person.

    agency:          the agency that keeps it. unit: the area in which it works, None for the agency's own.
    code_digest:     keyed hash of the one-time code while one is open, together with code_expires_at.
    token_digest:    SHA-256 of the bearer token, None before enrolment and after revocation.
    last_seen_hour:  the full hour of its last request, so that it does not reveal a person's working day.
    A revoked device stays, because counts refer to it; it never gets a token again.
    """

    kind = models.CharField(_("Kind"), max_length=16, choices=DeviceKind)
    name = models.CharField(_("Name of the device"), max_length=80)
    agency = models.ForeignKey(
        Agency, on_delete=models.PROTECT, related_name="devices", verbose_name=_("Agency that looks after it")
    )
    unit = models.ForeignKey(
        AdminUnit,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="devices",
        verbose_name=_("Area it works in"),
    )
    made_at = models.DateTimeField(default=timezone.now, editable=False)
    code_digest = models.CharField(max_length=64, unique=True, null=True, editable=False)
    code_expires_at = models.DateTimeField(null=True, editable=False)
    token_digest = models.CharField(max_length=64, unique=True, null=True, editable=False)
    enrolled_at = models.DateTimeField(null=True, editable=False)
    last_seen_hour = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering: ClassVar = ["agency__name", "name", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind__in=DeviceKind.values), name="device_kind_is_known"),
            models.CheckConstraint(condition=~Q(name=""), name="device_has_a_name"),
            models.CheckConstraint(
                condition=Q(code_digest__isnull=True, code_expires_at__isnull=True)
                | Q(code_digest__isnull=False, code_expires_at__isnull=False),
                name="device_code_expires",
            ),
            models.CheckConstraint(
                condition=Q(token_digest__isnull=True) | Q(enrolled_at__isnull=False), name="device_token_is_enrolled"
            ),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True) | Q(token_digest__isnull=True, code_digest__isnull=True),
                name="revoked_device_has_no_key",
            ),
            models.UniqueConstraint(
                fields=["agency", "name"],
                condition=Q(revoked_at__isnull=True),
                name="device_name_once_an_agency",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def state(self, now: datetime.datetime) -> DeviceState:
        """The state at `now`; a connected device stays connected while a new code is open."""
        if self.revoked_at is not None:
            return DeviceState.REVOKED
        if self.token_digest is not None:
            return DeviceState.CONNECTED
        has_open_code = self.code_expires_at is not None and self.code_expires_at > now
        return DeviceState.WAITING if has_open_code else DeviceState.LAPSED


class EnrolmentFailure(models.Model):
    """One wrong code, counted under a keyed hash of the network it came from; deleted after an hour."""

    network = models.CharField(max_length=64, db_index=True)
    at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"failure at {self.at:%H:%M}"
