# SPDX-License-Identifier: Apache-2.0
"""A gate that was killed is found by its tablet again: the same address, the same sign-in."""

import http.client
import re
import signal
import socket
import subprocess
from urllib.parse import urlsplit

import pytest
from tests.builders.serving import BLUEZONE

pytestmark = pytest.mark.field


def start(folder):
    """A practice gate as a process, and the address that it printed."""
    program = subprocess.Popen(
        [BLUEZONE, "gate", "run", "--training", "--data", folder, "--radio", "none"], stderr=subprocess.PIPE, text=True
    )
    for line in program.stderr:
        if found := re.fullmatch(r"ready (http://\S+)\n", line):
            return program, found[1]
    raise AssertionError(f"the gate ended with {program.wait()}")


def ask(address, path, headers):
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status, answer.headers


def test_a_tablet_that_was_signed_in_goes_on_after_its_gate_was_killed(tmp_path):
    program, address = start(tmp_path)
    try:
        _status, headers = ask(address, address.removeprefix(f"http://{urlsplit(address).netloc}"), {})
        cookie, base = headers["Set-Cookie"], headers["Location"]
        # A tablet that lost its power as well has only the cookies that outlive its browser.
        assert "Max-Age=" in cookie
        program.send_signal(signal.SIGKILL)
        program.communicate()

        program, again = start(tmp_path)

        assert again == address
        assert ask(address, f"{base}api/state", {"Cookie": cookie.partition(";")[0]})[0] == 200
        assert ask(address, f"{base}api/state", {"Cookie": "bluezone_token=guessed"})[0] == 403

        # Somebody else holds the port: the gate runs all the same, and prints where.
        program.kill()
        program.communicate()
        with socket.create_server(("127.0.0.1", urlsplit(address).port)):
            program, elsewhere = start(tmp_path)
        assert urlsplit(elsewhere).port != urlsplit(address).port
        assert urlsplit(elsewhere).path == base
    finally:
        program.kill()
        program.communicate()
