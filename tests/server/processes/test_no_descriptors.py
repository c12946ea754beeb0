# SPDX-License-Identifier: Apache-2.0
"""A real `serve` whose processes have no free file descriptor: it answers "later", waits, and continues alone."""

import http.client
import os
import resource
import socket
import time
from collections import Counter
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.builders.machines import wait_until
from tests.builders.serving import free_port, serving

from bluezone.keyserver.signer.client import FOLDER_NAME

pytestmark = pytest.mark.timeout(900)
# A thread that is asleep this often is not in a loop.
LOOKS = 30
LATER = ("503", True)
# Numbers below this one are in use from the start of a process to its end.
MOST = 16
# Fewer descriptors than connections. A pause leaves one or two free.
ROOM = 40
CONNECTIONS = 150
FREE_IN_A_PAUSE = 2


def processes(served):
    """The process of `serve` and its children."""
    parent = served.process.pid
    return [parent, *map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split())]


def process_of(served, part):
    """The child that does one part."""
    names = {Path(f"/proc/{pid}/comm").read_text().strip(): pid for pid in processes(served)}
    return names[f"bluezone-{part}"]


def descriptors(pid):
    """The numbers of the descriptors that a process has open."""
    return {int(name) for name in os.listdir(f"/proc/{pid}/fd")}


def limit(pid, most):
    """Allow a process only numbers of descriptors below this one."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, hard))


def use_up(pid):
    """Leave a process without a free descriptor, whichever of its connections end."""
    used = descriptors(pid)
    limit(pid, next(number for number in range(MOST + 1) if number not in used or number == MOST))


def unlimit(pid):
    """Allow it as many as before."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (hard, hard))


def is_asleep(pid):
    """Whether all threads of a process wait for something, as often as one looks."""
    for _ in range(LOOKS):
        for task in Path(f"/proc/{pid}/task").iterdir():
            if task.joinpath("stat").read_text().rpartition(")")[2].split()[0] == "R":
                return False
        time.sleep(0.01)
    return True


def connected(address):
    """A connection that is kept open."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=120)
    connection.connect()
    return connection


def asked(connection, path, method="GET", body=None):
    """Status, and whether the answer says when to ask again."""
    connection.request(method, path, body)
    answer = connection.getresponse()
    answer.read()
    return str(answer.status), "Retry-After" in answer.headers


@contextmanager
def waiting(port):
    """A connection that has asked for liveness and waits to be accepted."""
    with socket.create_connection(("localhost", port), timeout=120) as connection:
        connection.sendall(b"GET /v1/health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        yield connection


def test_a_serve_without_free_descriptors_answers_later_and_continues_when_some_are_free(tmp_path):
    operator = free_port()
    with serving(tmp_path / "data", "--operator-port", str(operator)) as served:
        pids = processes(served)
        public = urlsplit(served.public).port
        [signer] = (tmp_path / "data" / FOLDER_NAME).glob("*.sock")
        with (
            closing(connected(served.public)) as first,
            closing(connected(served.public)) as second,
            ExitStack() as open,
        ):
            assert asked(first, "/v1/health/live") == asked(second, "/v1/health/live") == ("200", False)
            for pid in pids:
                use_up(pid)

            assert asked(first, "/v1/health/live") == ("200", False)
            assert asked(first, "/v1/config") == LATER
            waiters = [open.enter_context(waiting(port)) for port in (public, public, operator)]
            channel = open.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            channel.connect(str(signer))
            assert asked(second, "/v1/health") == LATER
            for pid in pids:
                wait_until(lambda pid=pid: is_asleep(pid), 120)

            for pid in pids:
                unlimit(pid)
            assert [waiter.recv(12) for waiter in waiters] == [b"HTTP/1.1 200", b"HTTP/1.1 200", b"HTTP/1.0 404"]
        with closing(connected(served.public)) as connection:
            wait_until(lambda: asked(connection, "/v1/health") == ("200", False))
            assert asked(connection, "/v1/config") == ("200", False)
        assert processes(served) == pids
        served.process.terminate()
        # Each process logs each line once.
        lines = Counter(line for line in served.lines if line.startswith(("WARNING", "ERROR")))
        assert lines["WARNING bluezone.server.front.acceptance: no descriptor is free; new connections wait\n"]
        assert max(lines.values()) <= len(pids)


def test_more_idle_connections_than_descriptors_do_not_keep_a_process_busy(tmp_path):
    with serving(tmp_path / "data") as served:
        pid = process_of(served, "public")
        port = urlsplit(served.public).port
        with closing(connected(served.public)) as early, ExitStack() as open, ExitStack() as open_idle:
            assert asked(early, "/v1/health/live") == ("200", False)
            most = len(descriptors(pid)) + ROOM
            limit(pid, most)
            for _ in range(CONNECTIONS):
                open_idle.enter_context(socket.create_connection(("localhost", port), timeout=120))
            waiter = open.enter_context(waiting(port))

            assert asked(early, "/v1/config") == LATER
            wait_until(lambda: is_asleep(pid) and len(descriptors(pid)) >= most - FREE_IN_A_PAUSE, 120)
            open_idle.close()
            assert waiter.recv(12) == b"HTTP/1.1 200"
        assert process_of(served, "public") == pid
