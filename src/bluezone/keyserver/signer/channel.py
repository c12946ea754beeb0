# SPDX-License-Identifier: Apache-2.0
"""Messages between the processes of one machine over a Unix socket.

A caller keeps its connection open. The listener learns the caller's user from the kernel (SO_PEERCRED), not from the
message.

A message is one byte (of a request: its kind; of an answer: its outcome), the length of the body in four bytes, and the
body.
"""

import contextlib
import errno
import os
import selectors
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue

from bluezone.shortage import PAUSE_SECONDS, is_shortage

FRAME = struct.Struct(">BI")
# The listener checks at least this often whether it was stopped.
STOP_CHECK_SECONDS = 0.5
# Most messages arrive whole with the first read.
_FIRST_READ_BYTES = 64 * 1024
# Requests that are answered together; with more, early callers would wait. The signer's client has the same limit.
BATCH_SIZE = 16
# How long an answer may take. Making the first week keys, or a page, takes long; everything else takes milliseconds.
PATIENCE_SECONDS = 120.0
_CONNECT_SECONDS = 5.0
# How long the listener waits for the next bytes of a request. A slower caller blocks only its own connections.
_BODY_SECONDS = 10.0
# struct ucred: the ids of process, user and group.
_CREDENTIALS = struct.Struct("iII")


@contextmanager
def address_of(path: Path) -> Iterator[str]:
    """The address of a socket for bind or connect. Linux limits an address to 107 bytes; the path may be longer."""
    if len(os.fsencode(path)) < 100 or not hasattr(os, "O_PATH"):
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


class Caller:
    """The calling side, usable from any thread: each thread has its own connection.

    path: the socket's. most_bytes: the longest body of an answer that is accepted.
    """

    def __init__(self, path: Path, most_bytes: int) -> None:
        self.path = path
        self._most_bytes = most_bytes
        self._local = threading.local()

    def exchange(
        self, first: int, body: bytes, repeatable: bool = True, seconds: float = PATIENCE_SECONDS
    ) -> tuple[int, bytes]:
        """Send a request; returns the first byte and the body of the answer.

        first: the first byte of the request. repeatable: whether the request may be sent a second time if no answer
        came. seconds: how long one read or write may wait. Raises TimeoutError if it took longer, else OSError.
        """
        message = FRAME.pack(first, len(body)) + body
        connection: socket.socket | None = getattr(self._local, "channel", None)
        if connection is not None and self._local.seconds != seconds:
            _limit_wait(connection, seconds)
            self._local.seconds = seconds
        try:
            # A request that may not be repeated is not sent on a broken connection.
            if connection is not None and (repeatable or _is_idle(connection)):
                try:
                    return self._exchange_on(connection, message)
                except BlockingIOError:
                    # The other end is there but hangs.
                    raise
                except OSError:
                    # The listener may have been replaced by a new one.
                    if not repeatable:
                        raise
            return self._exchange_on(self._connect(seconds), message)
        except BlockingIOError:
            self._drop()
            raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)) from None
        except OSError:
            self._drop()
            raise

    def _connect(self, seconds: float) -> socket.socket:
        self._drop()
        channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._local.channel = channel
        channel.settimeout(_CONNECT_SECONDS)
        with address_of(self.path) as address:
            channel.connect(address)
        channel.settimeout(None)
        _limit_wait(channel, seconds)
        self._local.seconds = seconds
        return channel

    def _drop(self) -> None:
        channel = getattr(self._local, "channel", None)
        if channel is not None:
            channel.close()
        self._local.channel = None

    def _exchange_on(self, channel: socket.socket, message: bytes) -> tuple[int, bytes]:
        channel.sendall(message)
        return _receive(channel, lambda _first: self._most_bytes)


class Listener:
    """The answering side, with a thread for each connection.

    path: the socket's. allowed: the uids that may connect, each with up to `most_each` connections at a time.
    longest: takes a request's first byte, returns the most bytes its body may have; below 0 if the byte is invalid.
    answer: takes first byte, body and uid of a request, returns first byte and body of the answer. If it raises OSError
    or ValueError, the connection ends.
    refused: called with the uid of a caller that may not connect.
    """

    def __init__(
        self,
        path: Path,
        allowed: Container[int],
        most_each: int,
        longest: Callable[[int], int],
        answer: Callable[[int, bytes, int], tuple[int, bytes]],
        refused: Callable[[int], object],
    ) -> None:
        self._path = path
        self._allowed = allowed
        self._most_each = most_each
        self._longest = longest
        self._answer = answer
        self._refused = refused
        self._open_count: Counter[int] = Counter()
        self._channels: dict[socket.socket, threading.Thread | None] = {}
        self._connections_lock = threading.Lock()
        self._stopped = threading.Event()
        temporary_path = path.with_name(f".{os.getpid()}{path.name}")
        temporary_path.unlink(missing_ok=True)
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with address_of(temporary_path) as address:
            self._listening.bind(address)
        # Any user may connect to the file; `_admit` checks the uid.
        temporary_path.chmod(0o666)
        self._listening.listen(64)
        self._listening.settimeout(STOP_CHECK_SECONDS)
        temporary_path.replace(path)
        self._inode = path.stat().st_ino

    def stop(self) -> None:
        """Let `run` end."""
        self._stopped.set()

    def run(self, look: Callable[[], object] = lambda: None) -> None:
        """Answer until `stop`, then finish the requests that have arrived.

        look: called at least every STOP_CHECK_SECONDS, for the caller's own checks.
        """
        try:
            while not self._stopped.is_set():
                look()
                self._wait()
        finally:
            self._listening.close()
            with self._connections_lock:
                threads = tuple(filter(None, self._channels.values()))
                for channel in self._channels:
                    with contextlib.suppress(OSError):
                        channel.shutdown(socket.SHUT_RD)
            for thread in threads:
                thread.join()
            # Another listener may have replaced the socket meanwhile.
            if self._path.exists() and self._path.stat().st_ino == self._inode:
                self._path.unlink()

    def _wait(self) -> None:
        """Wait for a connection, STOP_CHECK_SECONDS at most."""
        try:
            channel, _ = self._listening.accept()
        except TimeoutError:
            return
        except OSError as error:
            if not is_shortage(error):
                raise
            self._pause_accepting()
            return
        self._admit(channel)

    def _pause_accepting(self) -> None:
        """Wait a moment, because no descriptor is free for the connection that waits."""
        self._stopped.wait(PAUSE_SECONDS)

    def _admit(self, channel: socket.socket) -> None:
        credentials = channel.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        _, uid, _ = _CREDENTIALS.unpack(credentials)
        with self._connections_lock:
            if uid in self._allowed and self._open_count[uid] < self._most_each:
                self._open_count[uid] += 1
                _limit_wait(channel, _BODY_SECONDS)
                self._begin(channel, uid)
                return
        self._refused(uid)
        channel.close()

    def _begin(self, channel: socket.socket, uid: int) -> None:
        thread = threading.Thread(target=self._serve, args=(channel, uid), daemon=True)
        self._channels[channel] = thread
        thread.start()

    def _serve(self, channel: socket.socket, uid: int) -> None:
        try:
            while not self._stopped.is_set():
                try:
                    received = channel.recv(_FIRST_READ_BYTES)
                except BlockingIOError:
                    # No request has arrived.
                    continue
                if not received:
                    return
                self._exchange(channel, uid, received)
        except (OSError, ValueError):
            # Invalid bytes end only their own connection.
            return
        finally:
            self._end(channel, uid)

    def _exchange(self, channel: socket.socket, uid: int, received: bytes) -> None:
        """Receive the rest of a message and answer it. Raises OSError, ValueError."""
        request, body = _receive(channel, self._longest, received)
        first, answer = self._answer(request, body, uid)
        channel.sendall(FRAME.pack(first, len(answer)) + answer)

    def _end(self, channel: socket.socket, uid: int) -> None:
        channel.close()
        with self._connections_lock:
            self._open_count[uid] -= 1
            self._channels.pop(channel, None)


class BatchListener(Listener):
    """A listener that answers all requests that have arrived together, in the thread of `run`.

    Only one thread has to wake up, and the writes of these requests share a commit.
    together: takes first byte and body of each request, returns an answer for each. For None, `answer` is called in a
    separate thread, as it is for requests that arrive in pieces.
    """

    def __init__(
        self,
        path: Path,
        allowed: Container[int],
        most_each: int,
        longest: Callable[[int], int],
        answer: Callable[[int, bytes, int], tuple[int, bytes]],
        refused: Callable[[int], object],
        together: Callable[[list[tuple[int, bytes]]], list[tuple[int, bytes] | None]],
    ) -> None:
        super().__init__(path, allowed, most_each, longest, answer, refused)
        self._together = together
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listening, selectors.EVENT_READ)
        # When to watch it again, in monotonic seconds; 0 while it is watched.
        self._accept_again_at = 0.0
        # Connections that a separate thread has answered, and the pair of sockets by which it wakes `run`.
        self._returned: SimpleQueue[tuple[socket.socket, int]] = SimpleQueue()
        self._wake_receiver, self._wake_sender = socket.socketpair()
        self._wake_sender.setblocking(False)
        self._selector.register(self._wake_receiver, selectors.EVENT_READ)

    def run(self, look: Callable[[], object] = lambda: None) -> None:
        """Like `Listener.run`, but closes all connections at the end."""
        try:
            super().run(look)
        finally:
            self._selector.close()
            for channel in (self._wake_receiver, self._wake_sender, *self._channels):
                channel.close()

    def _begin(self, channel: socket.socket, uid: int) -> None:
        self._channels[channel] = None
        self._selector.register(channel, selectors.EVENT_READ, uid)

    def _wait(self) -> None:
        """Wait for requests, and answer them."""
        complete: list[tuple[socket.socket, int, bytes]] = []
        if self._accept_again_at and time.monotonic() >= self._accept_again_at:
            self._accept_again_at = 0.0
            self._selector.register(self._listening, selectors.EVENT_READ)
        for key, _ in self._selector.select(STOP_CHECK_SECONDS):
            if key.fileobj is self._listening:
                super()._wait()
            elif key.fileobj is self._wake_receiver:
                self._watch_returned()
            else:
                channel: socket.socket = key.fileobj  # type: ignore[assignment]
                received = _receive_available(channel)
                if not received:
                    self._disconnect(channel, key.data)
                elif _is_whole(received, self._longest):
                    complete.append((channel, key.data, received))
                    if len(complete) == BATCH_SIZE:
                        # The next round answers the remaining requests.
                        break
                else:
                    self._answer_in_thread(channel, key.data, received)
        if complete:
            self._answer_together(complete)

    def _pause_accepting(self) -> None:
        # The other connections are answered meanwhile.
        self._selector.unregister(self._listening)
        self._accept_again_at = time.monotonic() + STOP_CHECK_SECONDS

    def _answer_together(self, complete: list[tuple[socket.socket, int, bytes]]) -> None:
        answers = self._together([(message[0], message[FRAME.size :]) for _, _, message in complete])
        for (channel, uid, message), answer in zip(complete, answers, strict=True):
            if answer is None:
                self._answer_in_thread(channel, uid, message)
                continue
            frame = FRAME.pack(answer[0], len(answer[1])) + answer[1]
            try:
                # If a caller does not read its answers, its buffer is full; it is cut off rather than waited for.
                sent = channel.send(frame, socket.MSG_DONTWAIT)
            except OSError:
                sent = 0
            if sent != len(frame):
                self._disconnect(channel, uid)

    def _disconnect(self, channel: socket.socket, uid: int) -> None:
        self._selector.unregister(channel)
        self._end(channel, uid)

    def _answer_in_thread(self, channel: socket.socket, uid: int, received: bytes) -> None:
        self._selector.unregister(channel)
        thread = threading.Thread(target=self._answer_one, args=(channel, uid, received), daemon=True)
        with self._connections_lock:
            self._channels[channel] = thread
        thread.start()

    def _answer_one(self, channel: socket.socket, uid: int, received: bytes) -> None:
        try:
            self._exchange(channel, uid, received)
        except (OSError, ValueError):
            self._end(channel, uid)
            return
        self._returned.put((channel, uid))
        with contextlib.suppress(OSError):
            self._wake_sender.send(b"\0")

    def _watch_returned(self) -> None:
        """Wait for requests again on the connections that separate threads have answered."""
        self._wake_receiver.recv(4096)
        with contextlib.suppress(Empty):
            while True:
                channel, uid = self._returned.get_nowait()
                with self._connections_lock:
                    self._begin(channel, uid)


def _receive_available(channel: socket.socket) -> bytes:
    """The bytes that have arrived on a connection; none if it has ended."""
    try:
        return channel.recv(_FIRST_READ_BYTES, socket.MSG_DONTWAIT)
    except OSError:
        return b""


def _is_whole(received: bytes, longest: Callable[[int], int]) -> bool:
    """Whether the bytes are exactly one message of an allowed length."""
    if len(received) < FRAME.size:
        return False
    first, length = FRAME.unpack_from(received)
    return len(received) == FRAME.size + length and bool(length <= longest(first))


def _limit_wait(channel: socket.socket, seconds: float) -> None:
    """Limit how long one read or write may wait: in the kernel, because Python's timeout needs a second system call."""
    whole_seconds = int(seconds)
    microseconds = int((seconds - whole_seconds) * 1e6)
    for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        channel.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", whole_seconds, microseconds))


def _is_idle(channel: socket.socket) -> bool:
    """Whether the connection is open, and nothing has arrived since the last answer."""
    try:
        channel.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False


def _receive(channel: socket.socket, longest: Callable[[int], int], received: bytes = b"") -> tuple[int, bytes]:
    """The first byte and the body of one message. received: the part of it that was already read.

    Raises ConnectionError if the other end is gone, if the message is too long, or if a second one follows at once.
    """
    message = received or _receive_some(channel, _FIRST_READ_BYTES)
    while len(message) < FRAME.size:
        message += _receive_some(channel, FRAME.size - len(message))
    first, length = FRAME.unpack_from(message)
    size = FRAME.size + length
    if length > longest(first) or len(message) > size:
        raise ConnectionError("the message is too long")
    if len(message) < size:
        # A buffer that grows: `bytes` would be copied at each read.
        buffer = bytearray(message)
        while len(buffer) < size:
            buffer += _receive_some(channel, min(size - len(buffer), 1 << 20))
        message = bytes(buffer)
    return first, message[FRAME.size :]


def _receive_some(channel: socket.socket, most: int) -> bytes:
    """At least one byte, at most `most`. Raises ConnectionError if the other end is gone."""
    received = channel.recv(most)
    if not received:
        raise ConnectionError("the other end is gone")
    return received
