# SPDX-License-Identifier: Apache-2.0
"""Revoking a code that went to the wrong person, was misheard, or should not have been issued."""

from django.utils import timezone

from bluezone.accounts import auditing
from bluezone.accounts.inviting import COMMAND_LINE
from bluezone.accounts.models import Act, User
from bluezone.accounts.training import practising
from bluezone.healthauthority import practice
from bluezone.keyserver import codes
from bluezone.keyserver.service import KeyServer


def revoke(server: KeyServer, worker: User | None, code: str) -> str:
    """Revoke a code and return its state now: "revoked", or "used" or "expired" when it was too late.

    worker: who revokes; None is the operator's command line.
    code: handle from the list, or, on the command line, the code or link itself, which the audit does not repeat.
    Safe to repeat. A used code stays used: what a phone has sent cannot be recalled.
    Raises InvalidCode or CodeUnknown.
    """
    if practising():
        return practice.revoke(code, timezone.now())
    if codes.is_open(server, code):
        try:
            codes.revoke(server, code)
        except codes.CodeAlreadyUsed:
            return "used"
        auditing.record(worker.username if worker else COMMAND_LINE, Act.CODE_REVOKED, code if worker else "")
    return codes.status(server, code)
