# SPDX-License-Identifier: Apache-2.0
import contextlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluezone.protocol.upload import (
    UPLOAD_SIZE,
    VERIFY_SIZE,
    BadRequest,
    KeysRefused,
    SlipRequest,
    Slot,
    UploadKey,
    UploadRequest,
    Verify1Request,
    Verify2Request,
    decode_upload,
    decode_verify,
    encode_upload,
    encode_verify1,
    encode_verify2,
)
from bluezone.protocol.upload.codes import Credential
from bluezone.protocol.upload.payload import key_order
from bluezone.refusal import Refused


def exactly(size: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=size, max_size=size)


credentials = st.one_of(
    st.from_regex(r"[0-9]{12}", fullmatch=True).filter(str.isascii).map(Credential.from_digits),
    exactly(16).map(Credential.from_link),
)
envelopes = {"is_rehearsal": st.booleans(), "challenge": exactly(32), "nonce": exactly(8)}
kids = st.integers(0, 2**16 - 1)
upload_keys = st.builds(UploadKey, exactly(16), st.integers(0, 2**32 - 1), kids, st.integers(0, 255))
slots = st.builds(Slot, st.integers(0, 2**32 - 1), exactly(32), st.integers(0, 255), st.integers(0, 255))
verify1 = st.builds(Verify1Request, credential=credentials, **envelopes)
verify2 = st.builds(Verify2Request, credential=credentials, kid=kids, blinded=exactly(256), **envelopes)
uploads = st.builds(
    UploadRequest,
    kid=kids,
    rand=exactly(32),
    signature=exactly(256),
    salt=exactly(32),
    keys=st.lists(upload_keys, max_size=15).map(lambda keys: tuple(sorted(keys, key=key_order))),
    slots=st.lists(slots, max_size=5).map(lambda slots: tuple(sorted(slots, key=Slot.to_bytes))),
    **envelopes,
)
AN_UPLOAD = UploadRequest(kid=7, rand=bytes(32), signature=bytes(256), salt=bytes(32), keys=())


@given(verify1)
def test_verify_1_comes_back_as_it_was_sent(request):
    body = encode_verify1(request)

    assert len(body) == VERIFY_SIZE == 1024
    assert decode_verify(body) == request


@given(verify2)
def test_verify_2_comes_back_as_it_was_sent(request):
    body = encode_verify2(request)

    assert len(body) == VERIFY_SIZE
    assert decode_verify(body) == request


@given(uploads)
def test_an_upload_comes_back_as_it_was_sent(request):
    body = encode_upload(request)

    assert len(body) == UPLOAD_SIZE == 4096
    assert decode_upload(body) == request


def test_the_bytes_stand_where_the_protocol_puts_them():
    credential = Credential.from_digits("123456789018")
    request = Verify2Request(
        is_rehearsal=True, credential=credential, kid=0x0102, blinded=b"b" * 256, challenge=b"c" * 32, nonce=b"n" * 8
    )
    body = encode_verify2(request, random_bytes=lambda size: b"\xff" * size)

    head = bytes([1, 1, 2, 0]) + b"123456789018" + bytes(4) + b"\x01\x02" + b"b" * 256
    assert body == head + b"\xff" * (1024 - len(head) - 40) + b"c" * 32 + b"n" * 8

    key = UploadKey(b"k" * 16, 144, 144, 2)
    slot = Slot(5, b"s" * 32, 1, 60)
    upload = UploadRequest(kid=3, rand=b"r" * 32, signature=b"g" * 256, salt=b"t" * 32, keys=(key,), slots=(slot,))
    body = encode_upload(upload, random_bytes=lambda size: b"\xff" * size)

    head = bytes([1, 0, 0, 3]) + b"r" * 32 + b"g" * 256 + b"t" * 32
    head += (
        b"\0\1" + b"k" * 16 + bytes([0, 0, 0, 144, 0, 144, 2]) + b"\0\1" + bytes([0, 0, 0, 5]) + b"s" * 32 + b"\1\x3c"
    )
    assert body == head + b"\xff" * (4096 - len(head) - 40) + bytes(40)


def test_the_largest_upload_fits():
    keys = tuple(UploadKey(bytes([day]) * 16, day * 144, 144, 1) for day in range(15))
    most = tuple(Slot(hour, bytes(32), 0, 60) for hour in range(80))
    request = UploadRequest(kid=0, rand=bytes(32), signature=bytes(256), salt=bytes(32), keys=keys, slots=most)

    assert decode_upload(encode_upload(request)) == request


def test_keys_are_sent_sorted_whatever_their_order():
    keys = tuple(UploadKey(bytes(16), day * 144, 144, 1) for day in (3, 1, 2))
    request = UploadRequest(kid=0, rand=bytes(32), signature=bytes(256), salt=bytes(32), keys=keys)

    assert [key.start for key in decode_upload(encode_upload(request)).keys] == [144, 288, 432]


def test_sizes_do_not_tell_real_from_chaff():
    rehearsal = UploadRequest(**{**vars(AN_UPLOAD), "is_rehearsal": True})
    sizes = {len(encode_upload(AN_UPLOAD)), len(encode_upload(rehearsal))}

    assert sizes == {4096}


@given(exactly(VERIFY_SIZE - 4), st.integers(0, 2), st.integers(0, 3), st.integers(0, 3), st.integers(0, 2))
def test_any_verify_body_is_read_or_refused(rest, version, flags, step, kind):
    try:
        request = decode_verify(bytes([version, flags, step, kind]) + rest)
    except Refused:
        return
    assert (version, flags | 1, step in (1, 2), kind in (0, 1, 2)) == (1, 1, True, True)
    if kind == 2:
        assert (flags, step) == (0, 2)
        assert isinstance(request, SlipRequest)
    else:
        assert isinstance(request, Verify1Request if step == 1 else Verify2Request)


@given(st.integers(0, 2**32), st.integers(0, 100), st.integers(0, 100))
def test_any_upload_body_is_read_or_refused(seed, key_count, slot_count):
    body = bytearray(random.Random(seed).randbytes(UPLOAD_SIZE))
    body[0:2] = b"\1\0"
    body[324:326] = key_count.to_bytes(2, "big")
    body[326 + 23 * key_count : 328 + 23 * key_count] = slot_count.to_bytes(2, "big")
    if key_count > 15 or slot_count > 80:
        with pytest.raises(KeysRefused):
            decode_upload(bytes(body))
    else:
        request = decode_upload(bytes(body))
        assert (len(request.keys), len(request.slots)) == (key_count, slot_count)


@given(st.binary(max_size=5000))
def test_any_other_bytes_are_refused(body):
    for decode in (decode_verify, decode_upload):
        with contextlib.suppress(BadRequest, KeysRefused):
            decode(body)


@pytest.mark.parametrize("change", [-1, 1])
def test_a_body_of_another_size_is_refused(change):
    with pytest.raises(BadRequest):
        decode_upload((encode_upload(AN_UPLOAD) + b"x")[: UPLOAD_SIZE + change])
    with pytest.raises(BadRequest):
        decode_verify(
            (encode_verify1(Verify1Request(credential=Credential.from_link(bytes(16)))) + b"x")[: 1024 + change]
        )


@pytest.mark.parametrize(("position", "value"), [(0, 2), (1, 2), (1, 0x81), (2, 0), (2, 3), (3, 2)])
def test_an_odd_header_is_refused(position, value):
    body = bytearray(encode_verify1(Verify1Request(credential=Credential.from_link(bytes(16)))))
    body[position] = value

    with pytest.raises(BadRequest) as refused:
        decode_verify(bytes(body))
    assert refused.value.code == "bad_request"


@pytest.mark.parametrize("value", [b"12345678901x\0\0\0\0", b"123456789018000\0", b"123456789018\0\0\0\1"])
def test_digits_that_are_none_are_refused(value):
    body = bytearray(encode_verify1(Verify1Request(credential=Credential.from_digits("123456789018"))))
    body[4:20] = value

    with pytest.raises(BadRequest):
        decode_verify(bytes(body))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Verify1Request(credential=Credential.from_link(bytes(16)), challenge=b""),
        lambda: Verify1Request(credential=Credential.from_link(bytes(16)), nonce=b""),
        lambda: Verify2Request(credential=Credential.from_link(bytes(16)), kid=0, blinded=bytes(255)),
        lambda: Verify2Request(credential=Credential.from_link(bytes(16)), kid=2**16, blinded=bytes(256)),
        lambda: UploadRequest(kid=0, rand=bytes(31), signature=bytes(256), salt=bytes(32), keys=()),
        lambda: UploadRequest(kid=0, rand=bytes(32), signature=bytes(257), salt=bytes(32), keys=()),
        lambda: UploadRequest(kid=-1, rand=bytes(32), signature=bytes(256), salt=bytes(32), keys=()),
        lambda: UploadRequest(
            kid=0, rand=bytes(32), signature=bytes(256), salt=bytes(32), keys=(UploadKey(bytes(16), 0, 144, 1),) * 16
        ),
    ],
)
def test_a_message_that_cannot_be_encoded_is_refused(make):
    with pytest.raises(Refused):
        make()
