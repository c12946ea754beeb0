# SPDX-License-Identifier: Apache-2.0
"""Revoking a code."""

from bluezone.audit import hash_chain
from bluezone.healthauthority.codes.audit_entries import actor_of
from bluezone.identity.models import User
from bluezone.keyserver.codes import issued_codes
from bluezone.keyserver.service import KeyServer


def revoke_code(server: KeyServer, worker: User | None, code: str) -> str:
    """Revoke a code; its new state: "revoked", or "used" or "expired" if it was too late.

    worker: who revokes; None for the operator's command line. code: the row of a ticket, or the code or link itself.
    The audit records none of these, because no list may show which code was revoked and therefore not used.
    Safe to repeat. A used code stays used: what a phone has sent cannot be recalled.
    Raises InvalidCode or CodeUnknown.
    """
    if server.codes.is_open(code):
        try:
            server.codes.revoke_code(code)
        except issued_codes.CodeAlreadyUsed:
            return "used"
        hash_chain.record(actor_of(worker), "code_revoked")
    return server.codes.status(code)
