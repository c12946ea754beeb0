# SPDX-License-Identifier: Apache-2.0
"""Taking a one-tap act back within ten seconds (docs/texts.md, Look): one offer at a time, for this browser alone.

A view that has done something by one tap offers it here; the next page shows the button, and the reverser that the
act's own duty names brings back what was. A step that may not simply be reversed (a code issued, a letter
sent, a browser signed out) has a question before it instead.
"""

import datetime
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest

from bluezone.duties.catalogue import DUTIES
from bluezone.duties.duty import load
from bluezone.identity.models import User
from bluezone.refusal import Refused

UNDO_SECONDS = 10
# A tap and its answer take their time on the way; the page stops offering after UNDO_SECONDS.
GRACE_SECONDS = 5
_KEY = "undo"
# Called with the person, the values of the offer, and the time. It raises UndoTooLate (or another Refused) when
# something else has happened since; nothing is changed then.
Reverser = Callable[[User, dict[str, Any], datetime.datetime], None]


class UndoTooLate(Refused):
    """The ten seconds are over, or something else has happened since."""

    code = "undo_too_late"


def offer(request: HttpRequest, act: str, now: datetime.datetime, **values: Any) -> None:
    """Let this browser take `act` back for ten seconds. values: JSON; an earlier offer ends."""
    request.session[_KEY] = {"act": act, "values": values, "at": now.timestamp()}


def is_offered(request: HttpRequest, now: datetime.datetime) -> bool:
    """Whether a page shown now has the button."""
    kept = request.session.get(_KEY)
    return kept is not None and 0 <= now.timestamp() - kept["at"] <= UNDO_SECONDS


def take_back(request: HttpRequest, user: User, now: datetime.datetime) -> None:
    """Take back what was offered last, once. Raises UndoTooLate, or what the reverser refuses."""
    kept = request.session.pop(_KEY, None)
    if kept is None or not 0 <= now.timestamp() - kept["at"] <= UNDO_SECONDS + GRACE_SECONDS:
        raise UndoTooLate("the ten seconds are over")
    reverser: Reverser = load(next(duty.reversers[kept["act"]] for duty in DUTIES if kept["act"] in duty.reversers))
    reverser(user, kept["values"], now)
