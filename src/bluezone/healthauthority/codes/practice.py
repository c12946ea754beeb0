# SPDX-License-Identifier: Apache-2.0
"""Codes of training mode: clearly made up, known to the office alone."""

import datetime
import uuid
from collections.abc import Iterable

from bluezone.healthauthority.facilities import facility_of
from bluezone.healthauthority.models import IssuedCode
from bluezone.identity.models import User
from bluezone.keyserver.codes.issued_codes import CodeState

# The check digit is wrong and the link too short: a phone refuses both without calling the server.
PRACTICE_CODE = "0000-0000-0001"
PRACTICE_LINK_END = "/r#TAP-HUAN"
USED_AFTER_SECONDS = 30
_PRACTICE_PREFIX = "practice-"
_REVOKED_PREFIX = "practice-revoked-"


def issue_practice_code(worker: User | None, now: datetime.datetime, form_id: uuid.UUID | None) -> IssuedCode:
    """Store a made-up code for the list of training mode."""
    return IssuedCode.objects.create(
        handle=f"{_PRACTICE_PREFIX}{uuid.uuid4().hex}",
        worker=worker,
        facility=facility_of(worker),
        issued_at=now,
        form_id=form_id or uuid.uuid4(),
    )


def practice_states(issued: Iterable[IssuedCode], now: datetime.datetime) -> dict[str, CodeState]:
    """The states of made-up codes by handle."""
    return {code.handle: _practice_state(code, now) for code in issued}


def revoke_practice_code(handle: str, now: datetime.datetime) -> CodeState:
    """Revoke a made-up code unless it counts as used. Returns its new state."""
    issued = IssuedCode.objects.get(handle=handle)
    if _practice_state(issued, now) == "open":
        issued.handle = handle.replace(_PRACTICE_PREFIX, _REVOKED_PREFIX, 1)
        issued.save(update_fields=["handle"])
    return _practice_state(issued, now)


def _practice_state(issued: IssuedCode, now: datetime.datetime) -> CodeState:
    if issued.handle.startswith(_REVOKED_PREFIX):
        return "revoked"
    return "used" if (now - issued.issued_at).total_seconds() >= USED_AFTER_SECONDS else "open"
