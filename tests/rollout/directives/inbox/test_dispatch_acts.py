# SPDX-License-Identifier: Apache-2.0
"""What an agency may do with a letter, in which order, and for how long a tap is taken back."""

import datetime

import pytest
from tests.builders.agencies import agency_values
from tests.builders.directives import DAY, NOW, door_to_door, person

from bluezone.directory.models import Agency
from bluezone.directory.records.changes import save_agency
from bluezone.identity.acts import UndoTooLate
from bluezone.rollout.directives.inbox import dispatch_acts
from bluezone.rollout.directives.models import Directive, DispatchState

SECOND = datetime.timedelta(seconds=1)


@pytest.fixture
def ward(committee):
    return Agency.objects.get(key="ubnd-phuong-song-cau")


@pytest.fixture
def dispatch(directive, ward):
    return directive.dispatches.get(agency=ward)


@pytest.fixture
def officer(ward):
    return person("officer", "officer", ward)


def test_a_tap_is_offered_back_for_ten_seconds_and_taken_back_for_five_more(dispatch, officer, clerk):
    dispatch_acts.move(dispatch, DispatchState.RECEIVED, officer, NOW)

    offered = [dispatch_acts.may_undo(dispatch, officer, NOW + late * SECOND) for late in (0, 10, 11)]
    assert offered == [True, True, False]
    assert not dispatch_acts.may_undo(dispatch, clerk, NOW), "another's tap"
    for user, late in ((clerk, 0), (officer, 16)):
        with pytest.raises(UndoTooLate):
            dispatch_acts.undo(dispatch, user, NOW + late * SECOND)
    dispatch_acts.undo(dispatch, officer, NOW + 15 * SECOND)
    assert (dispatch.state, dispatch.incoming_number) == ("arrived", 1)
    assert not dispatch_acts.may_undo(dispatch, officer, NOW + 15 * SECOND), "taking back is no tap"
    with pytest.raises(UndoTooLate):
        dispatch_acts.undo(dispatch, officer, NOW + 15 * SECOND)


def test_what_says_more_than_a_tap_is_not_taken_back(dispatch, officer):
    dispatch_acts.move(dispatch, DispatchState.SENT_BACK, officer, NOW, note="Gửi nhầm" * 50)

    assert not dispatch_acts.may_undo(dispatch, officer, NOW)
    with pytest.raises(UndoTooLate):
        dispatch_acts.undo(dispatch, officer, NOW)
    assert dispatch.reason == dispatch.events.first().note == ("Gửi nhầm" * 50)[:300]


def test_each_agency_counts_what_it_receives_in_each_year(directive, dispatch, officer, clerk):
    other = directive.dispatches.exclude(pk=dispatch.pk).first()
    dispatch_acts.move(dispatch, DispatchState.RECEIVED, officer, NOW)
    dispatch_acts.move(other, DispatchState.RECEIVED, clerk, NOW)
    assert (dispatch.incoming_number, other.incoming_number) == (1, 1)

    for state in (DispatchState.SENT_BACK, DispatchState.RECEIVED):
        dispatch_acts.move(dispatch, state, officer, NOW + 200 * DAY, note="x")
    assert (dispatch.incoming_number, dispatch.incoming_year, dispatch.received_at) == (1, 2020, NOW), (
        "it keeps its own"
    )
    dispatch_acts.move(dispatch, DispatchState.ASSIGNED, officer, NOW, assigned_to="a" * 200)
    assert dispatch.assigned_to == "a" * 120


def test_it_is_noted_once_that_a_letter_was_opened(dispatch, officer):
    dispatch_acts.open_it(dispatch, officer, NOW)
    dispatch_acts.open_it(dispatch, officer, NOW + DAY)
    dispatch.refresh_from_db()

    assert dispatch.opened_at == NOW
    assert [event.what for event in dispatch.events.all()].count("opened") == 1


def test_a_letter_is_passed_on_to_who_answers_to_the_agency_or_serves_its_territory(directive, dispatch, officer, ward):
    school, union = (
        save_agency("clerk", None, agency_values(ward.unit, name=name, kind=kind))
        for name, kind in (("Trường Tiểu học", "school"), ("UBND khác", "committee"))
    )
    city, neighbour = directive.issuer, Agency.objects.get(key="ubnd-phuong-duc-xuan")
    below = [(school, ward), (ward, city), (school, city)]
    apart = [(ward, ward), (city, ward), (neighbour, ward), (ward, school), (union, ward), (union, school)]

    assert [dispatch_acts.is_below(*pair) for pair in below] == [True] * 3
    assert [dispatch_acts.is_below(*pair) for pair in apart] == [False] * 6
    with pytest.raises(dispatch_acts.ActOutOfOrder):
        dispatch_acts.pass_on(dispatch, [school], officer, NOW)
    dispatch_acts.move(dispatch, DispatchState.SENT_BACK, officer, NOW, note="x")
    with pytest.raises(dispatch_acts.ActOutOfOrder):
        dispatch_acts.pass_on(dispatch, [school], officer, NOW)


def test_only_a_recall_from_another_office_waits_for_an_answer_and_once(directive, dispatch, officer):
    def waits():
        dispatch.refresh_from_db()
        return dispatch_acts.waits_for_answer(dispatch)

    dispatch.events.create(what="revoked", at=NOW)
    assert not waits(), "the office's own letter"
    Directive.objects.filter(pk=directive.pk).update(from_file=True)
    dispatch = directive.dispatches.get(pk=dispatch.pk)
    assert waits()
    dispatch_acts.answer_recall(dispatch, False, officer, NOW)
    assert (waits(), dispatch.events.first().what) == (False, "declined")
    with pytest.raises(dispatch_acts.ActOutOfOrder):
        dispatch_acts.answer_recall(dispatch, True, officer, NOW)
    dispatch.events.create(what="updated", at=NOW)
    dispatch_acts.answer_recall(dispatch, True, officer, NOW)
    assert dispatch.events.first().what == "agreed"


def test_more_time_has_a_day_of_its_own_only_where_it_is_granted(directive, ward, officer, signer):
    task, days = door_to_door(directive), [NOW.date() + number * DAY for number in (40, 50)]
    asked = dispatch_acts.ask(task, ward, "extension", "Mưa", officer, NOW, days[0])
    assert dispatch_acts.answer(asked, False, "x" * 400, signer, NOW) is None
    assert (task.parties.get(agency=ward).due, asked.state, asked.answer) == (None, "declined", "x" * 300)
    other = dispatch_acts.ask(task, ward, "change", "Sai tên", officer, NOW, days[0])
    assert other.until is None
    dispatch_acts.answer(other, True, "", signer, NOW)
    assert task.parties.get(agency=ward).due is None
    again = dispatch_acts.ask(task, ward, "extension", "Mưa", officer, NOW, days[1])
    dispatch_acts.answer(again, True, "", signer, NOW)
    assert task.parties.get(agency=ward).due == days[1]

    with pytest.raises(UndoTooLate):
        dispatch_acts.take_answer_back(again.pk, None, officer)
    dispatch_acts.take_answer_back(again.pk, None, signer)
    assert task.parties.get(agency=ward).due is None


def test_who_is_not_named_or_would_ask_another_office_asks_nothing(directive, ward, officer):
    task = door_to_door(directive)
    with pytest.raises(dispatch_acts.NotAParty):
        dispatch_acts.ask(task, directive.issuer, "change", "x", officer, NOW)
    Directive.objects.filter(pk=directive.pk).update(from_file=True)
    task.refresh_from_db()
    with pytest.raises(dispatch_acts.IssuedElsewhere):
        dispatch_acts.ask(type(task).objects.get(pk=task.pk), ward, "change", "x", officer, NOW)
