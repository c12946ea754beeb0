# SPDX-License-Identifier: Apache-2.0
"""The operator's port answers others only with a token, and a network full of connections only for a while."""

import contextlib
import http.client
import json
import socket
import threading
from types import SimpleNamespace

import pytest

from bluezone.server.metrics import port
from bluezone.server.metrics.meters import Meters
from bluezone.server.metrics.port import (
    MOST_CONNECTIONS,
    TOKEN_VARIABLE,
    OperatorPort,
    OperatorTokenInvalid,
    take_token,
)
from bluezone.server.processes.sockets import reserve_port

TOKEN = "0123456789abcdef" * 2


@contextlib.contextmanager
def operator_port(token):
    processes = SimpleNamespace(meters=Meters.make(1), parts=(), children=[], restarts={}, replaced=0)
    port_socket = reserve_port("127.0.0.1", 0, "--operator-port")
    opened = OperatorPort(port_socket, token)
    opened.open(processes, None)
    try:
        yield port_socket.getsockname()
    finally:
        opened.close()


def request(address, path, headers=()):
    connection = http.client.HTTPConnection(*address, timeout=120)
    try:
        connection.request("GET", path, headers=dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


def test_metrics_need_the_token_and_what_a_cluster_probes_does_not():
    with operator_port(TOKEN) as address:
        for wrong in ({}, {"Authorization": TOKEN}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": "Bearer"}):
            status, headers, text = request(address, "/metrics", wrong)
            assert (status, headers["WWW-Authenticate"], json.loads(text)["error"]["code"]) == (
                401, "Bearer", "token_required",
            )  # fmt: skip
        status, _, text = request(address, "/metrics?x=1", {"Authorization": f"Bearer {TOKEN}"})
        assert status == 200
        assert "bluezone_build_info" in text
        assert request(address, "/live")[0] == 200
        assert request(address, "/ready")[0] == 200
        assert request(address, "/")[0] == 404


def test_without_a_token_this_machine_reads_the_metrics():
    with operator_port(None) as address:
        assert request(address, "/metrics")[0] == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "::1"])
def test_this_machine_needs_no_token(monkeypatch, host):
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    assert take_token(host) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "192.168.1.2", "localhost", "fd00::1"])
def test_an_address_that_others_reach_needs_one(monkeypatch, host):
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    with pytest.raises(OperatorTokenInvalid, match=TOKEN_VARIABLE):
        take_token(host)
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    assert take_token(host) == TOKEN


@pytest.mark.parametrize("token", ["short", "x" * 31, "x" * 513, "with a space " * 4, "đ" * 40])
def test_a_weak_or_malformed_token_is_refused_everywhere(monkeypatch, token):
    monkeypatch.setenv(TOKEN_VARIABLE, token)
    with pytest.raises(OperatorTokenInvalid):
        take_token("127.0.0.1")


def test_no_child_process_has_the_token(monkeypatch):
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    take_token("127.0.0.1")
    assert TOKEN_VARIABLE not in port.os.environ


def test_connections_that_send_nothing_take_no_more_threads(monkeypatch):
    monkeypatch.setattr(port, "ANSWER_SECONDS", 1.0)
    with operator_port(None) as address, contextlib.ExitStack() as stack:
        before = threading.active_count()
        idle = [
            stack.enter_context(socket.create_connection(address, timeout=120)) for _ in range(4 * MOST_CONNECTIONS)
        ]
        # A thread and a deadline for each of those that are answered.
        assert threading.active_count() <= before + 2 * MOST_CONNECTIONS
        for connection in idle:
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(1) == b""
        assert request(address, "/live")[0] == 200


def test_a_client_that_sends_a_byte_now_and_then_is_ended(monkeypatch):
    monkeypatch.setattr(port, "ANSWER_SECONDS", 1.0)
    with operator_port(None) as address, socket.create_connection(address, timeout=0.1) as slow:
        for _ in range(1000):
            with contextlib.suppress(TimeoutError):
                slow.sendall(b"G")
                assert slow.recv(1) == b""
                break
        else:
            pytest.fail("it may go on for ever")
