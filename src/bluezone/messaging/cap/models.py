# SPDX-License-Identifier: Apache-2.0
"""An alert, with the terms of the Common Alerting Protocol 1.2 (OASIS, 2010), section 3.2."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bluezone.directory.models import AdminUnit


class Status(models.TextChoices):
    """What phones and relays do with the alert."""

    ACTUAL = "Actual", _("real: phones show it")
    EXERCISE = "Exercise", _("exercise: for those who take part")
    TEST = "Test", _("test: no phone shows it")


class Kind(models.TextChoices):
    """The relation to earlier alerts."""

    ALERT = "Alert", _("alert")
    UPDATE = "Update", _("update")
    CANCEL = "Cancel", _("cancellation")


class Urgency(models.TextChoices):
    """How soon people have to act."""

    IMMEDIATE = "Immediate", _("at once")
    EXPECTED = "Expected", _("within an hour")
    FUTURE = "Future", _("soon")


class Severity(models.TextChoices):
    """How severe the threat is."""

    EXTREME = "Extreme", _("extraordinary threat to life")
    SEVERE = "Severe", _("significant threat to life")
    MODERATE = "Moderate", _("possible threat")
    MINOR = "Minor", _("little threat")


class Certainty(models.TextChoices):
    """How certain the event is."""

    OBSERVED = "Observed", _("seen")
    LIKELY = "Likely", _("likely")
    POSSIBLE = "Possible", _("possible")


class Alert(models.Model):
    """A message. sent_at: None while it is a draft; a sent message never changes.

    identifier: unique for ever, without spaces, commas, < and &. refers_to: the message that this updates or cancels.
    written_by, released_by: sign-in names of two people.
    sender, outlines: as they were when it was sent, so that later changes of host or map do not change the message;
    outlines: primary key of a unit -> closed rings of (longitude, latitude).
    other: further languages: code -> {headline, description, instruction} (languages.py).
    signed: the whole message with its signature, as sent; empty if the city does not sign alerts (signature.py).
    """

    identifier = models.CharField(max_length=100, unique=True)
    status = models.CharField(_("Status"), max_length=8, choices=Status, default=Status.ACTUAL)
    kind = models.CharField(max_length=6, choices=Kind, default=Kind.ALERT)
    refers_to = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="followed_by")
    urgency = models.CharField(_("Urgency of response"), max_length=9, choices=Urgency, default=Urgency.EXPECTED)
    severity = models.CharField(_("Severity"), max_length=8, choices=Severity, default=Severity.MODERATE)
    certainty = models.CharField(_("Certainty"), max_length=8, choices=Certainty, default=Certainty.LIKELY)
    headline_vi = models.CharField(_("Headline in Vietnamese"), max_length=160)
    headline_en = models.CharField(_("Headline in English"), max_length=160)
    description_vi = models.TextField(_("Description in Vietnamese"), max_length=1500)
    description_en = models.TextField(_("Description in English"), max_length=1500)
    instruction_vi = models.TextField(_("Instructions in Vietnamese"), max_length=400)
    instruction_en = models.TextField(_("Instructions in English"), max_length=400)
    units = models.ManyToManyField(AdminUnit, related_name="+", verbose_name=_("Where"))
    expires_at = models.DateTimeField(_("Valid until"))
    made_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    written_by = models.CharField(max_length=40)
    released_by = models.CharField(max_length=40, blank=True)
    sender = models.CharField(max_length=200, blank=True, editable=False)
    outlines = models.JSONField(default=dict, editable=False)
    other = models.JSONField(default=dict, editable=False)
    signed = models.TextField(default="", editable=False)

    class Meta:
        ordering: ClassVar = ["-made_at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind="Alert", refers_to__isnull=True) | (~Q(kind="Alert") & Q(refers_to__isnull=False)),
                name="an_update_or_cancellation_refers_to_an_alert",
            ),
            models.CheckConstraint(
                condition=Q(sent_at__isnull=True, released_by="") | (Q(sent_at__isnull=False) & ~Q(released_by="")),
                name="a_sent_alert_was_released",
            ),
        ]

    def __str__(self) -> str:
        return self.identifier
