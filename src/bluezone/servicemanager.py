# SPDX-License-Identifier: Apache-2.0
"""What a long-running command tells the service manager that started it: that it is ready, alive, or about to stop.

Source: sd_notify(3) of systemd, "the notification protocol": datagrams of NAME=VALUE lines to $NOTIFY_SOCKET.
"""

import os
import socket
import time
from collections.abc import MutableMapping


class ServiceManager:
    """The service manager that started this process; without one every call does nothing.

    environment: NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID are removed from it, so that no child process speaks for
    this one.
    """

    def __init__(self, environment: MutableMapping[str, str] = os.environ) -> None:
        self._address = environment.pop("NOTIFY_SOCKET", "")
        microseconds = environment.pop("WATCHDOG_USEC", "")
        for_us = environment.pop("WATCHDOG_PID", "") in ("", str(os.getpid()))
        # Twice within the time after which systemd considers the process hung.
        self.beat_seconds = int(microseconds) / 2_000_000 if microseconds.isdigit() and for_us else 0.0
        self._next_beat = 0.0

    def ready(self) -> None:
        """Report that everything answers; also after `reloading`."""
        self._tell("READY=1")

    def reloading(self) -> None:
        """Report that new processes are about to replace all current ones."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Report that the process is about to end."""
        self._tell("STOPPING=1")

    def alive(self) -> None:
        """Report that the process is alive. Call it repeatedly from the main loop, which stops if the process hangs."""
        now = time.monotonic()
        if self.beat_seconds and now >= self._next_beat:
            self._next_beat = now + self.beat_seconds
            self._tell("WATCHDOG=1")

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        # A leading @ means the null byte of an abstract socket.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.setblocking(False)
            try:
                channel.sendto("\n".join(lines).encode(), address)
            except OSError:
                # No one is listening; the manager's own time limit applies.
                return
