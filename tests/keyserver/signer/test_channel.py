# SPDX-License-Identifier: Apache-2.0
"""What a process hears from another over its socket: whole messages of a bounded length, from users it knows."""

import contextlib
import os
import threading

import pytest

from bluezone.keyserver.signer.channel import Caller, Listener

LONGEST = 10


@contextlib.contextmanager
def listening(path, allowed, heard):
    listener = Listener(
        path, allowed, 4, lambda _first: LONGEST, lambda first, body, _uid: heard.append(body) or (first, body), id
    )
    thread = threading.Thread(target=listener.run)
    thread.start()
    try:
        yield Caller(path, 100)
    finally:
        listener.stop()
        thread.join()


def test_a_body_of_the_longest_length_is_answered_and_one_byte_more_is_not_even_heard(tmp_path):
    heard = []
    with listening(tmp_path / "socket", {os.getuid()}, heard) as caller:
        assert caller.exchange(1, bytes(LONGEST)) == (1, bytes(LONGEST))
        with pytest.raises(OSError):
            caller.exchange(1, bytes(LONGEST + 1), repeatable=False)

    assert [len(body) for body in heard] == [LONGEST]


def test_a_user_that_is_not_named_is_not_heard(tmp_path):
    heard = []
    with listening(tmp_path / "socket", {os.getuid() + 1}, heard) as caller, pytest.raises(OSError):
        caller.exchange(1, b"")

    assert heard == []
