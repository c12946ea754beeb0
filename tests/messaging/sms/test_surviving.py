# SPDX-License-Identifier: Apache-2.0
"""Many messages while the message centre and then the sender are killed in the middle: none lost, none doubled.

The message centre's own book, which it writes before it answers, says what telephones got.
"""

import os
import subprocess
import sys
import time
from collections import Counter

import pytest
from tests.builders.office import write_city
from tests.builders.smsc import Centre, join_parts
from tests.builders.smsprocess import number_of, states, text_of
from tests.builders.stores import prepared_store

OPEN = {"waiting", "sending", "sent"}


def start(folder, what, centre, *more):
    """One of our processes, as production runs it."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.builders.smsprocess", folder, what, *more],
        env={**os.environ, "BLUEZONE_SMS_URL": centre.address(rate=5000, window=20, references=1)},
        stdin=subprocess.PIPE,
    )


def wait_until(done, seconds=120.0):
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "took too long"
        time.sleep(0.1)


@pytest.mark.parametrize("messages", [150, pytest.param(1000, marks=pytest.mark.slow)])
def test_messages_survive_two_deaths(tmp_path, messages):
    folder = tmp_path / "data"
    write_city(folder, sms_segments_a_day=100_000, sms_segments_a_month=100_000)
    prepared_store(folder)
    with Centre(tmp_path) as centre:
        assert start(folder, "queue", centre, str(messages)).wait() == 0
        senders = [start(folder, "send", centre)]
        try:
            wait_until(lambda: centre.count() >= messages * 0.4)
            centre.kill()
            at_its_death = centre.count()
            centre.start()
            wait_until(lambda: centre.count() >= at_its_death + messages * 0.3)
            senders[0].kill()
            senders.append(start(folder, "send", centre))
            wait_until(lambda: not OPEN & set(states(folder)))
        finally:
            for sender in senders:
                sender.kill()
                sender.wait()
                sender.stdin.close()
        taken = centre.taken

    assert states(folder) == {"delivered": messages}
    shown = join_parts(taken)
    assert shown == {number_of(index)[1:]: [text_of(index)] for index in range(messages)}, "whole, and once each"
    parts = Counter((one["to"], tuple(one["udh"] or ())) for one in taken)
    assert max(parts.values()) == 1, "no part reached the message centre twice"
    assert len(taken) == messages + messages // 2
