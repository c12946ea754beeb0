# SPDX-License-Identifier: Apache-2.0
"""Who may do what with a directive: by role, and within the agency or territory the role was given for."""

from django.db.models import QuerySet

from bluezone.directory import scopes
from bluezone.directory.models import Agency
from bluezone.identity.models import Role, User

# Take letters in, correct and issue them, check reports, keep the registers.
CLERKS = (Role.CLERK, Role.ISSUER)
SIGNERS = (Role.ISSUER,)
# Receive at an agency, assign, report.
HANDLERS = (Role.CLERK, Role.LEAD, Role.OFFICER)
READERS = (*HANDLERS, Role.ISSUER, Role.LEADER, Role.AUDITOR)


def require_clerk(user: User, issuer: Agency) -> None:
    """Raise OutsideScope unless the person is a clerk of the issuing agency."""
    scopes.require(user, CLERKS, agency=issuer)


def require_signer(user: User, issuer: Agency) -> None:
    """Raise OutsideScope unless the person may approve for the issuing agency."""
    scopes.require(user, SIGNERS, agency=issuer)


def require_handler(user: User, agency: Agency) -> None:
    """Raise OutsideScope unless the person works on what this agency receives."""
    scopes.require(user, HANDLERS, agency=agency)


def require_reader(user: User, agency: Agency) -> None:
    """Raise OutsideScope unless the person may see what this agency receives."""
    scopes.require(user, READERS, agency=agency)


def issuing_agencies(user: User) -> QuerySet[Agency]:
    """Agencies whose letters the person may take in."""
    return scopes.agencies_of(user, CLERKS)


def read_agencies(user: User) -> QuerySet[Agency]:
    """Agencies whose inbox the person may read."""
    return scopes.agencies_of(user, READERS)


def handled_agencies(user: User) -> QuerySet[Agency]:
    """Agencies for which the person works on what they receive."""
    return scopes.agencies_of(user, HANDLERS)
