# SPDX-License-Identifier: Apache-2.0
"""People of the office, their roles by day, their sign-in, and the audit chain."""

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
from bluezone.identity.roles import Role
from bluezone.vietnamese.spelling import fold

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


class GrantQuerySet(models.QuerySet["RoleGrant"]):
    """Grants, selected by day."""

    def valid_on(self, day: datetime.date) -> "GrantQuerySet":
        """Grants that are valid on `day`; a delegation is valid only while the grant behind it is."""
        valid = Q(valid_from__lte=day) & (Q(valid_to__isnull=True) | Q(valid_to__gt=day))
        basis_valid = Q(delegated_by__valid_from__lte=day) & (
            Q(delegated_by__valid_to__isnull=True) | Q(delegated_by__valid_to__gt=day)
        )
        return self.filter(valid, Q(delegated_by__isnull=True) | (basis_valid & Q(delegated_by__user__is_active=True)))


class RoleGrant(models.Model):
    """One role of one person, in the whole city, under one agency, or in one unit, for a period of days.

    agency:       this agency and those that answer to it. unit: this unit, those under it and the agencies that
                  serve them. Both None: the whole city.
    valid_from:   first day. valid_to: the day after the last one, None for no end.
    delegated_by: the grant of another person that this one delegates, None for no delegation. A delegation has an
                  end, and cannot be delegated again (a database trigger refuses it).
    Retained as long as the account; the audit has the history.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="grants")
    role = models.CharField(_("Role"), max_length=16, choices=Role)
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    unit = models.ForeignKey("agencies.AdminUnit", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    valid_from = models.DateField(_("From"), default=timezone.localdate)
    valid_to = models.DateField(_("Previous end date"), null=True, blank=True)
    delegated_by = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="delegated")

    objects = GrantQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["role", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(role__in=Role.values), name="role_is_known"),
            models.CheckConstraint(
                condition=Q(agency__isnull=True) | Q(unit__isnull=True), name="one_scope_agency_or_unit"
            ),
            # Equal: ended before it started, which an administrator may do.
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
        """The last day on which the grant is valid, None for no end."""
        return self.valid_to - datetime.timedelta(days=1) if self.valid_to else None


class UserManager(BaseUserManager["User"]):
    """Finds accounts regardless of the case of the sign-in name."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """The account of a sign-in name as typed; raises User.DoesNotExist."""
        user: User = self.get(username=(username or "").strip().lower())
        return user

    def with_roles(self, roles: Iterable[str], on: datetime.date | None = None) -> models.QuerySet["User"]:
        """Active accounts that hold one of `roles` anywhere on a day, today by default."""
        grants = RoleGrant.objects.valid_on(on or timezone.localdate()).filter(role__in=roles)
        return self.filter(is_active=True, pk__in=grants.values("user"))

    def matching(self, text: str) -> models.QuerySet["User"]:
        """Accounts with every word in name, agency or sign-in name, regardless of case and diacritics.

        Compared in Python, because the table has no folded text: a city has some thousands of accounts at most.
        """
        words = fold(text).split()
        if not words:
            return self.all()
        rows = self.order_by().values_list("pk", "name", "agency", "username")
        matches = [pk for pk, *texts in rows.iterator() if all(word in fold(" ".join(texts)) for word in words)]
        return self.filter(pk__in=matches)


class User(AbstractBaseUser):
    """One person who works in the office. No date of birth.

    The grants of the person determine what they may do.
    email: address for the daily digest, entered only by the person, optional; empty for the agency's own address.
    sealed_phone: telephone for text messages about what waits, sealed (desk.notices), entered only by the person,
    optional.
    Retained while in use. A deactivated account keeps its name, which the audit refers to, and loses both addresses.
    """

    username = models.CharField(
        _("Sign-in name"),
        max_length=40,
        unique=True,
        validators=[
            RegexValidator(
                r"^[a-z0-9][a-z0-9._-]{2,39}\Z",
                _("3 to 40 characters: small letters a-z, digits, dot, dash, underscore."),
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
    # Django's field is left out: health workers sign in for a case, and the minute could identify it.
    last_login = None

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]
    objects = UserManager()

    class Meta:
        ordering: ClassVar = ["name", "username"]

    def __str__(self) -> str:
        return self.name or self.username

    def set_password(self, raw_password: str | None) -> None:
        """Store a password in the spelling of `normalize_password`."""
        super().set_password(raw_password and normalize_password(raw_password))

    def check_password(self, raw_password: str) -> bool:
        """Whether this is the password, regardless of the keyboard that composed its letters and of pasted blanks."""
        # Older passwords were stored as typed.
        spellings = dict.fromkeys((normalize_password(raw_password), raw_password))
        return any(super(User, self).check_password(spelling) for spelling in spellings)


def normalize_password(typed: str) -> str:
    """A password in one spelling: Vietnamese keyboards compose "ế" from one, two or three characters, and a blank at
    either end is invisible.
    """
    return unicodedata.normalize("NFC", typed).strip()


class AccountLink(models.Model):
    """A one-time link for a person to set the password of their own account. Only its hash is stored."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="links")
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"link of {self.user_id} until {self.expires_at:%Y-%m-%d %H:%M}"


class SignInFailure(models.Model):
    """One failed sign-in, counted under keyed hashes; neither the typed name nor the address can be read back.

    Deleted when signin.attempts.WINDOW has passed.
    """

    account = models.CharField(max_length=64, db_index=True)
    address = models.CharField(max_length=64, db_index=True)
    at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"failure at {self.at:%H:%M}"


class AuthenticatorApp(models.Model):
    """The secret that a person's authenticator app shares with the office, sealed under a key in the data folder.

    last_step: the time step (Unix seconds // 30) of the newest code that was used, so that no code counts twice; 0
    after two minutes.
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
    """A code on paper for a person who has lost telephone and key: works once, and only its keyed hash is stored."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64, unique=True)

    def __str__(self) -> str:
        return f"recovery code of {self.user_id}"


def this_hour() -> datetime.datetime:
    """The beginning of the current hour."""
    return timezone.now().replace(minute=0, second=0, microsecond=0)


class OfficeSession(AbstractBaseSession):
    """One browser that is signed in. No network address is stored: for the owner, browser and times are enough.

    browser: name of browser and system from the User-Agent, for example "Chrome, Android".
    begun_at: beginning of the hour of sign-in; the minute could reveal when somebody signed in for a case.
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
        """The store that writes these rows, looked up in the settings as Django does."""
        store: type = import_module(settings.SESSION_ENGINE).SessionStore
        return store


def valid_grants(user: User, on: datetime.date | None = None) -> list[RoleGrant]:
    """Grants that are valid on a day (today by default), delegations included, with their agency and unit.

    An account that may not sign in has none.
    """
    today = timezone.localdate()
    cached: tuple[datetime.date, list[RoleGrant]] | None = getattr(user, "_grants_read", None)
    if cached is not None and cached[0] == (on or today):
        return cached[1]
    if not user.is_active:
        return []
    grants = list(RoleGrant.objects.valid_on(on or today).filter(user=user).select_related("agency", "unit"))
    # A second query only for the few delegations, because every request of the office comes here.
    if any(grant.delegated_by_id is not None for grant in grants):
        models.prefetch_related_objects(grants, "delegated_by__user")
    return grants


def cache_grants(user: User) -> None:
    """Read today's grants once for a whole request; only for a user object that does not outlive the request."""
    user._grants_read = (timezone.localdate(), valid_grants(user))  # type: ignore[attr-defined]


def valid_roles(user: User, on: datetime.date | None = None) -> set[str]:
    """The roles held anywhere on a day."""
    return {grant.role for grant in valid_grants(user, on)}
