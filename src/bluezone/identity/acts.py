# SPDX-License-Identifier: Apache-2.0
"""What an office page does with an act that is refused: it says why, and nothing else happens.

The body of the `with` is the whole act: do it, say that it is done, offer to undo it, lead on. Where the act is
refused, the rest of the body is left out and the view goes on after it.

    with acts.tell_refusals(request, sentence_of):
        things.close(thing, request.user, now)
        messages.success(request, _("It is closed."))
    return redirect("thing", pk)

    if request.method == "POST" and form.is_valid():
        with acts.show_refusals(form, sentence_of, at="name"):
            made = things.make(form.cleaned_data["name"])
            return redirect("thing", made.pk)
    return render(request, "thing_new.html", {"form": form}, status=acts.status_of(form))
"""

from collections.abc import Callable
from types import TracebackType

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.forms import BaseForm
from django.http import HttpRequest

from bluezone.refusal import Refused

# A sentence for the reader, or what makes it of the refusal.
Saying = str | Callable[[Refused], str]
Kinds = type[Refused] | tuple[type[Refused], ...]
_CONFLICT = "conflict"


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
    code = _CONFLICT if conflict else None
    return _Caught(of, saying, lambda sentence: form.add_error(at, ValidationError(sentence, code=code)))


def status_of(form: BaseForm) -> int:
    """The status of a page that shows this form: 200 nothing wrong, 409 refused as a conflict, 422 to be corrected."""
    found = [error.code for errors in form.errors.as_data().values() for error in errors]
    if _CONFLICT in found:
        return 409
    return 422 if found else 200
