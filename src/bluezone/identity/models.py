# SPDX-License-Identifier: Apache-2.0
"""People of the office, what they may do and on which day, their sign-in, and the audit chain."""

import datetime
import unicodedata
from collections.abc import Iterable
from importlib import import_module
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.audit.models import AuditEntry
from bluezone.vietnamese.spelling import fold


class Role(models.TextChoices):
    """A duty in the rollout or in the health authority; audiences.py says which pages each may open."""

    ISSUER = "issuer", _("Signatory")
    CLERK = "clerk", _("Clerk")
    LEAD = "lead", _("Head of the agency")
    OFFICER = "officer", _("Officer in charge")
    GATEKEEPER = "gatekeeper", _("Gatekeeper")
    CANVASSER = "canvasser", _("Canvasser")
    DRIVE_LEAD = "drive_lead", _("Leader of drives")
    TEACHER = "teacher", _("Teacher")
    VENUE_OWNER = "venue_owner", _("Venue owner")
    SPEAKER_OPERATOR = "speaker_operator", _("Loudspeaker operator")
    EDITOR = "editor", _("Editor")
    HEALTH_WORKER = "health_worker", _("Health worker")
    SUPERVISOR = "supervisor", _("Health supervisor")
    AUDITOR = "auditor", _("Auditor")
    LEADER = "leader", _("Leader, reading only")
    ADMIN = "admin", _("Administrator")


class GrantQuerySet(models.QuerySet["RoleGrant"]):
    """Grants picked out by day."""

    def in_force(self, day: datetime.date) -> "GrantQuerySet":
        """Grants that hold on `day`; a delegation holds only while the grant it rests on does."""
        begun = Q(valid_from__lte=day) & (Q(valid_to__isnull=True) | Q(valid_to__gt=day))
        basis = Q(delegated_by__valid_from__lte=day) & (
            Q(delegated_by__valid_to__isnull=True) | Q(delegated_by__valid_to__gt=day)
        )
        return self.filter(begun, Q(delegated_by__isnull=True) | (basis & Q(delegated_by__user__is_active=True)))


class RoleGrant(models.Model):
    """One role of one person, in the whole city, under one agency, or in one unit, from a day until before another.

    agency:       this agency and those that answer to it. unit: this unit, those under it and the agencies that
                  serve them. Both None: the whole city.
    valid_from:   first day. valid_to: first day no longer, None open.
    delegated_by: the grant of somebody else on which this one rests, None for one of its own. A delegation has an
                  end, and is not delegated again (a trigger holds it).
    Kept while the account is; the audit has the history.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="grants")
    role = models.CharField(_("Role"), max_length=16, choices=Role)
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    unit = models.ForeignKey("agencies.AdminUnit", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    valid_from = models.DateField(_("From"), default=timezone.localdate)
    valid_to = models.DateField(_("Until before"), null=True, blank=True)
    delegated_by = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="delegated")

    objects = GrantQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["role", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(role__in=Role.values), name="role_is_known"),
            models.CheckConstraint(
                condition=Q(agency__isnull=True) | Q(unit__isnull=True), name="one_scope_agency_or_unit"
            ),
            # Equal: ended before it began, which an administrator may do.
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")), name="grant_ends_after_it_begins"
            ),
            models.CheckConstraint(
                condition=Q(delegated_by__isnull=True) | Q(valid_to__isnull=False), name="a_delegation_has_an_end"
            ),
            models.CheckConstraint(
                condition=Q(delegated_by__isnull=True) | ~Q(delegated_by=F("id")), name="a_delegation_rests_on_another"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} of {self.user_id} from {self.valid_from}"

    @property
    def scope(self) -> "models.Model | None":
        """The agency or unit, None for the whole city."""
        return self.agency or self.unit

    @property
    def last_day(self) -> datetime.date | None:
        """The last day on which the grant holds, None when it is open."""
        return self.valid_to - datetime.timedelta(days=1) if self.valid_to else None


class UserManager(BaseUserManager["User"]):
    """Finds accounts whatever the case of the sign-in name."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """The account of a sign-in name as typed; raises User.DoesNotExist."""
        user: User = self.get(username=(username or "").strip().lower())
        return user

    def holding(self, roles: Iterable[str], on: datetime.date | None = None) -> models.QuerySet["User"]:
        """Active accounts that hold one of `roles` anywhere on a day, today by default."""
        held = RoleGrant.objects.in_force(on or timezone.localdate()).filter(role__in=roles)
        return self.filter(is_active=True, pk__in=held.values("user"))

    def matching(self, text: str) -> models.QuerySet["User"]:
        """Accounts whose name, agency and sign-in name together hold every word, whatever its case and diacritics.

        Compared here, because the table keeps no folded text: a city has some thousands of accounts at most.
        """
        words = fold(text).split()
        if not words:
            return self.all()
        rows = self.order_by().values_list("pk", "name", "agency", "username")
        found = [pk for pk, *said in rows.iterator() if all(word in fold(" ".join(said)) for word in words)]
        return self.filter(pk__in=found)


class User(AbstractBaseUser):
    """One person who works in the office. No date of birth.

    What they may do is in their grants.
    email: where the daily digest goes, given by the person alone and only if wanted; empty is the agency's own address.
    sealed_phone: where text messages about what waits go, sealed (desk.notices), given by the person alone and only if
    wanted.
    Kept while in use; a deactivated account keeps its name because the audit speaks of it, and loses both addresses.
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
    email = models.EmailField(_("E-mail"), blank=True)
    sealed_phone = models.BinaryField(null=True, editable=False)
    is_active = models.BooleanField(_("May sign in"), default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # Of Django's own, and left out: where workers sign in for a case, its minute would name the case.
    last_login = None

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]
    objects = UserManager()

    class Meta:
        ordering: ClassVar = ["name", "username"]

    def __str__(self) -> str:
        return self.name or self.username

    def set_password(self, raw_password: str | None) -> None:
        """Store a password as `same_password` gives it."""
        super().set_password(raw_password and same_password(raw_password))

    def check_password(self, raw_password: str) -> bool:
        """Whether this is the password, whatever keyboard typed its letters and whatever blanks came with a paste."""
        # Passwords of before were stored as they came.
        return any(super(User, self).check_password(one) for one in {same_password(raw_password): 0, raw_password: 0})


def same_password(typed: str) -> str:
    """A password in one spelling: keyboards of Vietnamese compose "ế" of one, two or three signs, and a blank at an end
    is not seen.
    """
    return unicodedata.normalize("NFC", typed).strip()


class AccountLink(models.Model):
    """A one-time link with which a person sets the password of their own account. Only its hash is stored."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="links")
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"link of {self.user_id} until {self.expires_at:%Y-%m-%d %H:%M}"


class SignInFailure(models.Model):
    """One failed sign-in, counted under keyed hashes; neither a name that was typed nor an address can be read back.

    Deleted when the window of sign_in_attempts.py has passed.
    """

    account = models.CharField(max_length=64, db_index=True)
    address = models.CharField(max_length=64, db_index=True)
    at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"failure at {self.at:%H:%M}"


class AuthenticatorApp(models.Model):
    """The secret that a person's authenticator app shares with the office, sealed under a key in the data folder.

    last_step: the newest time step whose code was used (Unix seconds // 30), so that no code counts twice; 0 once two
    minutes have passed.
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


def this_hour() -> datetime.datetime:
    """The beginning of the present hour."""
    return timezone.now().replace(minute=0, second=0, microsecond=0)


class OfficeSession(AbstractBaseSession):
    """One browser that is signed in. No network address is kept: browser and times tell the owner enough.

    browser: name of browser and system, as they announce themselves, for example "Chrome, Android".
    begun_at: beginning of the hour; a minute would tell when somebody signed in for a case.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="sessions"
    )
    browser = models.CharField(max_length=40, blank=True)
    begun_at = models.DateTimeField(default=this_hour)

    class Meta:
        ordering: ClassVar = ["-begun_at"]

    @classmethod
    def get_session_store_class(cls) -> type:
        """The store that writes these rows, found as Django finds it."""
        store: type = import_module(settings.SESSION_ENGINE).SessionStore
        return store


__all__ = [
    "AccountLink",
    "AuditEntry",
    "AuthenticatorApp",
    "OfficeSession",
    "Passkey",
    "RecoveryCode",
    "Role",
    "RoleGrant",
    "SignInFailure",
    "User",
]


def grants_of(user: User, on: datetime.date | None = None) -> list[RoleGrant]:
    """Grants in force on a day (today by default) with their agency and unit; delegations among them.

    An account that may not sign in holds nothing.
    """
    today = timezone.localdate()
    read: tuple[datetime.date, list[RoleGrant]] | None = getattr(user, "_grants_read", None)
    if read is not None and read[0] == (on or today):
        return read[1]
    if not user.is_active:
        return []
    held = list(RoleGrant.objects.in_force(on or today).filter(user=user).select_related("agency", "unit"))
    # Few rest on another's, and every request of the office asks this.
    if any(grant.delegated_by_id is not None for grant in held):
        models.prefetch_related_objects(held, "delegated_by__user")
    return held


def remember_grants(user: User) -> None:
    """Read today's grants once for a whole request; only for a user object that lives no longer than that."""
    user._grants_read = (timezone.localdate(), grants_of(user))  # type: ignore[attr-defined]


def roles_of(user: User, on: datetime.date | None = None) -> set[str]:
    """The roles held anywhere on a day."""
    return {grant.role for grant in grants_of(user, on)}
