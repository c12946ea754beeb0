# SPDX-License-Identifier: Apache-2.0
"""Which roles a person holds on a day, in force or delegated.

The grants of one person are read once: one query, none where the request has read them already.
"""

import datetime

from django.utils import timezone

from bluezone.identity.models import RoleGrant, User


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
    return list(
        RoleGrant.objects.in_force(on or today).filter(user=user).select_related("agency", "unit", "delegated_by__user")
    )


def remember_grants(user: User) -> None:
    """Read today's grants once for a whole request; only for a user object that lives no longer than that."""
    user._grants_read = (timezone.localdate(), grants_of(user))  # type: ignore[attr-defined]


def roles_of(user: User, on: datetime.date | None = None) -> set[str]:
    """The roles held anywhere on a day."""
    return {grant.role for grant in grants_of(user, on)}
