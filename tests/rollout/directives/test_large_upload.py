# SPDX-License-Identifier: Apache-2.0
"""An upload of 100 MB to a running office: answered before it is read, with or without an announced length."""

import contextlib
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.builders.serving import serving

MEGABYTE = 1024 * 1024
HUNDRED = 100 * MEGABYTE


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """A running office."""
    with serving(tmp_path_factory.mktemp("large") / "data") as served:
        yield served


def resident(pid):
    """Peak memory of a process and those under it, in megabytes."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    status = Path(f"/proc/{pid}/status").read_text()
    own = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return own / 1024 + sum(resident(child) for child in children)


def pour(office, path, *headers, chunked=False):
    """Send 100 MB to a page as fast as it takes them: the status that came back, and how many bytes it took."""
    where = urlsplit(office.office)
    taken, status = 0, b""
    with socket.create_connection((where.hostname, where.port), timeout=120) as connection:
        lines = [f"POST {path} HTTP/1.1", f"Host: {where.netloc}", "Content-Type: multipart/form-data; boundary=x"]
        connection.sendall(("\r\n".join([*lines, *headers]) + "\r\n\r\n").encode())
        part = b"a" * MEGABYTE
        piece = b"%x\r\n%b\r\n" % (len(part), part) if chunked else part
        connection.settimeout(10)
        with contextlib.suppress(OSError):
            while taken < HUNDRED:
                connection.sendall(piece)
                taken += MEGABYTE
        with contextlib.suppress(OSError):
            status = connection.recv(64)
    return status.split(b" ")[1:2], taken


@pytest.mark.parametrize("path", ["/directives/new/", "/exchange/"])
def test_an_announced_upload_is_answered_413_and_hardly_read(office, path):
    before = resident(office.process.pid)
    status, taken = pour(office, path, f"Content-Length: {HUNDRED}")

    assert status == [b"413"]
    assert taken < HUNDRED // 4
    assert resident(office.process.pid) - before < 30


def test_one_that_does_not_say_how_long_it_is_is_refused(office):
    before = resident(office.process.pid)
    status, taken = pour(office, "/exchange/", "Transfer-Encoding: chunked", chunked=True)

    assert status == [b"411"]
    assert taken < HUNDRED // 4
    assert resident(office.process.pid) - before < 30
