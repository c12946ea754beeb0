# SPDX-License-Identifier: Apache-2.0
"""People of the office, what they may do, their sign-in, and the audit chain."""

from bluezone.accounts.models.audit import Act, AuditEntry
from bluezone.accounts.models.grants import Role, RoleGrant
from bluezone.accounts.models.people import (
    AccountLink,
    AuthenticatorApp,
    OfficeSession,
    Passkey,
    RecoveryCode,
    SignInFailure,
    User,
)

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
