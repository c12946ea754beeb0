# SPDX-License-Identifier: Apache-2.0
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluezone.protocol.gate.tokens import (
    TokensAnswer,
    TokensRequest,
    decode_tokens,
    decode_tokens_answer,
    encode_tokens,
    encode_tokens_answer,
)
from bluezone.protocol.upload import BadAnswer, BadRequest, Status

BATCH = tuple(bytes([number]) * 256 for number in range(20))


@given(
    kid=st.integers(0, 65535), challenge=st.binary(min_size=32, max_size=32), nonce=st.binary(min_size=8, max_size=8)
)
def test_a_request_is_read_back_from_its_6144_bytes(kid, challenge, nonce):
    request = TokensRequest(kid, BATCH, challenge, nonce)
    body = encode_tokens(request)

    assert len(body) == 6144
    assert decode_tokens(body) == request


@pytest.mark.parametrize(
    "answer",
    [
        TokensAnswer(Status.OK, 9, BATCH),
        TokensAnswer(Status.PUZZLE_REQUIRED, challenge=bytes(range(32))),
        TokensAnswer(Status.KID_REFUSED),
    ],
)
def test_an_answer_has_one_size_whatever_it_says(answer):
    body = encode_tokens_answer(answer)

    assert len(body) == 6144
    assert decode_tokens_answer(body) == answer


@given(st.binary(max_size=8))
def test_any_bytes_are_a_message_or_a_refusal(head):
    body = head + os.urandom(6144 - len(head))
    for read, refusal in ((decode_tokens, BadRequest), (decode_tokens_answer, BadAnswer)):
        try:
            read(body)
        except refusal:
            continue


@pytest.mark.parametrize("body", [b"", bytes(6143), bytes(6145), b"\x02" + bytes(6143), b"\x01\x01" + bytes(6142)])
def test_another_size_version_or_flag_is_refused(body):
    with pytest.raises(BadRequest):
        decode_tokens(body)


@pytest.mark.parametrize("batch", [BATCH[:19], (*BATCH, bytes(256)), (*BATCH[:19], bytes(255))])
def test_a_batch_is_20_of_256_bytes(batch):
    with pytest.raises(BadRequest):
        TokensRequest(1, batch)
