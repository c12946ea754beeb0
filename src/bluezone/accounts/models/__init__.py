# SPDX-License-Identifier: Apache-2.0
"""People of the office, what they may do, their sign-in, and the audit chain."""

from bluezone.accounts.models.audit import Act, AuditEntry
from bluezone.accounts.models.factors import AuthenticatorApp, Passkey, RecoveryCode
from bluezone.accounts.models.grants import Role, RoleGrant
from bluezone.accounts.models.people import AccountLink, SignInFailure, User
from bluezone.accounts.models.sessions import OfficeSession

__all__ = [
    "AccountLink",
    "Act",
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
