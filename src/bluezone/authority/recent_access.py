# SPDX-License-Identifier: Apache-2.0
"""Who else may be using an account: people who made it or reset it within a week.

Without this check, one person could act as two by making the second account.
"""

import datetime

from django.db.models import Q

from bluezone.audit.hash_chain import COMMAND_LINE
from bluezone.audit.models import AuditEntry
from bluezone.authority.reach import TAKING_TWO, Scope, may_grant
from bluezone.identity.models import User
from bluezone.refusal import Refused

# For this long after an account was made or reset, the person who did so may still be the one who signs in with it.
IN_HAND = datetime.timedelta(days=7)


class RecentHands(Refused):
    """A person who made or reset the account within a week may still use it, and may not have this role, or not alone.

    by: the sign-in name of that person.
    """

    code = "recent_hands"

    def __init__(self, message: str, by: str) -> None:
        super().__init__(message)
        self.by = by


def people_with_access(user: User, now: datetime.datetime) -> frozenset[str]:
    """The sign-in names of all people who may be using an account.

    They are its own name, the names of the people who within a week made it, made a link for it or removed its second
    factor, and in turn the people behind those accounts.

    Acts on the command line do not count: the operator of the server can use every account anyway.
    """
    names = {user.username}
    searched: set[str] = set()
    while unsearched := names - searched:
        searched |= unsearched
        entries = AuditEntry.objects.filter(at__gt=now - IN_HAND, subject__in=unsearched).exclude(actor=COMMAND_LINE)
        entries = entries.filter(
            Q(action__in=("account_made", "link_made")) | Q(action="factor_removed", details__kind="all")
        )
        names |= set(entries.values_list("actor", flat=True))
    return frozenset(names)


def refuse_recent_access(account: User, role: str, within: Scope, now: datetime.datetime) -> None:
    """Refuse a role to an account that somebody else made or reset within a week. Raises RecentHands.

    It is refused if the role takes two people, or if it is beyond the reach of that person.
    """
    others = sorted(people_with_access(account, now) - {account.username})
    if others and role in TAKING_TWO:
        raise RecentHands(f"{others[0]} made or reset the account within a week; this role takes two people", others[0])
    refuse_narrower_access(account, role, within, now)


def refuse_narrower_access(account: User, role: str, within: Scope, now: datetime.datetime) -> None:
    """Refuse a role beyond the reach of a person who made or reset the account within a week. Raises RecentHands."""
    for name in sorted(people_with_access(account, now) - {account.username}):
        other = User.objects.filter(username=name).first()
        if other is None or not may_grant(other, role, within):
            raise RecentHands(f"{name} made or reset the account within a week and does not reach as far", name)
