# SPDX-License-Identifier: Apache-2.0
"""The ports of the origins: reserved by `serve` as long as it runs, listened on by its child processes.

Each process opens its own socket on the port (SO_REUSEPORT), and the kernel distributes the connections. `serve` only
reserves the port, so that no second `serve` can take it while processes are replaced.
"""

import os
import socket

from bluezone.refusal import Refused

# The most connections that wait for one process to accept them.
BACKLOG = 1024


class PortInUse(Refused):
    """Another program listens on a requested port."""

    code = "port_in_use"


def reserve_port(host: str, port: int, flag: str) -> socket.socket:
    """Reserve a port with a socket that is bound and does not listen. Raises PortInUse if the port cannot be used."""
    port_socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    port_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        port_socket.bind((host, port))
    except OSError as error:
        port_socket.close()
        raise PortInUse(
            f"{host} port {port} cannot be used ({error.strerror}); end the other program or choose another with {flag}"
        ) from None
    # Two sockets with SO_REUSEADDR can share a port until one of them listens. Without it, the port cannot be bound
    # again from now on, not even by this `serve` for its other origin.
    port_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    return port_socket


def allow_rebind(port_socket: socket.socket) -> None:
    """Let this `serve` listen right after another one has ended, and the next one right after this.

    Call it before `listen`. Accepted connections inherit this option, and linger for a minute after they end. The
    kernel would refuse the port meanwhile, unless both they and the new socket have the option. While a socket listens,
    another socket still cannot take the port.
    """
    port_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)


def share_port(port_socket: socket.socket, uid: int | None = None) -> None:
    """Let processes of this user, or of the user `uid`, listen on a port that `reserve_port` reserved."""
    if uid is not None:
        # The kernel shares a port only among sockets that belong to one user.
        os.fchown(port_socket.fileno(), uid, -1)
    port_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
