# SPDX-License-Identifier: Apache-2.0
"""Codes of training mode: clearly made-up, refused by every phone, and never known to the key server.

A trainee sees what happens to a real one: it is open, and half a minute later somebody has used it, unless it was
revoked before.
"""

import datetime
import uuid
from collections.abc import Iterable

from bluezone.healthauthority.codes.facilities import facility_of
from bluezone.healthauthority.models import IssuedCode
from bluezone.identity.models import User
from bluezone.keyserver.reports.codes import DIGITS_LIFE_SECONDS, LINK_LIFE_SECONDS, CodeState

# Its check digit is wrong, and the link is too short to be one: a phone refuses both before it asks anybody.
CODE, LINK_END = "0000-0000-0001", "/r#TAP-HUAN"
USED_AFTER_SECONDS = 30
_OPEN, _REVOKED = "practice-", "practice-revoked-"


def issue(
    worker: User | None, case_class: str, onset: datetime.date, now: datetime.datetime, form_id: uuid.UUID | None
) -> IssuedCode:
    """Remember a made-up code for the list of this mode."""
    return IssuedCode.objects.create(
        handle=f"{_OPEN}{uuid.uuid4().hex}",
        worker=worker,
        facility=facility_of(worker),
        case_class=case_class,
        onset=onset,
        issued_at=now,
        expires_at=now + datetime.timedelta(seconds=DIGITS_LIFE_SECONDS),
        link_expires_at=now + datetime.timedelta(seconds=LINK_LIFE_SECONDS),
        form_id=form_id or uuid.uuid4(),
    )


def states(issued: Iterable[IssuedCode], now: datetime.datetime) -> dict[str, CodeState]:
    """The state of made-up codes by handle."""
    return {one.handle: _state(one, now) for one in issued}


def revoke(handle: str, now: datetime.datetime) -> CodeState:
    """Revoke a made-up code, unless it counts as used; its state now."""
    issued = IssuedCode.objects.get(handle=handle)
    if _state(issued, now) == "open":
        issued.handle = handle.replace(_OPEN, _REVOKED, 1)
        issued.save(update_fields=["handle"])
    return _state(issued, now)


def _state(issued: IssuedCode, now: datetime.datetime) -> CodeState:
    if issued.handle.startswith(_REVOKED):
        return "revoked"
    return "used" if (now - issued.issued_at).total_seconds() >= USED_AFTER_SECONDS else "open"
