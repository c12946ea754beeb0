# SPDX-License-Identifier: Apache-2.0
"""Several processes of each origin: one may die, all may be replaced, and nobody who asks notices."""

import http.client
import json
import os
import re
import signal
import socket
import threading
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.builders.families import processes_of_part
from tests.builders.serving import free_port, serving

from bluezone.protocol.upload import Status, Verify1Request, decode_verify1_answer, encode_verify1
from bluezone.protocol.upload.codes import Credential, CredentialKind
from bluezone.protocol.upload.puzzle import solve_puzzle

# Of another version than ours: answered, and not counted as a try.
UPLOAD = bytes(4096)
PARTS = ("public", "office", "worker")
# On a machine that is full, five processes take a while to start.
pytestmark = pytest.mark.timeout(900)


def until(condition, seconds=200.0):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)
    return found


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    port = free_port()
    folder = tmp_path_factory.mktemp("workers") / "data"
    with serving(folder, "--workers", "2", "--operator-port", str(port)) as running:
        running.operator = f"http://127.0.0.1:{port}"
        yield running


def get(url):
    with urllib.request.urlopen(url, timeout=120) as answer:
        return answer.status, answer.read().decode()


def metric(served, name):
    """The value of one sample; name with its labels as they are written."""
    line = re.search(rf"^bluezone_{re.escape(name)} (\S+)$", get(f"{served.operator}/metrics")[1], re.MULTILINE)
    return float(line[1]) if line else None


def has_ended(pid):
    """Whether a process was reaped: a zombie may have threads that end later, and sockets with them."""
    return not Path(f"/proc/{pid}").exists()


def failing(served):
    """What the operator's port says is failing."""
    try:
        return json.loads(get(f"{served.operator}/ready")[1])["failing"]
    except urllib.error.HTTPError as refused:
        return json.loads(refused.read())["failing"]


def family(served):
    return {part: processes_of_part(served.process.pid, part) for part in PARTS}


class Load:
    """Clients that ask again and again: GET and POST, each in a new connection or in one that is kept."""

    def __init__(self, address):
        self.address = address.removeprefix("http://")
        self.answered, self.failed = 0, []
        self._stop = threading.Event()
        kinds = [(kept, post) for kept in (False, True) for post in (False, True)]
        self._threads = [threading.Thread(target=self._ask, args=kind) for kind in kinds]

    def _ask(self, kept, post):
        connection = None
        while not self._stop.is_set():
            try:
                connection = connection or http.client.HTTPConnection(self.address, timeout=120)
                if post:
                    connection.request("POST", "/v1/upload", UPLOAD)
                else:
                    connection.request("GET", "/v1/config")
                answer = connection.getresponse()
                assert answer.status == 200
                assert len(answer.read()) >= 1024
                self.answered += 1
            except (OSError, http.client.HTTPException, AssertionError) as error:
                self.failed.append((kept, post, repr(error)))
                connection = None
            else:
                if not kept:
                    connection.close()
                    connection = None
            # Steady, not as much as fits: the new processes have to start beside it.
            self._stop.wait(0.02)

    @contextmanager
    def going_on(self):
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join()


def replaced(served, before):
    """Wait until none of the processes of before is left and as many others are ready."""
    until(lambda: not any(before[part] & now for part, now in family(served).items()))
    until(lambda: all(metric(served, f'processes{{part="{part}"}}') == len(before[part]) for part in PARTS))


def test_a_worker_that_is_killed_comes_back_and_the_rest_goes_on(served):
    before = family(served)
    assert [len(before[part]) for part in PARTS] == [2, 2, 1]
    victim = min(before["public"])
    os.kill(victim, signal.SIGKILL)
    # Until the kernel has closed its socket, some who connect come to it; docs/adr/0013-front.md.
    until(lambda: has_ended(victim))

    for _ in range(20):
        assert get(f"{served.public}/v1/config")[0] == 200
    until(lambda: metric(served, 'process_restarts_total{part="public"}') == 1)
    until(lambda: metric(served, 'processes{part="public"}') == 2)
    after = family(served)
    assert len(after["public"]) == 2
    assert before["public"] & after["public"] == before["public"] - {victim}
    assert (after["office"], after["worker"]) == (before["office"], before["worker"])
    assert get(f"{served.operator}/ready")[0] == 200


@pytest.mark.slow
def test_a_restart_under_load_loses_no_request(served):
    with Load(served.public).going_on() as load:
        for _ in range(2):
            before = family(served)
            until(lambda: load.answered > 50)
            served.process.send_signal(signal.SIGHUP)
            replaced(served, before)
        enough = load.answered + 50
        until(lambda: load.answered > enough)

    assert load.failed == []
    assert metric(served, "replacements_total") == 2


@pytest.mark.slow
def test_what_a_process_has_begun_is_finished_by_it(served):
    host, port = served.office.removeprefix("http://").split(":")
    length = 8 * 1024 * 1024
    head = f"POST /exchange/ HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    sent = 0

    def while_sending(condition):
        """Whether it holds in the end; the body goes on meanwhile, at more than the rate that it has to keep."""
        nonlocal sent
        client.sendall(bytes(2048))
        sent += 2048
        return condition()

    with socket.create_connection((host, int(port)), timeout=120) as client:
        client.sendall(head.encode())
        before = family(served)
        served.process.send_signal(signal.SIGHUP)
        until(lambda: while_sending(lambda: len(family(served)["office"]) > 2))
        until(lambda: while_sending(lambda: len(family(served)["office"]) <= 3))
        assert family(served)["office"] & before["office"], "the one that reads our body waits for the rest"
        client.sendall(bytes(length - sent))
        answer = b""
        while chunk := client.recv(4096):
            answer += chunk
    replaced(served, before)

    assert answer.startswith(b"HTTP/1.1 403")


@pytest.mark.slow
def test_every_request_is_counted_once_whichever_process_answered_it(served):
    name = 'requests_total{route="files",status="2xx"}'
    buckets = 'request_duration_seconds_count{route="files"}'
    before, timed = metric(served, name), metric(served, buckets)
    for _ in range(40):
        get(f"{served.public}/v1/config")
    half = family(served)
    served.process.send_signal(signal.SIGHUP)
    replaced(served, half)
    for _ in range(40):
        get(f"{served.public}/v1/config")

    assert metric(served, name) - before == 80
    assert metric(served, buckets) - timed == 80


def test_a_restart_with_bad_settings_changes_nothing_and_is_said(served):
    settings = served.data / "city.toml"
    good = settings.read_text()
    before, count = family(served), metric(served, "replacements_total")
    settings.write_text(good + "\nno such setting = 1\n")
    served.process.send_signal(signal.SIGHUP)
    # Nothing but this sentence ends the wait; the file is mended when it was said.
    assert next(line for line in served.lines if "the old processes continue" in line)
    settings.write_text(good)

    assert family(served) == before
    assert metric(served, "replacements_total") == count
    assert get(f"{served.public}/v1/config")[0] == 200


def test_tries_are_counted_by_all_processes_together_and_a_puzzle_is_redeemed_once(served):
    def link():
        return Credential(CredentialKind.LINK, os.urandom(16))

    def guess(challenge=bytes(32), nonce=bytes(8)):
        request = Verify1Request(credential=link(), is_rehearsal=False, challenge=challenge, nonce=nonce)
        call = urllib.request.Request(f"{served.public}/v1/verify", encode_verify1(request), method="POST")
        with urllib.request.urlopen(call, timeout=120) as answer:
            return decode_verify1_answer(answer.read())

    answers = [guess() for _ in range(24)]
    assert [answer.status for answer in answers[:10]] == [Status.CODE_INVALID] * 10
    assert {answer.status for answer in answers[10:]} == {Status.PUZZLE_REQUIRED}
    challenge = answers[-1].challenge
    nonce = solve_puzzle(challenge)
    again = [guess(challenge, nonce).status for _ in range(8)]
    assert again == [Status.CODE_INVALID] + [Status.PUZZLE_REQUIRED] * 7


def test_live_and_ready_tell_a_part_that_is_missing(served):
    assert get(f"{served.operator}/live")[0] == 200
    assert get(f"{served.public}/v1/health/ready")[0] == 200
    assert get(f"{served.office}/health/ready")[0] == 200
    victim = min(family(served)["office"])
    os.kill(victim, signal.SIGSTOP)
    os.kill(victim, signal.SIGKILL)
    # Until it is seen to be gone, whoever connects to it finds nobody: the part is not ready.
    while (told := failing(served)) != ["office_missing"]:
        assert set(told) <= {"office_not_ready"}
    until(lambda: failing(served) == [])


def test_nothing_else_is_answered_on_the_operators_port_and_the_origins_have_no_metrics(served):
    for url in (f"{served.operator}/v1/config", f"{served.public}/metrics", f"{served.office}/metrics"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(url)
