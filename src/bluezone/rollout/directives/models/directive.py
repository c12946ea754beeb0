# SPDX-License-Identifier: Apache-2.0
"""The order itself (what it says, who signs it, its tasks), and the campaign (phát động) that it may belong to."""

import datetime
from dataclasses import dataclass
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.directory.models import Agency
from bluezone.training import PractisedMixin
from bluezone.vietnamese.spelling import fold


@dataclass(frozen=True)
class Deadline:
    """A day, and the hour on it: in time until `time`, or until the end of the day where the letter names no hour."""

    day: datetime.date
    time: datetime.time | None = None

    @property
    def moment(self) -> datetime.datetime:
        """The first moment that is late."""
        if self.time is not None:
            return timezone.make_aware(datetime.datetime.combine(self.day, self.time))
        return timezone.make_aware(datetime.datetime.combine(self.day + datetime.timedelta(days=1), datetime.time()))


class Campaign(PractisedMixin):
    """One campaign.

    owner: the agency that calls it, None for one of before campaigns had a page. basis: the document it rests on, as
    written. rests_on: the same where it is in the register. begins, ends: first and last day, None while open.
    """

    name = models.CharField(_("Campaign"), max_length=200)
    owner = models.ForeignKey(
        Agency, on_delete=models.PROTECT, null=True, related_name="campaigns", verbose_name=_("Called by")
    )
    basis = models.CharField(_("Basis document"), max_length=300, blank=True)
    rests_on = models.ForeignKey(
        "directives.Directive",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="founded_campaigns",
        verbose_name=_("Basis document in the register"),
    )
    aim = models.TextField(_("Goal"), max_length=2000, blank=True)
    begins = models.DateField(_("First day"), null=True, blank=True)
    ends = models.DateField(_("Last day"), null=True, blank=True)
    made_at = models.DateTimeField(default=timezone.now, editable=False)

    TRAINING_MOMENT = "made_at"

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(name=""), name="campaign_is_named"),
            models.UniqueConstraint(fields=["name", "training"], name="campaign_name_once"),
            models.CheckConstraint(
                condition=Q(begins__isnull=True) | Q(ends__isnull=True) | Q(ends__gte=F("begins")),
                name="campaign_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Kind(models.TextChoices):
    """Kinds of document; the values are those of `proposal.DocumentKind`."""

    OFFICIAL_LETTER = "official_letter", _("Official letter")
    DECISION = "decision", _("Decision")
    PLAN = "plan", _("Plan")
    INSTRUCTION = "instruction", _("Instruction")
    NOTICE = "notice", _("Notice")
    REPORT = "report", _("Report")
    TELEGRAM = "telegram", _("Telegram")
    GUIDANCE = "guidance", _("Guidance")
    SUBMISSION = "submission", _("Submission")
    RESOLUTION = "resolution", _("Resolution")
    DECREE = "decree", _("Decree")
    CIRCULAR = "circular", _("Circular")
    LAW = "law", _("Law")
    PROGRAMME = "programme", _("Programme")
    INVITATION = "invitation", _("Invitation")
    OTHER = "other", _("Other")


class Priority(models.TextChoices):
    """How urgent the letter says it is (độ khẩn)."""

    NORMAL = "normal", _("Normal")
    URGENT = "urgent", _("Urgent")
    EXPRESS = "express", _("Express")


class DirectiveState(models.TextChoices):
    """Where an order stands in the office that issues it."""

    DRAFT = "draft", _("draft")
    SUBMITTED = "submitted", _("submitted for signing")
    APPROVED = "approved", _("approved")
    ISSUED = "issued", _("issued")
    REPLACED = "replaced", _("replaced")
    REVOKED = "revoked", _("revoked")


class Ending(models.TextChoices):
    """What becomes of the earlier document that a directive names when it is issued."""

    REPLACED = "replaced", _("this document replaces it")
    REVOKED = "revoked", _("this document revokes it")


class StoredFile(PractisedMixin):
    """A file as it came, found only by its token. content_type: told by content, never by name (letters.Letter).

    signatures: what a PDF's electronic signatures showed when it was stored (letters.files.pdf_letter), one
    object each.
    """

    token = models.CharField(max_length=43, unique=True, editable=False)
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=80)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    content = models.BinaryField()
    signatures = models.JSONField(default=list, blank=True)
    stored_at = models.DateTimeField(default=timezone.now)

    TRAINING_MOMENT = "stored_at"

    class Meta(PractisedMixin.Meta):
        pass

    def __str__(self) -> str:
        return self.name


class Directive(PractisedMixin):
    """One order. Once it is issued its text never changes: it is replaced or revoked.

    number:    digits within the year, "458"; empty while the draft has none. notation: "UBND-VP".
    authority: lines as signed, "TM. ỦY BAN NHÂN DÂN" and "KT. CHỦ TỊCH", one a line.
    basis:     documents it carries out, one a line. proposal: what reading proposed, for the clerk's page.
    replaces: the earlier document that ends when this one is issued, ending says how.
    folded: number and subject without diacritics, for searching.
    recipients_action, _information, _file: lines of Nơi nhận as the clerk left them, until it is issued.
    choices: which agency the clerk chose for a name that fits several, primary keys by `addressees.key_of` the name.
    approved_version: what the signer confirmed. seal: SHA-256 over that with number, day and who received it, 64 hex
    digits, set when it is issued (in full: LetterSeal).
    attachments: files that go with the letter. signed_copy: the PDF with the signer's electronic signature, kept beside
    the confirmation. from_file: it came as an edXML file, approved by another office.
    made_by: None where it came from another office over the network.
    Personal data: the signer's name and the accounts that made and approved it, official duties.
    """

    kind = models.CharField(_("Kind of document"), max_length=16, choices=Kind, default=Kind.OFFICIAL_LETTER)
    number = models.CharField(_("Number of the document"), max_length=12, blank=True)
    notation = models.CharField(_("Notation"), max_length=40, blank=True)
    date = models.DateField(_("Date of the document"), null=True, blank=True)
    subject = models.CharField(_("Subject"), max_length=500)
    issuer = models.ForeignKey(Agency, on_delete=models.PROTECT, related_name="directives", verbose_name=_("Issuer"))
    signer_name = models.CharField(_("Signer"), max_length=80, blank=True)
    signer_position = models.CharField(_("Position of the signer"), max_length=120, blank=True)
    authority = models.TextField(_("Signing authority"), max_length=300, blank=True)
    basis = models.TextField(_("Basis documents"), max_length=2000, blank=True)
    priority = models.CharField(_("Urgency"), max_length=8, choices=Priority, default=Priority.NORMAL)
    text = models.TextField(blank=True)
    proposal = models.JSONField(default=dict, editable=False)
    original = models.ForeignKey(StoredFile, on_delete=models.PROTECT, null=True, related_name="+")
    signed_copy = models.ForeignKey(
        StoredFile, on_delete=models.PROTECT, null=True, editable=False, related_name="signed_letters"
    )
    attachments = models.ManyToManyField(StoredFile, related_name="directives", blank=True)
    from_file = models.BooleanField(default=False, editable=False)
    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, null=True, blank=True, related_name="directives", verbose_name=_("Campaign")
    )
    replaces = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="replaced_by")
    ending = models.CharField(max_length=8, choices=Ending, default=Ending.REPLACED)
    folded = models.TextField(editable=False, default="")
    recipients_action = models.TextField(_("For action"), max_length=8000, blank=True)
    recipients_information = models.TextField(_("For information"), max_length=8000, blank=True)
    recipients_file = models.TextField(_("For file"), max_length=1000, blank=True)
    choices = models.JSONField(default=dict, editable=False)
    state = models.CharField(max_length=12, choices=DirectiveState, default=DirectiveState.DRAFT, db_index=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    approved_version = models.ForeignKey(
        "directives.DirectiveVersion", on_delete=models.RESTRICT, null=True, editable=False, related_name="+"
    )
    seal = models.CharField(max_length=64, blank=True, editable=False)
    issued_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoke_reason = models.CharField(max_length=300, blank=True)

    TRAINING_MOMENT = "made_at"

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["-made_at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=DirectiveState.values), name="directive_state_is_known"),
            models.CheckConstraint(condition=~Q(subject=""), name="directive_has_a_subject"),
            models.CheckConstraint(
                condition=Q(from_file=True) | Q(made_by__isnull=False), name="directive_is_made_by_somebody"
            ),
            models.CheckConstraint(
                condition=Q(state__in=("draft", "submitted"))
                | Q(from_file=True)
                | Q(approved_by__isnull=False, approved_at__isnull=False),
                name="directive_is_approved_first",
            ),
            # Number and day follow the signature.
            models.CheckConstraint(
                condition=Q(state__in=("draft", "submitted", "approved"))
                | (~Q(number="") & ~Q(notation="") & Q(date__isnull=False)),
                name="issued_directive_has_a_number",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("draft", "submitted", "approved")) | Q(issued_at__isnull=False),
                name="directive_is_issued",
            ),
            models.CheckConstraint(
                condition=~Q(state="revoked") | (Q(revoked_at__isnull=False) & ~Q(revoke_reason="")),
                name="directive_is_revoked_for_a_reason",
            ),
            models.UniqueConstraint(
                fields=["issuer", "number", "notation", "date", "training"],
                condition=~Q(state__in=("draft", "submitted")) & ~Q(number=""),
                name="directive_once",
            ),
            models.CheckConstraint(condition=~Q(replaces=F("id")), name="directive_replaces_another"),
            models.CheckConstraint(condition=Q(ending__in=Ending.values), name="directive_ending_is_known"),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the text for searching beside what it is made of."""
        self.folded = fold(f"{self.code} {self.subject}")
        if (fields := kwargs.get("update_fields")) is not None and {"number", "notation", "subject"} & set(fields):
            kwargs["update_fields"] = {*fields, "folded"}
        super().save(*args, **kwargs)

    def __str__(self) -> str:
        return self.code

    @property
    def code(self) -> str:
        """Number and notation, `458/UBND-VP`; an ellipsis where the number is still open."""
        return f"{self.number or '…'}/{self.notation}" if self.notation else self.number or "…"

    @property
    def in_force(self) -> bool:
        """True while agencies have to act on it."""
        return self.state == DirectiveState.ISSUED


class DirectiveVersion(PractisedMixin):
    """What a directive said when it was submitted for signing; the database refuses to change it.

    content: everything that is shown of it but number and day (issuance/versions.py). sha256: of its canonical JSON.
    """

    directive = models.ForeignKey(Directive, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveSmallIntegerField()
    content = models.JSONField()
    sha256 = models.CharField(max_length=64)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    TRAINING_MOMENT = ""

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["directive", "number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["directive", "number"], name="version_once")]

    def __str__(self) -> str:
        return f"{self.directive_id} version {self.number}"


class LetterSeal(models.Model):
    """The seal of a directive that was sent, with the office's signature; a letter of practice has none.

    content: of which Directive.seal is the SHA-256. key, signature: Ed25519, in base64 (letters.files.seals).
    """

    directive = models.OneToOneField(Directive, on_delete=models.CASCADE, related_name="sealed")
    content = models.JSONField()
    key = models.CharField(max_length=44)
    signature = models.CharField(max_length=88)

    def __str__(self) -> str:
        return f"seal of {self.directive_id}"


class Step(models.TextChoices):
    """What the log of a directive tells of before it is sent."""

    STORED = "stored", _("draft stored")
    SUBMITTED = "submitted", _("submitted for signing")
    SEEN = "seen", _("seen by the signer")
    COMMENTED = "commented", _("remark")
    TAKEN_BACK = "taken_back", _("withdrawn for correction")
    RETURNED = "returned", _("returned with a reason")
    APPROVED = "approved", _("confirmed by the signer")
    REOPENED = "reopened", _("made a draft again")
    NUMBERED = "numbered", _("number and day set")
    ISSUED = "issued", _("sent")


class DirectiveStep(PractisedMixin):
    """One thing that happened to a directive on its way to the signature. note: the remark or the reason.

    Personal data: the account that did it, an official duty.
    """

    directive = models.ForeignKey(Directive, on_delete=models.CASCADE, related_name="steps")
    what = models.CharField(max_length=12, choices=Step)
    version = models.ForeignKey(DirectiveVersion, on_delete=models.CASCADE, null=True, related_name="steps")
    note = models.CharField(max_length=1000, blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    TRAINING_MOMENT = ""

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["-at", "-pk"]
        constraints: ClassVar = [models.CheckConstraint(condition=Q(what__in=Step.values), name="step_is_known")]

    def __str__(self) -> str:
        return f"{self.directive_id} {self.what}"


class Task(PractisedMixin):
    """One clause of a directive.

    due:           last day on which it is in time, None where the letter states none. due_time: until when on that
                   day, None until its end.
    report_every:  how often it is reported on; `report_from` the first day of the first period, None until it is sent.
    days_to_report, days_to_lock: after the last day of a period until a report is late, until it is locked.
    lead_names, cooperating_names: agencies and recipient groups as written, one a line; parties when issued.
    fields:        numbers asked for, [{"name": "visited", "label": "Hộ đã đến"}, …].
    """

    class Every(models.TextChoices):
        """Length of a report period."""

        NEVER = "", _("no report")
        ONCE = "once", _("once, when due")
        WEEK = "week", _("each week")
        MONTH = "month", _("each month")

    directive = models.ForeignKey(Directive, on_delete=models.CASCADE, related_name="tasks")
    position = models.PositiveSmallIntegerField()
    label = models.CharField(max_length=20)
    text = models.TextField(_("Task"), max_length=8000)
    lead_names = models.TextField(_("Lead"), max_length=4000, blank=True)
    cooperating_names = models.TextField(_("Cooperating"), max_length=4000, blank=True)
    due = models.DateField(_("Due"), null=True, blank=True)
    due_time = models.TimeField(_("Until (hour)"), null=True, blank=True)
    report_every = models.CharField(_("Report"), max_length=8, choices=Every, blank=True, default=Every.NEVER)
    report_from = models.DateField(_("First day of the first period"), null=True, blank=True)
    days_to_report = models.PositiveSmallIntegerField(_("Days to report after a period"), default=1)
    days_to_lock = models.PositiveSmallIntegerField(_("Days until a period is locked"), default=7)
    fields = models.JSONField(default=list, blank=True)

    TRAINING_MOMENT = ""

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["directive", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["directive", "position"], name="task_position_once"),
            models.CheckConstraint(
                condition=Q(report_every__in=["", "once", "week", "month"]), name="task_period_known"
            ),
            models.CheckConstraint(
                condition=Q(due_time__isnull=True) | Q(due__isnull=False), name="an_hour_is_of_a_day"
            ),
            models.CheckConstraint(
                condition=Q(days_to_lock__gte=F("days_to_report")), name="task_locks_after_it_is_due"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label}. {self.text[:60]}"

    @property
    def deadline(self) -> "Deadline | None":
        """Until when it is in time; None where the letter states no day."""
        return Deadline(self.due, self.due_time) if self.due else None


class TaskParty(PractisedMixin):
    """An agency of a task. due: the later day that an extension granted to it alone.

    report_from: first day of its own first week or month, on which it received the letter; None before, and for a
    report that is made once.
    """

    class Role(models.TextChoices):
        """chủ trì, phối hợp."""

        LEAD = "lead", _("lead")
        COOPERATING = "cooperating", _("cooperating")

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="parties")
    agency = models.ForeignKey(Agency, on_delete=models.PROTECT, related_name="task_parties")
    role = models.CharField(max_length=12, choices=Role, default=Role.LEAD)
    due = models.DateField(null=True)
    report_from = models.DateField(null=True)

    TRAINING_MOMENT = ""

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["task", "-role", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["task", "agency"], name="agency_once_a_task"),
            models.CheckConstraint(condition=Q(role__in=["lead", "cooperating"]), name="task_role_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.agency_id} {self.role} of {self.task_id}"

    @property
    def deadline(self) -> "Deadline | None":
        """Until when this agency is in time: to the end of the later day it was given, else as the letter says."""
        return Deadline(self.due) if self.due else self.task.deadline
