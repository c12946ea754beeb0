# SPDX-License-Identifier: Apache-2.0
"""Documents and their states that come from other offices and go there: certificates and addresses of partners, files
that came or were written, and what is on its way.
"""

import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.directory.models import Agency
from bluezone.rollout.directives.models.directive import Directive
from bluezone.rollout.directives.models.dispatch import Dispatch, DispatchEvent


class PartnerCertificate(models.Model):
    """A certificate that an agency gave us, by which what it signs is known.

    use: for the edXML files of an agency of another office, or only for signatures on documents.
    fingerprint: SHA-256 of the certificate, 64 hex digits. Never deleted: one that is removed says by whom and when.
    Personal data: the accounts that entered and removed it, official duties; a person's name in the certificate.
    """

    class Use(models.TextChoices):
        """What is believed that it signed."""

        EXCHANGE = "exchange", _("exchange files of another office")
        DOCUMENTS = "documents", _("signatures on documents only")

    agency = models.ForeignKey(Agency, on_delete=models.PROTECT, related_name="certificates", verbose_name=_("Agency"))
    use = models.CharField(_("Used for"), max_length=12, choices=Use, default=Use.EXCHANGE)
    pem = models.TextField()
    fingerprint = models.CharField(max_length=64)
    subject = models.CharField(max_length=300)
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField()
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()
    removed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    removed_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["agency__name", "-added_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["agency", "fingerprint", "use"], condition=Q(removed_at=None), name="certificate_held_once"
            ),
            models.CheckConstraint(condition=Q(use__in=["exchange", "documents"]), name="certificate_use_is_known"),
            models.CheckConstraint(
                condition=Q(removed_at=None, removed_by=None) | Q(removed_at__isnull=False, removed_by__isnull=False),
                name="certificate_is_removed_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.fingerprint[:16]} of {self.agency_id}"


class ExchangeImport(models.Model):
    """An edXML file that is being looked at; nothing of it is stored elsewhere yet.

    Deleted when it is read in or discarded, and a day after it came (retention.py).
    """

    file_name = models.CharField(max_length=200)
    content = models.BinaryField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="exchange_imports")
    made_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return self.file_name


class ExchangedFile(models.Model):
    """One edXML file that was read in or written.

    digest:  SHA-256 of what was signed, by which a file that comes again is known, however it is packed. Empty for out.
    content: the file as it came, or a status as it was written, so that it is the same when taken twice; a document
             that goes out is written anew from what is stored.
    said_at: the time that a status names. status: its code, "03".
    user: the account that exchanged it, None where it came or goes over the network.
    Personal data: that account, an official duty.
    """

    class Direction(models.TextChoices):
        """Read in, or written."""

        IN = "in", _("imported")
        OUT = "out", _("written")

    class Kind(models.TextChoices):
        """What the file is."""

        EDOC = "edoc", _("document")
        REVOCATION = "revocation", _("recall")
        UPDATE = "update", _("update")
        REPLACEMENT = "replacement", _("replacement")
        STATUS = "status", _("state")

    direction = models.CharField(max_length=3, choices=Direction)
    kind = models.CharField(max_length=12, choices=Kind)
    status = models.CharField(max_length=2, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    sha256 = models.CharField(max_length=64)
    document_id = models.CharField(max_length=160)
    partner = models.ForeignKey(Agency, on_delete=models.PROTECT, null=True, related_name="exchanged_files")
    directive = models.ForeignKey(Directive, on_delete=models.PROTECT, related_name="exchanged_files")
    dispatch = models.ForeignKey(Dispatch, on_delete=models.PROTECT, null=True, related_name="exchanged_files")
    event = models.OneToOneField(DispatchEvent, on_delete=models.PROTECT, null=True, related_name="status_file")
    said_at = models.DateTimeField(null=True)
    content = models.BinaryField(null=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-at", "-pk"]
        indexes: ClassVar = [models.Index(fields=["dispatch", "kind", "-said_at"], name="exchange_newest_state")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["digest"], condition=Q(direction="in"), name="file_is_read_in_once"),
            models.CheckConstraint(condition=Q(direction="out") | ~Q(digest=""), name="file_read_in_has_a_digest"),
            models.CheckConstraint(
                condition=~Q(kind="status") | (~Q(status="") & Q(said_at__isnull=False)), name="status_says_which"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.direction} {self.kind} {self.document_id}"


class PartnerAddress(models.Model):
    """Where the office of an agency takes messages over the network (HTTPS).

    url: its origin, `https://office.example`. authority: PEM of the certificate authority that must have issued the
    server's certificate, "" for those that this machine trusts.
    Personal data: the account that entered it, an official duty.
    """

    agency = models.OneToOneField(Agency, on_delete=models.PROTECT, related_name="exchange_address")
    url = models.CharField(_("Address"), max_length=200)
    authority = models.TextField(blank=True)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(url__startswith="https://"), name="partner_address_is_https")
        ]

    def __str__(self) -> str:
        return self.url


class Delivery(models.Model):
    """A message on its way to another office, kept until that office has signed that it has it.

    matter: what it tells, once for each dispatch: "document", "recall", "update …" or "state N" (of an event).
    content: the signed file, until it is taken, or was refused a month ago. next_at: when it is tried next.
    trouble: why it waits or was refused, a code. receipt: what the other office signed, with its signature.
    """

    class State(models.TextChoices):
        """Where it stands."""

        WAITING = "waiting", _("on its way")
        TAKEN = "taken", _("accepted by the other office")
        REFUSED = "refused", _("refused by the other office")

    file = models.OneToOneField(ExchangedFile, on_delete=models.PROTECT, related_name="delivery")
    dispatch = models.ForeignKey(Dispatch, on_delete=models.PROTECT, related_name="deliveries")
    partner = models.ForeignKey(Agency, on_delete=models.PROTECT, related_name="deliveries")
    matter = models.CharField(max_length=80)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    content = models.BinaryField(null=True)
    tries = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField()
    trouble = models.CharField(max_length=40, blank=True)
    receipt = models.TextField(blank=True)
    made_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["pk"]
        indexes: ClassVar = [
            models.Index(fields=["next_at"], condition=Q(state="waiting"), name="delivery_waiting"),
            models.Index(fields=["dispatch", "state"], name="delivery_of_dispatch"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["dispatch", "matter"], name="delivered_once"),
            models.CheckConstraint(condition=Q(state__in=["waiting", "taken", "refused"]), name="delivery_state_known"),
            models.CheckConstraint(
                condition=~Q(state="waiting") | Q(content__isnull=False), name="waiting_delivery_has_its_content"
            ),
            models.CheckConstraint(condition=~Q(state="taken") | ~Q(receipt=""), name="taken_delivery_has_a_receipt"),
        ]

    @classmethod
    def overdue(cls, since: datetime.datetime) -> "models.QuerySet[Delivery]":
        """What has waited since a moment on its way to offices with an address."""
        waiting = cls.objects.filter(state=cls.State.WAITING, made_at__lte=since)
        return waiting.filter(partner__exchange_address__isnull=False)

    def __str__(self) -> str:
        return f"{self.matter} of {self.dispatch_id}: {self.state}"


class RefusedMessage(models.Model):
    """That a message of a partner was refused here: of whom, why and when; nothing of the message.

    Counted, so that a partner whose messages are refused again and again is asked to wait. Deleted after a month.
    """

    partner = models.ForeignKey(Agency, on_delete=models.CASCADE, related_name="refused_messages")
    code = models.CharField(max_length=40)
    at = models.DateTimeField(db_index=True)

    class Meta:
        ordering: ClassVar = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.code} to {self.partner_id}"
