# SPDX-License-Identifier: Apache-2.0
"""What an office page does with an act: says why it was refused, or offers to take it back within ten seconds
(docs/texts.md, Look).
"""

import datetime
from collections.abc import Callable
from types import TracebackType
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.forms import BaseForm
from django.http import HttpRequest

from bluezone.duties.catalogue import DUTIES
from bluezone.duties.duty import load
from bluezone.identity.models import User
from bluezone.refusal import Refused

# A sentence for the reader, or what makes it of the refusal.
Saying = str | Callable[[Refused], str]
Kinds = type[Refused] | tuple[type[Refused], ...]
# The code of an error that says that what is stored does not let a right form in.
CONFLICT = "conflict"


class _Caught:
    """Ends at a refusal of `kinds`, handing its sentence to `say`; anything else goes through."""

    def __init__(self, kinds: Kinds, saying: Saying, say: Callable[[str], None]) -> None:
        self._kinds, self._saying, self._say = kinds, saying, say

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        # It says `bool`, so that mypy reads on after the block.
        if not isinstance(error, self._kinds):
            return False
        self._say(self._saying if isinstance(self._saying, str) else self._saying(error))
        return True


def tell_refusals(request: HttpRequest, saying: Saying, *, of: Kinds = Refused, level: int = messages.ERROR) -> _Caught:
    """Tell a refusal of the block on the next page. of: the refusals that are told; others go through."""
    return _Caught(of, saying, lambda sentence: messages.add_message(request, level, sentence))


def show_refusals(
    form: BaseForm, saying: Saying, *, at: str | None = None, of: Kinds = Refused, conflict: bool = False
) -> _Caught:
    """Show a refusal of the block in a valid form, at the field `at` or above all.

    of: the refusals that are shown; others go through. conflict: the form was right, but what is stored does not let
    it in; the page is then answered with 409 (see `status_of`).
    """
    code = CONFLICT if conflict else None
    return _Caught(of, saying, lambda sentence: form.add_error(at, ValidationError(sentence, code=code)))


def status_of(*forms: BaseForm) -> int:
    """The status of a page with these forms: 200 nothing wrong, 409 refused as a conflict, 422 to be corrected."""
    found = [error.code for form in forms for errors in form.errors.as_data().values() for error in errors]
    if CONFLICT in found:
        return 409
    return 422 if found else 200


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
