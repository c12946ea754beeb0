# SPDX-License-Identifier: Apache-2.0
"""The ports on which an origin is reached: kept by `serve` as long as it runs, listened on by its processes.

Each process opens a socket of its own on the port (SO_REUSEPORT), and the kernel shares out who connects. `serve` only
holds the port, so that it stays ours between two processes and no second `serve` comes in between.
"""

import os
import socket

from bluezone.refusal import Refused

# Who waits for one process to accept him.
BACKLOG = 1024


class PortInUse(Refused):
    """Another program listens on a port that was asked for."""

    code = "port_in_use"


def take_port(host: str, port: int, flag: str) -> socket.socket:
    """A socket that has the port, and does not listen yet; raises PortInUse when nothing more can listen there."""
    taken = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
    except OSError as error:
        taken.close()
        raise PortInUse(
            f"{host} port {port} cannot be used ({error.strerror}); end the other program or choose another with {flag}"
        ) from None
    # Two sockets that both allow it can have one port until one of them listens. From here on nobody comes in beside
    # us, this `serve` with another origin included.
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    return taken


def let_follow(taken: socket.socket) -> None:
    """Let this `serve` listen right after another one, and the next one right after this. Call it before listening.

    What is accepted has this option too, and lingers for a minute after its end. Without it on both sides the port
    would be refused, also to `listen`. While somebody listens, nothing else can have the port all the same.
    """
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)


def share_port(taken: socket.socket, uid: int | None = None) -> None:
    """Let processes of this user, or of another, listen on a port that was taken for us alone."""
    if uid is not None:
        # The kernel shares a port among sockets of one user, and goes by whose the socket is.
        os.fchown(taken.fileno(), uid, -1)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
