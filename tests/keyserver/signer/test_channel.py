# SPDX-License-Identifier: Apache-2.0
"""What a process hears from another over its socket: whole messages of a bounded length, from users it knows."""

import contextlib
import os
import select
import socket
import threading

import pytest

from bluezone.keyserver.keys.keyfolder import SignerAway
from bluezone.keyserver.signer.channel import FRAME, BatchListener, Caller, Listener
from bluezone.keyserver.signer.client import Connection, Operation

LONGEST = 10


def aside(come):
    return [None] * len(come)


@contextlib.contextmanager
def listening(path, allowed, heard, together=None):
    answers = (lambda _first: LONGEST, lambda first, body, _uid: heard.append(body) or (first, body), id)
    listener = BatchListener(path, allowed, 4, *answers, together) if together else Listener(path, allowed, 4, *answers)
    thread = threading.Thread(target=listener.run)
    thread.start()
    try:
        yield Caller(path, 100)
    finally:
        listener.stop()
        thread.join()


@pytest.mark.parametrize("together", [None, aside])
def test_a_body_of_the_longest_length_is_answered_and_one_byte_more_is_not_even_heard(tmp_path, together):
    heard = []
    with listening(tmp_path / "socket", {os.getuid()}, heard, together) as caller:
        assert caller.exchange(1, bytes(LONGEST)) == (1, bytes(LONGEST))
        with pytest.raises(OSError):
            caller.exchange(1, bytes(LONGEST + 1), repeatable=False)

    assert [len(body) for body in heard] == [LONGEST]


def test_a_signer_that_hangs_is_waited_for_once_and_let_alone_for_a_while(tmp_path):
    heard, begun, go_on = [], threading.Event(), threading.Event()

    def hang(first, _body, _uid):
        heard.append(first)
        begun.set()
        go_on.wait()
        return 0, b""

    listener = Listener(tmp_path / "socket", {os.getuid()}, 4, lambda _first: LONGEST, hang, id)
    thread = threading.Thread(target=listener.run)
    thread.start()
    connection = Connection(tmp_path / "socket", blind_seconds=0.05)
    try:
        for _ in range(3):
            with pytest.raises(SignerAway):
                connection.request_operation(Operation.BLIND)
        with pytest.raises(SignerAway):
            connection.require_answer()
        begun.wait()
    finally:
        go_on.set()
        listener.stop()
        thread.join()
    assert heard == [Operation.BLIND]


@pytest.mark.parametrize("together", [None, aside])
def test_a_user_that_is_not_named_is_not_heard(tmp_path, together):
    heard = []
    with listening(tmp_path / "socket", {os.getuid() + 1}, heard, together) as caller, pytest.raises(OSError):
        caller.exchange(1, b"")

    assert heard == []


def connected(path):
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    channel.connect(str(path))
    channel.settimeout(60)
    return channel


def message(body):
    return FRAME.pack(1, len(body)) + body


def test_what_came_meanwhile_is_answered_at_one_go_and_what_is_left_aside_holds_nobody_up(tmp_path):
    path, heard, rounds = tmp_path / "socket", [], []
    begun, go_on = threading.Event(), threading.Event()

    def together(come):
        rounds.append([body for _, body in come])
        begun.set()
        go_on.wait(60)
        return [None if body == b"long" else (first, body.upper()) for first, body in come]

    with listening(path, {os.getuid()}, heard, together), contextlib.ExitStack() as stack:
        channels = one, two, three, four = [stack.enter_context(connected(path)) for _ in range(4)]
        go_on.set()
        for channel in channels:
            channel.sendall(message(b"hello"))
            assert channel.recv(100) == message(b"HELLO")
        begun.clear()
        go_on.clear()
        rounds.clear()
        one.sendall(message(b"one"))
        assert begun.wait(60)
        # All are there before the first is answered.
        two.sendall(message(b"two"))
        three.sendall(message(b"long"))
        four.sendall(message(b"four")[:7])
        go_on.set()
        assert one.recv(100) == message(b"ONE")
        assert two.recv(100) == message(b"TWO")
        assert three.recv(100) == message(b"long"), "answered in a thread of its own"
        four.sendall(message(b"four")[7:])
        assert four.recv(100) == message(b"four"), "what did not come whole is answered there too"
        for channel, body in ((three, b"back"), (four, b"too")):
            channel.sendall(message(body))
            assert channel.recv(100) == message(body.upper()), "its connection is among the others again"

    assert rounds[0] == [b"one"]
    assert sorted(rounds[1]) == [b"long", b"two"]
    assert heard == [b"long", b"four"]


def test_whoever_takes_no_answer_away_holds_nobody_up(tmp_path):
    path = tmp_path / "socket"
    large = bytes(1 << 20)

    with listening(path, {os.getuid()}, [], lambda come: [(first, large) for first, _ in come]) as caller:
        with connected(path) as silent:
            silent.sendall(message(b"x"))
            # It does not fit while nobody takes it away, so its connection ends.
            hung_up = select.poll()
            hung_up.register(silent, select.POLLRDHUP)
            assert hung_up.poll(600_000)
            # What came of it first, then nothing.
            while silent.recv(1 << 16):
                pass
        with pytest.raises(OSError):
            caller.exchange(1, b"y", repeatable=False)
