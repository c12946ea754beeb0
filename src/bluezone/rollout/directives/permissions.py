# SPDX-License-Identifier: Apache-2.0
"""Who may do what with a directive: by role, and within the agency or territory the role was given for."""

from django.db.models import Q, QuerySet
from django.utils import timezone

from bluezone.directory import scopes
from bluezone.directory.models import Agency
from bluezone.directory.scopes import OutsideScope
from bluezone.identity.models import Role, RoleGrant, User

# They take letters in, correct and issue them, check reports and keep the registers.
CLERKS = (Role.CLERK, Role.ISSUER)
SIGNERS = (Role.ISSUER,)
# They receive letters at an agency, assign tasks and report.
HANDLERS = (Role.CLERK, Role.LEAD, Role.OFFICER)
READERS = (*HANDLERS, Role.ISSUER, Role.LEADER, Role.AUDITOR)


def require_clerk(user: User, issuer: Agency) -> None:
    """Raise OutsideScope unless the person is a clerk of the issuing agency."""
    scopes.require_role(user, CLERKS, agency=issuer)


def require_signer(user: User, issuer: Agency) -> None:
    """Raise OutsideScope unless the person may approve for the issuing agency."""
    scopes.require_role(user, SIGNERS, agency=issuer)


def require_handler(user: User, agency: Agency, issuer: Agency | None = None) -> None:
    """Raise OutsideScope unless the person works at this agency itself, not only above it.

    issuer: of the document. At the issuer, a role for the whole city is enough.
    """
    if not works_at(user, agency, issuer):
        raise OutsideScope(f"the role is not held at {agency.key} itself")


def works_at(user: User, agency: Agency, issuer: Agency | None = None) -> bool:
    """Whether the person has a role for this agency itself, or for the unit that it serves.

    A person at an agency above reads and answers for this one, but does not receive or report in its name.
    """
    for grant in scopes.grants_for(user, HANDLERS):
        whole_city = grant.scope is None and issuer is not None and issuer.pk == agency.pk
        if whole_city or agency.pk == grant.agency_id or agency.unit_id == grant.unit_id:
            return True
    return False


def require_reader(user: User, agency: Agency) -> None:
    """Raise OutsideScope unless the person may see what this agency receives."""
    scopes.require_role(user, READERS, agency=agency)


def issuing_agencies(user: User) -> QuerySet[Agency]:
    """Agencies for which the person may take in, send and exchange letters."""
    return scopes.agencies_in_reach(user, CLERKS)


def read_agencies(user: User) -> QuerySet[Agency]:
    """Agencies in which the person may read the inbox."""
    return scopes.agencies_in_reach(user, READERS)


def people_of(agency: Agency) -> QuerySet[User]:
    """Accounts that work at an agency, as `works_at` has it, by name."""
    grants = RoleGrant.objects.valid_on(timezone.localdate()).filter(role__in=HANDLERS)
    here = grants.filter(Q(agency=agency) | Q(unit=agency.unit_id))
    return User.objects.filter(is_active=True, pk__in=here.values("user")).order_by("name", "pk")
