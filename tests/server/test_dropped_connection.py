# SPDX-License-Identifier: Apache-2.0
"""A real `serve` whose database drops a connection at any moment of a start: it becomes ready, without a traceback."""

import random

import pytest
from tests.builders.relay import relayed_postgresql
from tests.builders.serving import start

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(1800)]
# Messages to the database until a later start is over, more or less; a first one has four times as many.
MESSAGES = 580
MESSAGES_AT_FIRST = 2400
TRACEBACK = '\n  File "'


def starts_with_drops(folder, at_first, later):
    """Start a first time and again after that, each with a connection dropped at one of these messages.

    Returns how many were dropped.
    """
    dropped = 0
    with relayed_postgresql() as (relay, address):
        data = folder / "data"
        for message in (at_first, *later):
            relay.drop_connection_at(message)
            served = start(data, "--hotline", "0209 3870 000", environment={"BLUEZONE_DATABASE_URL": address})
            dropped += relay.messages >= message
            assert TRACEBACK not in served.output, served.output
            served.process.terminate()
            served.process.communicate(timeout=120)
    return dropped


def test_a_start_goes_on_after_a_connection_was_dropped(tmp_path):
    # The worker opens its stores at the second.
    assert starts_with_drops(tmp_path, 1200, [97, 138]) == 3


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_a_start_goes_on_whenever_a_connection_was_dropped(tmp_path, seed):
    rng = random.Random(seed)
    later = rng.sample(range(1, MESSAGES), 12)

    # Some starts are ready before the message at which the connection is to be dropped, on a fast machine more of them.
    assert starts_with_drops(tmp_path, rng.randrange(1, MESSAGES_AT_FIRST), later) > 5
