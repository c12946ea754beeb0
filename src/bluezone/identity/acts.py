# SPDX-License-Identifier: Apache-2.0
"""Acts on an office page: show why an act was refused, or offer to undo it within ten seconds (docs/texts.md, Look)."""

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

# A sentence for the reader, or a function that makes it from the refusal.
SentenceSource = str | Callable[[Refused], str]
Kinds = type[Refused] | tuple[type[Refused], ...]
# Error code of a form that is valid but conflicts with what is stored.
CONFLICT = "conflict"

UNDO_SECONDS = 10
# Time for a tap and its answer to travel; the page stops offering after UNDO_SECONDS.
GRACE_SECONDS = 5
_KEY = "undo"
# Called with the person, the values of the offer, and the time. It raises UndoTooLate (or another Refused), and changes
# nothing, if something else has happened since.
Reverser = Callable[[User, dict[str, Any], datetime.datetime], None]


class _Caught:
    """A block that ends at a refusal of `kinds` and passes its sentence to `say`; other exceptions pass through."""

    def __init__(self, kinds: Kinds, saying: SentenceSource, say: Callable[[str], None]) -> None:
        self._kinds = kinds
        self._saying = saying
        self._say = say

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        # Annotated with `bool`, so that mypy does not take the code after the block for unreachable.
        if not isinstance(error, self._kinds):
            return False
        self._say(self._saying if isinstance(self._saying, str) else self._saying(error))
        return True


def refusals_as_messages(
    request: HttpRequest, sentence: SentenceSource, *, kinds: Kinds = Refused, level: int = messages.ERROR
) -> _Caught:
    """Show a refusal of the block as a message on the next page. kinds: the refusals to show; others pass through."""
    return _Caught(kinds, sentence, lambda text: messages.add_message(request, level, text))


def refusals_as_form_errors(
    form: BaseForm,
    sentence: SentenceSource,
    *,
    field: str | None = None,
    kinds: Kinds = Refused,
    conflict: bool = False,
) -> _Caught:
    """Show a refusal of the block in a valid form, at the field `field` or above all fields.

    kinds: the refusals to show; others pass through. conflict: the form is valid but conflicts with what is stored; the
    page is then answered with 409 (see `form_status`).
    """
    code = CONFLICT if conflict else None
    return _Caught(kinds, sentence, lambda text: form.add_error(field, ValidationError(text, code=code)))


def form_status(*forms: BaseForm) -> int:
    """The status of a page with these forms: 200 no errors, 409 refused as a conflict, 422 to be corrected."""
    codes: list[str | None] = []
    for form in forms:
        for errors in form.errors.as_data().values():
            codes += [error.code for error in errors]
    if CONFLICT in codes:
        return 409
    return 422 if codes else 200


class UndoTooLate(Refused):
    """The ten seconds are over, or something else has happened since."""

    code = "undo_too_late"


def offer_undo(request: HttpRequest, act: str, now: datetime.datetime, **values: Any) -> None:
    """Let this browser undo `act` for ten seconds. values: JSON. An earlier offer ends."""
    request.session[_KEY] = {"act": act, "values": values, "at": now.timestamp()}


def is_undo_offered(request: HttpRequest, now: datetime.datetime) -> bool:
    """Whether a page that is rendered now has the undo button."""
    offered = request.session.get(_KEY)
    return offered is not None and 0 <= now.timestamp() - offered["at"] <= UNDO_SECONDS


def undo(request: HttpRequest, user: User, now: datetime.datetime) -> None:
    """Undo the act that was offered last, once. Raises UndoTooLate, or a refusal of the reverser."""
    offered = request.session.pop(_KEY, None)
    if offered is None or not 0 <= now.timestamp() - offered["at"] <= UNDO_SECONDS + GRACE_SECONDS:
        raise UndoTooLate("the ten seconds are over")
    act = offered["act"]
    reverser: Reverser = load(next(duty.reversers[act] for duty in DUTIES if act in duty.reversers))
    reverser(user, offered["values"], now)
