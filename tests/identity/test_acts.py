# SPDX-License-Identifier: Apache-2.0
"""A refused act is told, the rest of it is left out, and the page of a form has the status of what is wrong."""

import pytest
from django import forms
from django.contrib.messages import WARNING, get_messages
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpRequest

from bluezone.identity import acts
from bluezone.refusal import Refused


class Late(Refused):
    """A refusal of its own kind."""

    code = "late"


class NameForm(forms.Form):
    """One field that must be there."""

    name = forms.CharField()


def _request() -> HttpRequest:
    request = HttpRequest()
    request._messages = CookieStorage(request)  # type: ignore[attr-defined]
    return request


def _said(refused: Refused) -> str:
    return f"Refused: {refused.code}."


def test_a_refused_act_is_told_and_the_rest_of_it_left_out() -> None:
    request, done = _request(), []
    with acts.refusals_as_messages(request, _said, level=WARNING):
        done.append("begun")
        raise Late("too late")
    with acts.refusals_as_messages(request, _said):
        done.append("another")
    assert done == ["begun", "another"]
    assert [(one.level, str(one)) for one in get_messages(request)] == [(WARNING, "Refused: late.")]


def test_a_refusal_of_another_kind_and_an_error_of_the_program_go_through() -> None:
    request = _request()
    with pytest.raises(Refused), acts.refusals_as_messages(request, "Too late.", kinds=Late):
        raise Refused("something else")
    with pytest.raises(ValueError, match="a fault"), acts.refusals_as_messages(request, _said):
        raise ValueError("a fault")
    assert not list(get_messages(request))


@pytest.mark.parametrize(("conflict", "status"), [(False, 422), (True, 409)])
def test_a_refusal_stands_at_its_field_and_gives_the_page_its_status(conflict: bool, status: int) -> None:
    form = NameForm({"name": "100% taken"})
    assert form.is_valid()
    assert acts.form_status(form) == 200
    with acts.refusals_as_form_errors(form, "100% of the names are taken.", field="name", conflict=conflict):
        raise Late("too late")
    assert form.errors == {"name": ["100% of the names are taken."]}
    assert acts.form_status(form) == status


def test_a_form_not_yet_sent_is_right_and_one_left_empty_is_to_be_corrected() -> None:
    assert acts.form_status(NameForm()) == 200
    assert acts.form_status(NameForm({})) == 422
