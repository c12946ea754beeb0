# SPDX-License-Identifier: Apache-2.0
"""A `serve` that is stopped and started again at once, right after its ports were asked."""

import socket

import pytest
from tests.builders.serving import free_port, serving, start
from tests.builders.stores import HOTLINE, prepared_store

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def asked(port, path):
    """What is answered; the server is the first to end the connection, so that its side lingers for a minute."""
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def test_a_serve_whose_ports_were_asked_a_moment_ago_starts_again_at_once(tmp_path):
    public, office, operator = free_port(), free_port(), free_port()
    ports = ("--public-port", str(public), "--office-port", str(office), "--operator-port", str(operator))
    for _ in range(2):
        with serving(tmp_path / "data", *ports):
            for port, path in ((operator, "/metrics"), (operator, "/ready"), (public, "/v1/config"), (office, "/")):
                assert asked(port, path).startswith(b"HTTP/1.")


def test_a_port_on_which_a_serve_listens_is_no_other_programs(tmp_path):
    public, operator = free_port(), free_port()
    ports = ("--public-port", str(public), "--operator-port", str(operator))
    prepared_store(tmp_path / "two")
    with serving(tmp_path / "one", *ports), pytest.raises(AssertionError, match=f"port {operator} cannot be used"):
        start(tmp_path / "two", "--hotline", HOTLINE, "--operator-port", str(operator))
