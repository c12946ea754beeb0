# SPDX-License-Identifier: Apache-2.0
"""The sockets on which an origin is reached: opened once by `serve`, shared by every process that answers.

A process that goes leaves what waits in the socket's queue to the others, so that none of it is lost.
"""

import socket

from bluezone.refusal import Refused

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
    # granian waits for connections without blocking.
    taken.setblocking(False)
    return taken
