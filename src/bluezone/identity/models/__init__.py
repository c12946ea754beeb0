# SPDX-License-Identifier: Apache-2.0
"""People of the office, what they may do, their sign-in, and the audit chain."""

from bluezone.audit.models import AuditEntry
from bluezone.identity.models.grants import Role, RoleGrant
from bluezone.identity.models.people import (
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
