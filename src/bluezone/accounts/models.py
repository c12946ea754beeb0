# SPDX-License-Identifier: Apache-2.0
"""People of the office, their one-time links, failed sign-ins, and the audit chain."""

from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What an account is for; audiences.py says which pages each may open."""

    HEALTH_WORKER = "health_worker", _("Health worker")
    SUPERVISOR = "supervisor", _("Supervisor")
    ADMIN = "admin", _("Administrator")


class Act(models.TextChoices):
    """What the audit tells of."""

    ACCOUNT_MADE = "account_made", _("made an account")
    ACCOUNT_CHANGED = "account_changed", _("changed an account")
    LINK_MADE = "link_made", _("made a one-time link")
    PASSWORD_SET = "password_set", _("set a password")
    CODE_ISSUED = "code_issued", _("issued a code")
    CODE_REVOKED = "code_revoked", _("revoked a code")
    QUOTA_REFUSED = "quota_refused", _("was refused a code over the quota")
    ENTRY_MADE = "entry_made", _("entered a unit or agency")
    ENTRY_CHANGED = "entry_changed", _("changed a unit or agency")
    FIGURE_RECORDED = "figure_recorded", _("recorded a figure")
    RECIPIENTS_CHANGED = "recipients_changed", _("changed a recipient group")
    LIST_IMPORTED = "list_imported", _("imported a list")
    DEVICE_MADE = "device_made", _("entered a device")
    DEVICE_CODE_MADE = "device_code_made", _("made a code for a device")
    DEVICE_ENROLLED = "device_enrolled", _("connected a device")
    DEVICE_REVOKED = "device_revoked", _("cut off a device")
    STAFF_REPORTED = "staff_reported", _("reported the staff of an agency")
    WEEK_REOPENED = "week_reopened", _("reopened a week for an agency")
    QUOTA_RAISED = "quota_raised", _("raised the limit of codes for a day")
    DECLARATION_KEY_MADE = "declaration_key_made", _("made the key for declarations")
    DECLARATION_KEY_SEALED = "declaration_key_sealed", _("changed the passphrase for declarations")
    DECLARATION_OPENED = "declaration_opened", _("opened a declaration")
    DECLARATION_REFUSED = "declaration_refused", _("gave a wrong passphrase for declarations")
    AUDIT_EXPORTED = "audit_exported", _("took a copy of the audit")


class UserManager(BaseUserManager["User"]):
    """Finds accounts whatever the case of the sign-in name."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """The account of a sign-in name as typed; raises User.DoesNotExist."""
        user: User = self.get(username=(username or "").strip().lower())
        return user


class User(AbstractBaseUser):
    """One person who works in the office. No telephone number, no e-mail, no date of birth.

    Kept while in use; a deactivated account keeps its name because the audit speaks of it.
    """

    username = models.CharField(
        _("Sign-in name"),
        max_length=40,
        unique=True,
        validators=[
            RegexValidator(
                r"^[a-z0-9][a-z0-9._-]{2,39}\Z", _("3 to 40 of: small letters a-z, digits, dot, dash, underscore.")
            )
        ],
        error_messages={"unique": _("There is already an account with this sign-in name.")},
    )
    name = models.CharField(_("Full name"), max_length=80)
    agency = models.CharField(_("Agency"), max_length=120, blank=True)
    role = models.CharField(_("Role"), max_length=16, choices=Role)
    is_active = models.BooleanField(_("May sign in"), default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name", "role"]
    objects = UserManager()

    class Meta:
        ordering: ClassVar = ["name", "username"]
        constraints: ClassVar = [models.CheckConstraint(condition=models.Q(role__in=Role.values), name="role_is_known")]

    def __str__(self) -> str:
        return self.name or self.username


class AccountLink(models.Model):
    """A one-time link with which a person sets the password of their own account. Only its hash is stored."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="links")
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"link of {self.user_id} until {self.expires_at:%Y-%m-%d %H:%M}"


class SignInFailure(models.Model):
    """One failed sign-in, counted under keyed hashes; neither a name that was typed nor an address can be read back.

    Deleted when the window of signing_in.py has passed.
    """

    account = models.CharField(max_length=64, db_index=True)
    address = models.CharField(max_length=64, db_index=True)
    at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"failure at {self.at:%H:%M}"


class AuditEntry(models.Model):
    """One act in the office. Entries form a chain of keyed hashes; auditing.py writes and verifies it.

    The database itself refuses to change an entry, and to delete one before its year is over.
    """

    number = models.PositiveBigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=40)
    action = models.CharField(max_length=40, choices=Act)
    subject = models.CharField(max_length=64)
    details = models.JSONField(default=dict)
    previous = models.CharField(max_length=64, unique=True)
    digest = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering: ClassVar = ["number"]

    def __str__(self) -> str:
        return f"{self.number} {self.action} by {self.actor}"
