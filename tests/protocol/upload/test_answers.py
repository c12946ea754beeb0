# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluezone.protocol.upload import (
    ANSWER_SIZE,
    BadAnswer,
    Status,
    UploadAnswer,
    Verify1Answer,
    Verify2Answer,
    decode_upload_answer,
    decode_verify1_answer,
    decode_verify2_answer,
    encode_upload_answer,
    encode_verify1_answer,
    encode_verify2_answer,
)

CALLS = [
    (Verify1Answer, encode_verify1_answer, decode_verify1_answer),
    (Verify2Answer, encode_verify2_answer, decode_verify2_answer),
    (UploadAnswer, encode_upload_answer, decode_upload_answer),
]
FAILURES = [status for status in Status if status not in (Status.OK, Status.PUZZLE_REQUIRED)]


@given(st.integers(0, 2), st.integers(0, 2**16 - 1), st.integers(-(2**31), 2**31 - 1))
def test_the_worth_of_a_code_comes_back(klass, kid, onset_day):
    answer = Verify1Answer(status=Status.OK, klass=klass, kid=kid, onset_day=onset_day)
    body = encode_verify1_answer(answer)

    assert len(body) == ANSWER_SIZE == 1024
    assert decode_verify1_answer(body) == answer


@given(st.integers(0, 2**16 - 1), st.binary(min_size=256, max_size=256))
def test_a_blind_signature_comes_back(kid, blind_signature):
    answer = Verify2Answer(status=Status.OK, kid=kid, blind_signature=blind_signature)

    assert decode_verify2_answer(encode_verify2_answer(answer)) == answer


@pytest.mark.parametrize("status", FAILURES)
@pytest.mark.parametrize(("answer", "encode", "decode"), CALLS)
def test_every_failure_comes_back_with_nothing_else(answer, encode, decode, status):
    body = encode(answer(status=status))

    assert len(body) == ANSWER_SIZE
    assert decode(body) == answer(status=status)


@pytest.mark.parametrize(("answer", "encode", "decode"), CALLS)
def test_a_puzzle_brings_its_challenge(answer, encode, decode):
    sent = answer(status=Status.PUZZLE_REQUIRED, challenge=bytes(range(32)))
    body = encode(sent)

    assert body[:34] == bytes([1, 6, *range(32)])
    assert decode(body) == sent


def test_the_bytes_stand_where_the_protocol_puts_them():
    answer = Verify1Answer(status=Status.OK, klass=2, kid=0x0102, onset_day=-2)
    body = encode_verify1_answer(answer, random_bytes=lambda size: b"\xee" * size)

    assert body == bytes([1, 0, 2, 1, 2, 0xFF, 0xFF, 0xFF, 0xFE]) + b"\xee" * 1015

    body = encode_verify2_answer(
        Verify2Answer(status=Status.OK, kid=0x0102, blind_signature=b"b" * 256), random_bytes=bytes
    )
    assert body == bytes([1, 0, 1, 2]) + b"b" * 256 + bytes(764)


@given(st.binary(min_size=ANSWER_SIZE - 2, max_size=ANSWER_SIZE - 2), st.integers(0, 2), st.integers(0, 12))
@pytest.mark.parametrize("decode", [decode for _, _, decode in CALLS])
def test_any_answer_is_read_or_refused(decode, rest, version, status):
    try:
        answer = decode(bytes([version, status]) + rest)
    except BadAnswer:
        return
    assert (version, status) == (1, answer.status)


@pytest.mark.parametrize("body", [b"", bytes(ANSWER_SIZE - 1), bytes(ANSWER_SIZE + 1), bytes(ANSWER_SIZE)])
def test_other_bytes_are_refused(body):
    for _, _, decode in CALLS:
        with pytest.raises(BadAnswer):
            decode(body)


@pytest.mark.parametrize(
    "make",
    [
        lambda: UploadAnswer(status=Status.PUZZLE_REQUIRED),
        lambda: UploadAnswer(status=Status.PUZZLE_REQUIRED, challenge=bytes(31)),
        lambda: UploadAnswer(status=Status.OK, challenge=bytes(32)),
        lambda: Verify1Answer(status=Status.OK, klass=3),
        lambda: Verify2Answer(status=Status.OK, blind_signature=bytes(255)),
        lambda: Verify2Answer(status=Status.CODE_USED, blind_signature=bytes(256)),
    ],
)
def test_an_answer_that_contradicts_itself_is_refused(make):
    with pytest.raises(BadAnswer):
        make()
