# SPDX-License-Identifier: Apache-2.0
"""Which of several states told by another office counts."""

import datetime

import pytest
from tests.builders.directives import NOW

from bluezone.rollout.directives.exchange import arrivals
from bluezone.rollout.directives.exchange.edxml import Organisation, ResponseFor, StatusCode, StatusMessage
from bluezone.rollout.directives.models import ExchangedFile

HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def dispatch(directive):
    return directive.dispatches.get(agency__key="ubnd-phuong-song-cau")


@pytest.fixture
def told(dispatch, clerk):
    """Read a state in, said at one time and read at another; where the dispatch stands then."""

    def tell(status, said_at, read_at):
        about = ResponseFor("28.22.H17", dispatch.directive.code, dispatch.directive.date, "")
        message = StatusMessage(about, Organisation("05.28.22.H17", "Phường"), StatusCode(status), said_at, "lý do")
        arrivals.believe(dispatch, message, clerk, read_at)
        ExchangedFile.objects.create(
            direction="in", kind="status", status=status, said_at=said_at, at=read_at, user=clerk, dispatch=dispatch,
            directive=dispatch.directive, digest=f"{status}{said_at}"[:64], sha256="", document_id="",
        )  # fmt: skip
        dispatch.refresh_from_db()
        return dispatch.state

    return tell


@pytest.mark.long
def test_the_state_said_last_counts_whatever_the_order_of_reading(told):
    assert told("05", NOW + 2 * HOUR, NOW + 3 * HOUR) == "in_progress"
    assert told("03", NOW + HOUR, NOW + 4 * HOUR) == "in_progress"
    assert told("02", NOW + 3 * HOUR, NOW + 5 * HOUR) == "sent_back"


def test_of_two_states_said_in_one_second_the_further_one_counts(told):
    assert told("06", NOW, NOW) == "done"
    assert told("03", NOW, NOW) == "done"


def test_a_clock_that_is_years_ahead_silences_nothing(told):
    assert told("03", NOW + 50_000 * HOUR, NOW + HOUR) == "received"
    assert told("06", NOW + 2 * HOUR, NOW + 2 * HOUR) == "done"


def test_an_answer_to_a_recall_moves_nothing_and_is_in_the_log(told, dispatch):
    assert told("15", NOW, NOW) == "arrived"
    assert dispatch.events.first().note == "15 lý do"
