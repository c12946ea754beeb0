# SPDX-License-Identifier: Apache-2.0
import json
import math
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from bluezone.protocol import blindrsa
from bluezone.protocol.blindrsa import (
    InvalidBlindSignature,
    PrivateKey,
    PublicKey,
    blind,
    blind_sign,
    finalize,
    generate,
    verify,
)

VECTORS = Path(__file__).parents[1] / "vectors"
PUBLISHED = json.loads((VECTORS / "presence.json").read_text())["rfc9474"]["vectors"]


def read_key(entry: dict) -> PrivateKey:
    p, q = int(entry["p"], 16), int(entry["q"], 16)
    return PrivateKey(n=p * q, e=entry["e"], d=int(entry["d"], 16), p=p, q=q)


KEYS = [read_key(entry) for entry in json.loads((VECTORS / "blindrsa_test_keys.json").read_text())["keys"]]
KEY, OTHER = KEYS[:2]

keys = st.sampled_from(KEYS)
messages = st.binary(max_size=200)


@pytest.fixture(params=["gmpy2", "pow"])
def arithmetic(request, monkeypatch):
    """Run the test with each of the two arithmetics that may be installed."""
    if request.param == "pow":
        monkeypatch.setattr(blindrsa, "gmpy2", None)
    elif blindrsa.gmpy2 is None:
        pytest.skip("needs gmpy2 (extra `fast`), which is not installed")


@pytest.mark.usefixtures("arithmetic")
@pytest.mark.parametrize("case", PUBLISHED, ids=[case["name"] for case in PUBLISHED])
def test_published_vectors_are_reproduced_both_ways(case):
    numbers = {name: int(case[name], 16) for name in ("n", "e", "d", "p", "q", "inv")}
    inverse = numbers.pop("inv")
    private = PrivateKey(**numbers)
    message, salt, signature = (bytes.fromhex(case[name]) for name in ("input_msg", "salt", "sig"))

    blinded = blind(private.public, message, salt=salt, r=pow(inverse, -1, private.n))
    assert (blinded.message.hex(), blinded.inverse) == (case["blinded_msg"], inverse)
    assert blind_sign(private, bytes.fromhex(case["blinded_msg"])).hex() == case["blind_sig"]
    blind_sig = bytes.fromhex(case["blind_sig"])
    assert finalize(private.public, message, blind_sig, inverse, salt_length=len(salt)) == signature
    assert verify(private.public, message, signature, salt_length=len(salt))
    assert not verify(private.public, message, signature, salt_length=48 - len(salt))
    assert bytes.fromhex(case["msg_prefix"] + case["msg"]) == message


@given(keys, messages)
@settings(deadline=None, max_examples=30)
def test_what_is_signed_blindly_verifies(key, message):
    blinded = blind(key.public, message)
    signature = finalize(key.public, message, blind_sign(key, blinded.message), blinded.inverse)

    assert len(blinded.message) == len(signature) == 256
    assert verify(key.public, message, signature)
    assert not verify(key.public, message + b"\0", signature)


@pytest.mark.usefixtures("arithmetic")
def test_the_signature_is_an_ordinary_pss_signature():
    blinded = blind(KEY, b"message")
    signature = finalize(KEY, b"message", blind_sign(KEY, blinded.message), blinded.inverse)

    public = rsa.RSAPublicNumbers(KEY.e, KEY.n).public_key()
    public.verify(signature, b"message", padding.PSS(padding.MGF1(hashes.SHA384()), 48), hashes.SHA384())


def test_the_same_message_is_blinded_anew_and_signed_alike():
    first, second = blind(KEY, b"message"), blind(KEY, b"message")

    assert first.message != second.message
    assert blind_sign(KEY, first.message) == blind_sign(KEY, first.message)
    assert blind_sign(KEY, first.message) != blind_sign(KEY, second.message)


def test_the_signer_sees_nothing_of_the_message():
    blinded = blind(KEY, b"message", salt=bytes(48), r=12345)
    same_sight = blind(KEY, b"another", salt=bytes(48), r=1)
    wanted = int.from_bytes(blinded.message, "big")
    unblinded = int.from_bytes(same_sight.message, "big")
    factor = blindrsa._private_power(KEY, wanted * pow(unblinded, -1, KEY.n) % KEY.n)

    # Whatever message one names, some blinding factor explains what the signer saw.
    assert blind(KEY, b"another", salt=bytes(48), r=factor).message == blinded.message


@given(keys, st.binary(min_size=256, max_size=256))
@settings(deadline=None, max_examples=30)
def test_any_block_of_the_right_size_is_signed_or_refused(key, blinded):
    if int.from_bytes(blinded, "big") >= key.n:
        with pytest.raises(InvalidBlindSignature):
            blind_sign(key, blinded)
    else:
        assert len(blind_sign(key, blinded)) == 256


@pytest.mark.parametrize("number", [0, 1, KEY.p, KEY.n - 1])
def test_degenerate_numbers_are_signed_without_harm(number):
    signature = blind_sign(KEY, number.to_bytes(256, "big"))

    assert int.from_bytes(signature, "big") == pow(number, KEY.d, KEY.n)


@pytest.mark.parametrize("blinded", [b"", bytes(255), bytes(257), KEY.n.to_bytes(256, "big"), b"\xff" * 256])
def test_a_blinded_message_out_of_range_is_refused(blinded):
    with pytest.raises(InvalidBlindSignature) as refused:
        blind_sign(KEY, blinded)
    assert refused.value.code == "blind_signature_invalid"


@pytest.mark.parametrize("half", [0, 1, 2])
def test_a_faulty_half_is_never_released(half):
    damaged = PrivateKey(KEY.n, KEY.e, KEY.d, KEY.p, KEY.q)
    numbers = list(damaged.crt)
    numbers[half] ^= 1 << 20
    damaged.__dict__["crt"] = tuple(numbers)

    with pytest.raises(InvalidBlindSignature):
        blind_sign(damaged, blind(KEY, b"message").message)


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_no_other_answer_is_accepted(answer):
    blinded = blind(KEY, b"message", salt=bytes(48), r=3)

    with pytest.raises(InvalidBlindSignature):
        finalize(KEY, b"message", answer, blinded.inverse)
    assert not verify(KEY, b"message", answer)


def test_an_answer_of_another_key_or_message_is_refused():
    blinded = blind(KEY, b"message")
    answer = blind_sign(KEY, blinded.message)

    with pytest.raises(InvalidBlindSignature):
        finalize(KEY, b"messages", answer, blinded.inverse)
    with pytest.raises(InvalidBlindSignature):
        finalize(OTHER, b"message", answer, blinded.inverse)
    with pytest.raises(InvalidBlindSignature):
        finalize(KEY, b"message", bytes([answer[0] ^ 1]) + answer[1:], blinded.inverse)


@pytest.mark.usefixtures("arithmetic")
def test_a_factor_without_inverse_is_refused():
    with pytest.raises(InvalidBlindSignature):
        blind(KEY, b"message", r=KEY.p)


@pytest.mark.parametrize(
    ("n", "e"),
    [(0, 65537), (KEY.n - 1, 65537), (KEY.p, 65537), (KEY.n, 65536), (KEY.n, 1), (KEY.n, -3), (KEY.n, KEY.n)],
)
def test_a_key_that_is_none_is_refused(n, e):
    with pytest.raises(InvalidBlindSignature):
        PublicKey(n, e)


def test_private_numbers_must_fit_their_modulus_and_are_not_printed():
    with pytest.raises(InvalidBlindSignature):
        PrivateKey(KEY.n, KEY.e, KEY.d + 2, KEY.p, KEY.q)
    with pytest.raises(InvalidBlindSignature):
        PrivateKey(KEY.n, KEY.e, KEY.d, KEY.p, OTHER.q)
    assert str(KEY.p) not in repr(KEY)
    assert str(KEY.d) not in repr(KEY)


def test_a_new_key_has_the_length_in_use():
    key = generate()

    assert (key.n.bit_length(), key.e, key.length) == (2048, 65537, 256)
    assert math.gcd(key.p, key.q) == 1
    assert key.public == PublicKey(key.n, key.e)
