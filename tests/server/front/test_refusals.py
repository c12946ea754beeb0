# SPDX-License-Identifier: Apache-2.0
"""Reports that are refused whatever the stores contain: a flood of them costs little, because it wakes no thread."""

import io

import pytest
from tests.builders.keyserver import Clock, call, open_server
from tests.builders.rsgi import Inline, ask
from tests.builders.stores import with_week_keys

from bluezone.keyserver.http import refuse_at_hand
from bluezone.protocol.gate.tokens import TOKENS_SIZE
from bluezone.protocol.upload import (
    UPLOAD_SIZE,
    VERIFY_SIZE,
    Status,
    UploadRequest,
    decode_upload_answer,
    encode_upload,
)
from bluezone.server.front.entry import Entry
from bluezone.server.front.static_files import ReadyAnswer
from bluezone.server.metrics.measured_application import MeasuredApplication, public_route
from bluezone.server.metrics.meters import REFUSALS, Meters

GARBAGE = [("/v1/verify", VERIFY_SIZE), ("/v1/upload", UPLOAD_SIZE), ("/v1/tokens", TOKENS_SIZE)]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    clock = Clock()
    folder = tmp_path_factory.mktemp("refusing")
    with_week_keys(folder, clock())
    key_server = open_server(folder, clock)
    yield key_server
    key_server.close()


def refuse(path, body):
    return refuse_at_hand(path, io.BytesIO(body), len(body))


@pytest.mark.parametrize(("path", "size"), GARBAGE)
@pytest.mark.parametrize("first", [b"\0", b"\1\xff"])
@pytest.mark.parametrize("excess", [-1, 0, 1])
def test_it_is_refused_as_the_server_refuses_it(server, path, size, first, excess):
    body = first.ljust(size + excess, b"\0")
    expected = call(server, "POST", path, body)
    response = refuse(path, body)

    assert (response.status, dict(response.head)) == (expected.status, expected.headers)
    # The version and the status; the rest is random.
    assert response.body[:2] == expected.body[:2]


def test_more_keys_than_a_report_may_have_are_refused_at_once(server):
    body = (b"\1\0" + b"\xff" * 400).ljust(UPLOAD_SIZE, b"\0")

    assert refuse("/v1/upload", body).body[1] == call(server, "POST", "/v1/upload", body).body[1] == Status.KEYS_REFUSED


def test_a_report_that_may_be_right_is_left_to_the_server():
    keys = {"kid": 1, "rand": bytes(32), "signature": bytes(256), "salt": bytes(32), "keys": ()}
    body = io.BytesIO(encode_upload(UploadRequest(**keys)))

    assert refuse_at_hand("/v1/upload", body, UPLOAD_SIZE) is None
    assert body.tell() == 0


def refuse_ready(path, body, length, _network):
    response = refuse_at_hand(path, body, length)
    return ReadyAnswer(response.status, response.head, response.body)


def test_an_upload_that_is_to_solve_a_puzzle_gets_it_at_once():
    body = encode_upload(UploadRequest(kid=1, rand=bytes(32), signature=bytes(256), salt=bytes(32), keys=()))
    seen = []
    challenge = bytes(range(32))
    response = refuse_at_hand(
        "/v1/upload", io.BytesIO(body), UPLOAD_SIZE, lambda *solution: seen.append(solution) or challenge
    )
    answer = decode_upload_answer(response.body)

    assert (answer.status, answer.challenge) == (Status.PUZZLE_REQUIRED, challenge)
    assert seen == [(bytes(32), bytes(8))]


class NoThreads(Inline):
    def add(self, work, network):
        raise AssertionError("a thread was woken")


@pytest.mark.parametrize(("path", "size"), GARBAGE)
def test_no_thread_wakes_for_it_and_it_is_counted(path, size):
    meters = Meters.make(1)
    measured = MeasuredApplication(None, meters.row(0), public_route)
    threads = NoThreads()
    entry = Entry(
        measured, lambda path, headers: None, threads, threads, lambda path: False, 65_536,
        refuse_at_hand=refuse_ready,
    )  # fmt: skip
    answer = ask(entry, path, "POST", bytes(size))

    assert (answer.status, answer.headers["content-type"]) == (200, "application/octet-stream")
    assert meters.requests("reports").statuses[0] == 1
    assert meters.refusals()[REFUSALS.index("bad_request")] == 1
