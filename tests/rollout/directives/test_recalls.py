# SPDX-License-Identifier: Apache-2.0
"""A recall that came from another office waits for one answer; one of this office waits for none."""

import pytest
from tests.builders.directives import NOW

from bluezone.rollout.directives.inbox import dispatch_acts
from bluezone.rollout.directives.issuance import approval
from bluezone.rollout.directives.models import Directive, DispatchState


@pytest.fixture
def recalled(directive, clerk):
    """A dispatch of a letter that its issuer has recalled, and one to which it was passed on."""
    top = directive.dispatches.get(agency__key="ubnd-phuong-song-cau")
    below = directive.dispatches.get(agency__key="ubnd-phuong-duc-xuan")
    dispatch_acts.move(top, DispatchState.RECEIVED, clerk, NOW)
    approval.revoke(directive, "Ban hành nhầm", clerk, NOW)
    type(below).objects.filter(pk=below.pk).update(parent=top)
    return top, below


def read_again(dispatch):
    return type(dispatch).objects.select_related("directive").get(pk=dispatch.pk)


def test_the_recall_of_a_letter_of_this_office_waits_for_no_answer(recalled, clerk):
    top = read_again(recalled[0])

    assert not dispatch_acts.waits_for_answer(top)
    with pytest.raises(dispatch_acts.ActOutOfOrder):
        dispatch_acts.answer_recall(top, True, clerk, NOW)


def test_the_recall_of_another_office_waits_for_one_answer_of_whoever_got_it_from_there(recalled, directive, clerk):
    Directive.objects.filter(pk=directive.pk).update(from_file=True)
    top, below = map(read_again, recalled)
    assert (dispatch_acts.waits_for_answer(top), dispatch_acts.waits_for_answer(below)) == (True, False)
    dispatch_acts.answer_recall(top, True, clerk, NOW)

    assert not dispatch_acts.waits_for_answer(top)
    with pytest.raises(dispatch_acts.ActOutOfOrder):
        dispatch_acts.answer_recall(top, False, clerk, NOW)
