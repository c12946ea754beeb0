# SPDX-License-Identifier: Apache-2.0
"""Documents that come and go as edXML files: certificates held, files waiting to be read in, files exchanged."""

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
    Personal data: the account that exchanged it, an official duty.
    """

    class Direction(models.TextChoices):
        """Read in, or written."""

        IN = "in", _("read in")
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
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
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
