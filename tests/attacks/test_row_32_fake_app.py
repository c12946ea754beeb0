# SPDX-License-Identifier: Apache-2.0
"""Row 32, residual: a purpose-written app passes a gate as running, but only by sending and hearing at that gate.

The bound: one passage a session, one session a pass, and a puzzle for every 20 tokens of the browser's kind.
"""

import os
from dataclasses import replace

import pytest
from tests.builders.keyserver import Clock, call, open_server
from tests.edge.gate.test_check import Gate, pass_a

from bluezone.edge.gate.check import Finding
from bluezone.protocol import blindrsa
from bluezone.protocol.gate.tokens import TokensRequest, decode_tokens_answer, encode_tokens
from bluezone.protocol.upload import Status
from bluezone.protocol.upload.puzzle import solve_puzzle


@pytest.fixture
def server(tmp_path):
    key_server = open_server(tmp_path, Clock())
    yield key_server
    key_server.close()


def test_residual_a_program_that_answers_on_the_air_is_taken_for_running_once_a_session():
    gate, session = Gate(), os.urandom(16)
    gate.answered(session)

    assert [gate.check.judge(pass_a(session)) for _ in range(3)] == [Finding.PROVEN, Finding.USED, Finding.USED]
    # What it does not send or hear at this gate it cannot claim.
    assert gate.check.judge(pass_a(os.urandom(16))) is Finding.NOT_HEARD


def test_residual_tokens_are_bought_twenty_at_a_time_and_each_time_with_a_puzzle(server):
    key = next(key for key in server.secrets.week_keys.all() if key.purpose == "gate")
    blinded = blindrsa.blind(blindrsa.PublicKey(key.n, key.e), b"M").message
    request = TokensRequest(key.kid, (blinded,) * 20)
    bought = []
    solved = request
    for _ in range(3):
        answer = decode_tokens_answer(call(server, "POST", "/v1/tokens", encode_tokens(solved)).body)
        bought.append((answer.status, len(answer.blind_signatures)))
        if answer.status is Status.PUZZLE_REQUIRED:
            solved = replace(request, challenge=answer.challenge, nonce=solve_puzzle(answer.challenge))

    assert [status for status, _ in bought] == [Status.PUZZLE_REQUIRED, Status.OK, Status.PUZZLE_REQUIRED]
    assert bought[1][1] == 20
