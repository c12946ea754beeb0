# SPDX-License-Identifier: Apache-2.0
"""Pause the acceptance of connections while the process has no free descriptor.

A connection that cannot be accepted still waits, so granian would try again immediately, and keep a core busy until a
descriptor is free. Meanwhile it gets an idle socket in place of the listening one. New connections wait in the kernel.
"""

import asyncio
import logging
import os
import select
import socket
from contextlib import suppress

from bluezone.logs import event_fields
from bluezone.server.processes.sockets import BACKLOG
from bluezone.shortage import is_short_now

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
# During a pause one is free, so that granian can ask its socket; another is freed when that one is in use for long.
SPARE_DESCRIPTORS = 8
# Processes that share a port also share its connections, so not each one that is made arrives at this process.
_WAKING_CONNECTIONS = 8


class Acceptance:
    """The acceptance of one process. Make it first of all: the system refuses to replace numbers above a lowered limit.

    port: the number of the port on which granian will listen.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        # Nothing may have to be opened for a pause. The place is for the listening socket.
        self._spares = [_open_any(), _open_any()]
        self._place = _open_any()
        self._idle = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._idle.bind("")
        self._idle.listen()
        self._idle.setblocking(False)
        # For the two sockets that granian opens.
        self._room = [_open_any(), _open_any()]
        self._fill_spares()
        self._listening: int | None = None
        self._paused = False
        self._waking = False

    def make_room(self) -> None:
        """Free the low numbers for the sockets of granian; call it immediately before granian starts."""
        for descriptor in self._room:
            os.close(descriptor)
        self._room = []

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look regularly from now on; call it when granian listens."""
        self._listening = _find_listening(self._port)
        self._look_again(loop)

    def look(self) -> None:
        """Pause if no descriptor is free; continue if there are some again."""
        if self._listening is None:
            return
        if self._paused:
            self._continue(self._listening)
        elif is_short_now():
            self._pause(self._listening)
        elif self._waking:
            self._wake(self._listening)

    def stop(self) -> None:
        """Give granian its socket back, so that it closes it. Call it before granian is stopped."""
        if self._paused and self._listening is not None:
            os.dup2(self._place, self._listening)
            os.close(self._place)
        self._listening = None

    def _look_again(self, loop: asyncio.AbstractEventLoop) -> None:
        self.look()
        loop.call_later(LOOK_SECONDS, self._look_again, loop)

    def _pause(self, listening: int) -> None:
        log.warning("no descriptor is free; new connections wait", extra=event_fields("connections_wait"))
        try:
            os.dup2(listening, self._place)
            os.dup2(self._idle.fileno(), listening, inheritable=False)
        except OSError:
            return
        self._paused = True
        self._free_spare()

    def _continue(self, listening: int) -> None:
        if is_short_now():
            self._free_spare()
            return
        count = len(self._spares)
        if not self._fill_spares():
            while len(self._spares) > count:
                os.close(self._spares.pop())
            return
        os.dup2(self._place, listening, inheritable=False)
        os.dup2(self._idle.fileno(), self._place, inheritable=False)
        self._paused = False
        self._waking = True
        self._wake(listening)

    def _free_spare(self) -> None:
        if self._spares:
            os.close(self._spares.pop(0))

    def _fill_spares(self) -> bool:
        """Open the missing spare descriptors; returns whether that could be done, and one more was free."""
        try:
            while len(self._spares) < SPARE_DESCRIPTORS:
                self._spares.append(_open_any())
        except OSError:
            return False
        return not is_short_now()

    def _wake(self, descriptor: int) -> None:
        """Connect to the port if connections wait: granian learns of them only when one more arrives."""
        with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as listening:
            queue = select.poll()
            queue.register(listening, select.POLLIN)
            self._waking = bool(queue.poll(0))
            if not self._waking:
                return
            # The queue may be full.
            listening.listen(BACKLOG + _WAKING_CONNECTIONS)
            for _ in range(_WAKING_CONNECTIONS):
                with socket.socket(listening.family) as connection:
                    connection.setblocking(False)
                    connection.connect_ex(listening.getsockname())
            listening.listen(BACKLOG)


def _open_any() -> int:
    return os.open(os.devnull, os.O_RDONLY)


def _find_listening(port: int) -> int | None:
    """The descriptor that listens on a port of this process."""
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError), socket.socket(fileno=os.dup(int(name))) as candidate:
            is_listening = candidate.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            if is_listening and candidate.family != socket.AF_UNIX and candidate.getsockname()[1] == port:
                return int(name)
    return None
