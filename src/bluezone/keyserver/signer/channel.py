# SPDX-License-Identifier: Apache-2.0
"""Messages between processes of one machine over a Unix socket: who asks keeps a connection, who answers knows by the
kernel's word (SO_PEERCRED) which user asks, and not by what it says.

A message is one byte, four that say how long the rest is, and the rest; an answer has the same shape.
"""

import contextlib
import errno
import os
import selectors
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue

FRAME = struct.Struct(">BI")
LOOK_SECONDS = 0.5
# Most of what is said comes whole with the first look.
_AT_ONCE = 64 * 1024
# Answered at a time: whoever came first does not wait for a crowd, and as many as a signer signs at one go (client.py).
MOST_TOGETHER = 16
# Making the keys of a first week, or a page, may take so long; everything else takes milliseconds.
PATIENCE_SECONDS = 120.0
_CONNECT_SECONDS = 5.0
# How long the next bytes of a request may keep one waiting: whoever is slower holds no more than its own connections.
_BODY_SECONDS = 10.0
_PEER = struct.Struct("iII")


@contextmanager
def address_of(path: Path) -> Iterator[str]:
    """What a socket is bound or connected to: a path of any length, where an address has room for 107 bytes."""
    if len(os.fsencode(path)) < 100 or not hasattr(os, "O_PATH"):
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


class Caller:
    """Who asks, from any thread: each thread has a connection of its own.

    path: of the socket. most_bytes: of an answer.
    """

    def __init__(self, path: Path, most_bytes: int) -> None:
        self.path = path
        self._most_bytes = most_bytes
        self._mine = threading.local()

    def exchange(
        self, first: int, body: bytes, repeatable: bool = True, seconds: float = PATIENCE_SECONDS
    ) -> tuple[int, bytes]:
        """The first byte and the rest of the answer. repeatable: may be asked twice, where an answer did not come.

        seconds: how long one look may wait for it. Raises OSError, of which TimeoutError where it took longer.
        """
        message = FRAME.pack(first, len(body)) + body
        held: socket.socket | None = getattr(self._mine, "channel", None)
        if held is not None and self._mine.seconds != seconds:
            _limit_wait(held, seconds)
            self._mine.seconds = seconds
        try:
            # What may not be asked twice is not said to one that is gone.
            if held is not None and (repeatable or _is_there(held)):
                try:
                    return self._exchanged(held, message)
                except BlockingIOError:
                    # It is there, and hangs.
                    raise
                except OSError:
                    # Perhaps one that another has replaced.
                    if not repeatable:
                        raise
            return self._exchanged(self._connected(seconds), message)
        except BlockingIOError:
            self._drop()
            raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)) from None
        except OSError:
            self._drop()
            raise

    def _connected(self, seconds: float) -> socket.socket:
        self._drop()
        channel = self._mine.channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        channel.settimeout(_CONNECT_SECONDS)
        with address_of(self.path) as address:
            channel.connect(address)
        channel.settimeout(None)
        _limit_wait(channel, seconds)
        self._mine.seconds = seconds
        return channel

    def _drop(self) -> None:
        channel = getattr(self._mine, "channel", None)
        if channel is not None:
            channel.close()
        self._mine.channel = None

    def _exchanged(self, channel: socket.socket, message: bytes) -> tuple[int, bytes]:
        channel.sendall(message)
        return _receive(channel, lambda _first: self._most_bytes)


class Listener:
    """Who answers, each connection in a thread of its own.

    path: of the socket. allowed: the users who may connect, by uid; each holds `most_each` connections at a time.
    longest: how long a body may be that begins with a byte, below 0 for never. answer: makes the first byte and the
    rest of an answer of first byte, body and uid; an OSError or ValueError ends the connection. refused: told the uid
    of whoever may not connect.
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
        self._path, self._allowed, self._most_each = path, allowed, most_each
        self._longest, self._answer, self._refused = longest, answer, refused
        self._held: Counter[int] = Counter()
        self._channels: dict[socket.socket, threading.Thread | None] = {}
        self._counting = threading.Lock()
        self._stopped = threading.Event()
        aside = path.with_name(f".{os.getpid()}{path.name}")
        aside.unlink(missing_ok=True)
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with address_of(aside) as address:
            self._listening.bind(address)
        # Others may connect where they reach the folder; who they are is asked then.
        aside.chmod(0o666)
        self._listening.listen(64)
        self._listening.settimeout(LOOK_SECONDS)
        aside.replace(path)
        self._place = path.stat().st_ino

    def stop(self) -> None:
        """Let `run` end."""
        self._stopped.set()

    def run(self, look: Callable[[], object] = lambda: None) -> None:
        """Answer until `stop`; what has begun is finished. look: called at least every LOOK_SECONDS."""
        try:
            while not self._stopped.is_set():
                look()
                self._wait()
        finally:
            self._listening.close()
            with self._counting:
                threads = tuple(filter(None, self._channels.values()))
                for channel in self._channels:
                    with contextlib.suppress(OSError):
                        channel.shutdown(socket.SHUT_RD)
            for thread in threads:
                thread.join()
            # Another may have taken the place meanwhile.
            if self._path.exists() and self._path.stat().st_ino == self._place:
                self._path.unlink()

    def _wait(self) -> None:
        """Wait for somebody who connects, LOOK_SECONDS at most."""
        try:
            channel, _ = self._listening.accept()
        except TimeoutError:
            return
        self._welcome(channel)

    def _welcome(self, channel: socket.socket) -> None:
        _, uid, _ = _PEER.unpack(channel.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
        with self._counting:
            if uid in self._allowed and self._held[uid] < self._most_each:
                self._held[uid] += 1
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
                    begun = channel.recv(_AT_ONCE)
                except BlockingIOError:
                    # Nothing is asked now.
                    continue
                if not begun:
                    return
                self._exchange(channel, uid, begun)
        except (OSError, ValueError):
            # Bytes that are no request end their own connection alone.
            return
        finally:
            self._end(channel, uid)

    def _exchange(self, channel: socket.socket, uid: int, begun: bytes) -> None:
        """Answer the message that begins with some bytes. Raises OSError, ValueError."""
        first, answer = self._answer(*_receive(channel, self._longest, begun), uid)
        channel.sendall(FRAME.pack(first, len(answer)) + answer)

    def _end(self, channel: socket.socket, uid: int) -> None:
        channel.close()
        with self._counting:
            self._held[uid] -= 1
            self._channels.pop(channel, None)


class Gathering(Listener):
    """One that answers at a time what has come meanwhile, in the thread of `run`: to wake one thread for all costs less
    than one for each, and what they write is committed together.

    together: makes the answers, as `answer` does, to first bytes and bodies that came whole; None for what shall be
    answered in a thread of its own, as all is that did not come whole.
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
        # Connections that a thread has answered, and what wakes `run` for them.
        self._returned: SimpleQueue[tuple[socket.socket, int]] = SimpleQueue()
        self._bell, self._hammer = socket.socketpair()
        self._hammer.setblocking(False)
        self._selector.register(self._bell, selectors.EVENT_READ)

    def run(self, look: Callable[[], object] = lambda: None) -> None:
        """As there; whoever is still connected then is let go."""
        try:
            super().run(look)
        finally:
            self._selector.close()
            for each in (self._bell, self._hammer, *self._channels):
                each.close()

    def _begin(self, channel: socket.socket, uid: int) -> None:
        self._channels[channel] = None
        self._selector.register(channel, selectors.EVENT_READ, uid)

    def _wait(self) -> None:
        """Wait for what is asked, and answer it."""
        come: list[tuple[socket.socket, int, bytes]] = []
        for key, _ in self._selector.select(LOOK_SECONDS):
            if key.fileobj is self._listening:
                super()._wait()
            elif key.fileobj is self._bell:
                self._take_back()
            else:
                channel: socket.socket = key.fileobj  # type: ignore[assignment]
                begun = _at_hand(channel)
                if not begun:
                    self._leave(channel, key.data)
                elif _is_whole(begun, self._longest):
                    come.append((channel, key.data, begun))
                    if len(come) == MOST_TOGETHER:
                        # The others are still there at the next look.
                        break
                else:
                    self._set_aside(channel, key.data, begun)
        if not come:
            return
        answers = self._together([(begun[0], begun[FRAME.size :]) for _, _, begun in come])
        for (channel, uid, begun), answer in zip(come, answers, strict=True):
            if answer is None:
                self._set_aside(channel, uid, begun)
                continue
            said = FRAME.pack(answer[0], len(answer[1])) + answer[1]
            try:
                # Who does not take an answer away has no room for the next one, and is not waited for.
                sent = channel.send(said, socket.MSG_DONTWAIT)
            except OSError:
                sent = 0
            if sent != len(said):
                self._leave(channel, uid)

    def _leave(self, channel: socket.socket, uid: int) -> None:
        self._selector.unregister(channel)
        self._end(channel, uid)

    def _set_aside(self, channel: socket.socket, uid: int, begun: bytes) -> None:
        self._selector.unregister(channel)
        thread = threading.Thread(target=self._answer_aside, args=(channel, uid, begun), daemon=True)
        with self._counting:
            self._channels[channel] = thread
        thread.start()

    def _answer_aside(self, channel: socket.socket, uid: int, begun: bytes) -> None:
        try:
            self._exchange(channel, uid, begun)
        except (OSError, ValueError):
            self._end(channel, uid)
            return
        self._returned.put((channel, uid))
        with contextlib.suppress(OSError):
            self._hammer.send(b"\0")

    def _take_back(self) -> None:
        self._bell.recv(4096)
        with contextlib.suppress(Empty):
            while True:
                channel, uid = self._returned.get_nowait()
                with self._counting:
                    self._begin(channel, uid)


def _at_hand(channel: socket.socket) -> bytes:
    """What has come on a connection; nothing where it has ended."""
    try:
        return channel.recv(_AT_ONCE, socket.MSG_DONTWAIT)
    except OSError:
        return b""


def _is_whole(begun: bytes, longest: Callable[[int], int]) -> bool:
    """Whether some bytes are one message that may be so long."""
    if len(begun) < FRAME.size:
        return False
    first, length = FRAME.unpack_from(begun)
    return len(begun) == FRAME.size + length and bool(length <= longest(first))


def _limit_wait(channel: socket.socket, seconds: float) -> None:
    """How long one look at a socket may wait; by the kernel, because Python's way asks it twice."""
    whole = int(seconds)
    for side in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        channel.setsockopt(socket.SOL_SOCKET, side, struct.pack("@ll", whole, int((seconds - whole) * 1e6)))


def _is_there(channel: socket.socket) -> bool:
    """Whether the other end is, and has said nothing since its last answer."""
    try:
        channel.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False


def _receive(channel: socket.socket, longest: Callable[[int], int], begun: bytes = b"") -> tuple[int, bytes]:
    """One message: its first byte and its body. begun: what has come of it already.

    Raises ConnectionError where the other end is gone before, says something too long, or more than one message.
    """
    got = begun or channel.recv(_AT_ONCE) or _gone()
    while len(got) < FRAME.size:
        got += channel.recv(FRAME.size - len(got)) or _gone()
    first, length = FRAME.unpack_from(got)
    whole = FRAME.size + length
    if length > longest(first) or len(got) > whole:
        raise ConnectionError("a message is longer than it may be")
    if len(got) < whole:
        # In a buffer of its own: a sum would be copied at each look.
        rest = bytearray(got)
        while len(rest) < whole:
            rest += channel.recv(min(whole - len(rest), 1 << 20)) or _gone()
        got = bytes(rest)
    return first, got[FRAME.size :]


def _gone() -> bytes:
    raise ConnectionError("the other end is gone")
