# SPDX-License-Identifier: Apache-2.0
"""People of the office, their one-time links, and failed sign-ins."""

import datetime
from collections.abc import Iterable
from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.accounts.models.grants import RoleGrant
from bluezone.agencies.folding import fold


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
    """One person who works in the office. No telephone number, no date of birth.

    What they may do is in their grants.
    email: where the daily digest goes, given by the person alone and only if wanted; empty is the agency's own address.
    Kept while in use; a deactivated account keeps its name because the audit speaks of it, and loses its e-mail.
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
    is_active = models.BooleanField(_("May sign in"), default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]
    objects = UserManager()

    class Meta:
        ordering: ClassVar = ["name", "username"]

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
