# SPDX-License-Identifier: Apache-2.0
"""Both providers of cryptography answer the same, and refuse the same. `cryptography` itself is the reference."""

import base64
import os
import subprocess
import sys
import threading
from functools import partial

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.builders.hpke import point

from bluezone.protocol import primitives
from bluezone.protocol.primitives import InvalidPublicKey, InvalidTag, libcrypto, pyca

MESSAGE = b"245,000 keys"
KEY = bytes(range(32))
NONCE = bytes(range(12))
ED25519 = Ed25519PrivateKey.from_private_bytes(KEY)
P256 = ec.derive_private_key(20_200_807, ec.SECP256R1())
RSA = rsa.generate_private_key(65537, 2048)
ED25519_PUBLIC = ED25519.public_key().public_bytes_raw()
P256_PUBLIC = point(P256.public_key())
MODULUS = RSA.public_key().public_numbers().n
ED25519_SIGNATURE = ED25519.sign(MESSAGE)
P256_SIGNATURE = P256.sign(MESSAGE, ec.ECDSA(hashes.SHA256()))
# Of the curve and of Ed25519's group.
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493


def signed_pss(salt_length, digest=hashes.SHA384, mask=hashes.SHA384):
    return RSA.sign(MESSAGE, padding.PSS(padding.MGF1(mask()), salt_length), digest())


@pytest.fixture(params=[pyca.Provider, libcrypto.Provider], ids=["cryptography", "libcrypto"], autouse=True)
def provider(request, monkeypatch):
    monkeypatch.setattr(primitives, "_provider", request.param)
    return request.param


def unnamed(value):
    """Keys and signatures differ from run to run, and every process of a run must know tests by the same names."""
    return "case"


def flipped(data, bit):
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def with_other_s(signature, change):
    r, s = decode_dss_signature(signature)
    return encode_dss_signature(*change(r, s))


def pem(public):
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize(
    ("key", "blocks", "expected"),
    [
        # FIPS 197 appendix B, and the four blocks of SP 800-38A F.1.1.
        (
            "2b7e151628aed2a6abf7158809cf4f3c",
            "3243f6a8885a308d313198a2e0370734",
            "3925841d02dc09fbdc118597196a0b32",
        ),
        (
            "2b7e151628aed2a6abf7158809cf4f3c",
            "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51",
            "3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf",
        ),
    ],
)
def test_blocks_are_encrypted_as_published(key, blocks, expected):
    assert primitives.encrypt_blocks(bytes.fromhex(key), bytes.fromhex(blocks)).hex() == expected


def test_the_counter_mode_is_the_published_one_and_undoes_itself():
    """SP 800-38A F.5.1, and a counter that runs over."""
    key = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
    counter = bytes.fromhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
    plain = bytes.fromhex("6bc1bee22e409f96e93d7e117393172aae2d8a57")

    encrypted = primitives.apply_counter(key, counter, plain)

    assert encrypted.hex() == "874d6191b620e3261bef6864990db6ce9806f66b"
    assert primitives.apply_counter(key, counter, encrypted) == plain
    ran_over = primitives.apply_counter(key, b"\xff" * 16, bytes(32))
    assert ran_over[16:] == primitives.encrypt_blocks(key, bytes(16))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([16, 32]), st.binary(max_size=80), st.binary(max_size=40), st.integers(0, 10**6))
def test_what_is_sealed_is_what_the_reference_seals_and_no_changed_bit_opens(size, plain, associated, place):
    sealed = primitives.seal(KEY[:size], NONCE, plain, associated)

    assert sealed == AESGCM(KEY[:size]).encrypt(NONCE, plain, associated)
    assert primitives.unseal(KEY[:size], NONCE, sealed, associated) == plain
    with pytest.raises(InvalidTag):
        primitives.unseal(KEY[:size], NONCE, flipped(sealed, place % (8 * len(sealed))), associated)


SEALED = AESGCM(KEY).encrypt(NONCE, MESSAGE, b"place")


@pytest.mark.parametrize(
    ("key", "nonce", "sealed", "associated"),
    [
        (bytes(32), NONCE, SEALED, b"place"),
        (KEY[:16], NONCE, SEALED, b"place"),
        (KEY, bytes(12), SEALED, b"place"),
        (KEY, NONCE, SEALED, b"another place"),
        (KEY, NONCE, SEALED, b""),
        (KEY, NONCE, SEALED[:-1], b"place"),
        (KEY, NONCE, SEALED + b"\0", b"place"),
        (KEY, NONCE, SEALED[:15], b"place"),
        (KEY, NONCE, b"", b"place"),
        (KEY, NONCE[:11], SEALED, b"place"),
        (KEY, NONCE + b"\0", SEALED, b"place"),
        (KEY, b"", SEALED, b"place"),
    ],
    ids=unnamed,
)
def test_what_was_sealed_otherwise_is_refused(key, nonce, sealed, associated):
    with pytest.raises(InvalidTag):
        primitives.unseal(key, nonce, sealed, associated)


@pytest.mark.parametrize(
    "call",
    [
        partial(primitives.encrypt_blocks, bytes(15), bytes(16)),
        partial(primitives.encrypt_blocks, bytes(32), bytes(16)),
        partial(primitives.encrypt_blocks, bytes(16), bytes(15)),
        partial(primitives.apply_counter, bytes(16), bytes(15), b"1"),
        partial(primitives.apply_counter, bytes(24), bytes(16), b"1"),
        partial(primitives.seal, bytes(24), bytes(12), b"1"),
        partial(primitives.seal, bytes(16), bytes(11), b"1"),
        partial(primitives.unseal, bytes(15), bytes(12), bytes(20)),
    ],
    ids=unnamed,
)
def test_keys_nonces_and_blocks_of_another_size_are_refused(call):
    with pytest.raises(ValueError, match="expected"):
        call()


def test_good_signatures_verify():
    assert primitives.verify_ed25519(ED25519_PUBLIC, ED25519_SIGNATURE, MESSAGE)
    assert primitives.verify_ed25519(ED25519_PUBLIC, ED25519.sign(b""), b"")
    assert primitives.verify_ecdsa(P256_PUBLIC, P256_SIGNATURE, MESSAGE)
    assert primitives.verify_ecdsa(P256_PUBLIC, P256.sign(b"", ec.ECDSA(hashes.SHA256())), b"")
    for salt_length in (0, 48):
        assert primitives.verify_pss(MODULUS, 65537, salt_length, signed_pss(salt_length), MESSAGE)


@pytest.mark.parametrize("provider", [pyca.Provider, libcrypto.Provider])
@pytest.mark.parametrize("message", [MESSAGE, b""])
def test_both_providers_sign_with_ed25519_alike(provider, message):
    assert provider.sign_ed25519(KEY, message) == ED25519.sign(message)
    assert provider.public_ed25519(KEY) == ED25519_PUBLIC


def off_curve(public):
    return flipped(public, 8 * 64)


@pytest.mark.parametrize(
    ("public", "signature"),
    [
        (ED25519_PUBLIC, bytes(64)),
        (ED25519_PUBLIC, b""),
        (ED25519_PUBLIC, ED25519_SIGNATURE[:-1]),
        (ED25519_PUBLIC, ED25519_SIGNATURE + b"\0"),
        (ED25519_PUBLIC, Ed25519PrivateKey.from_private_bytes(bytes(32)).sign(MESSAGE)),
        (ED25519_PUBLIC, ED25519.sign(MESSAGE + b"\0")),
        # S and S + L would both fit; only the lower may pass (RFC 8032 section 5.1.7).
        (
            ED25519_PUBLIC,
            ED25519_SIGNATURE[:32]
            + (int.from_bytes(ED25519_SIGNATURE[32:], "little") + ED25519_ORDER).to_bytes(32, "little"),
        ),
        (ED25519_PUBLIC[:-1], ED25519_SIGNATURE),
        (ED25519_PUBLIC + b"\0", ED25519_SIGNATURE),
        (b"", ED25519_SIGNATURE),
        (bytes(32), ED25519_SIGNATURE),
        # y = 2 is on no point of the curve; all ones are no field element.
        (b"\x02" + bytes(31), ED25519_SIGNATURE),
        (b"\xff" * 32, ED25519_SIGNATURE),
    ],
    ids=unnamed,
)
def test_another_ed25519_signature_or_key_is_refused(public, signature):
    assert primitives.verify_ed25519(public, signature, MESSAGE) is False


@pytest.mark.parametrize(
    ("public", "signature"),
    [
        (P256_PUBLIC, b""),
        (P256_PUBLIC, bytes(64)),
        (P256_PUBLIC, bytes(72)),
        (P256_PUBLIC, P256_SIGNATURE[:-1]),
        (P256_PUBLIC, P256_SIGNATURE + b"\0"),
        (P256_PUBLIC, b"\x30\x81" + P256_SIGNATURE[1:]),
        (P256_PUBLIC, P256.sign(MESSAGE, ec.ECDSA(hashes.SHA384()))),
        (P256_PUBLIC, P256.sign(MESSAGE + b"\0", ec.ECDSA(hashes.SHA256()))),
        (P256_PUBLIC, ec.derive_private_key(7, ec.SECP256R1()).sign(MESSAGE, ec.ECDSA(hashes.SHA256()))),
        (P256_PUBLIC, with_other_s(P256_SIGNATURE, lambda r, s: (0, s))),
        (P256_PUBLIC, with_other_s(P256_SIGNATURE, lambda r, s: (r, 0))),
        (P256_PUBLIC, with_other_s(P256_SIGNATURE, lambda r, s: (0, 0))),
        (P256_PUBLIC, with_other_s(P256_SIGNATURE, lambda r, s: (r, s + P256_ORDER))),
        (P256_PUBLIC, with_other_s(P256_SIGNATURE, lambda r, s: (r + P256_ORDER, s))),
        (off_curve(P256_PUBLIC), P256_SIGNATURE),
        (P256_PUBLIC[:-1], P256_SIGNATURE),
        (P256_PUBLIC + b"\0", P256_SIGNATURE),
        (b"\x06" + P256_PUBLIC[1:], P256_SIGNATURE),
        (b"\0", P256_SIGNATURE),
        (b"", P256_SIGNATURE),
        (b"\x04" + bytes(64), P256_SIGNATURE),
        (b"\x04" + b"\xff" * 64, P256_SIGNATURE),
    ],
    ids=unnamed,
)
def test_another_ecdsa_signature_or_key_is_refused(public, signature):
    assert primitives.verify_ecdsa(public, signature, MESSAGE) is False


def test_a_compressed_point_is_refused_like_any_other_spelling():
    compressed = P256.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)

    assert primitives.verify_ecdsa(compressed, P256_SIGNATURE, MESSAGE) is False


@pytest.mark.parametrize(
    ("modulus", "exponent", "salt_length", "signature"),
    [
        (MODULUS, 65537, 48, signed_pss(0)),
        (MODULUS, 65537, 0, signed_pss(48)),
        (MODULUS, 65537, 48, signed_pss(47)),
        (MODULUS, 65537, 48, signed_pss(48, digest=hashes.SHA256)),
        (MODULUS, 65537, 48, signed_pss(48, mask=hashes.SHA256)),
        (MODULUS, 65537, 48, RSA.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA384())),
        (MODULUS, 65537, 48, signed_pss(48)[:-1]),
        (MODULUS, 65537, 48, b"\0" + signed_pss(48)),
        (MODULUS, 65537, 48, b""),
        (MODULUS, 65537, 48, bytes(256)),
        (MODULUS, 65537, 48, b"\xff" * 256),
        (MODULUS, 65537, 48, (MODULUS - 1).to_bytes(256, "big")),
        (MODULUS, 65537, 48, MODULUS.to_bytes(256, "big")),
        (MODULUS, 3, 48, signed_pss(48)),
        (MODULUS ^ 2, 65537, 48, signed_pss(48)),
        (MODULUS, 65537, 300, signed_pss(48)),
    ],
    ids=unnamed,
)
def test_another_pss_signature_salt_or_key_is_refused(modulus, exponent, salt_length, signature):
    assert primitives.verify_pss(modulus, exponent, salt_length, signature, MESSAGE) is False


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.data())
def test_no_changed_bit_of_key_signature_or_message_verifies(data):
    verify, public, signature = data.draw(
        st.sampled_from(
            [
                (primitives.verify_ed25519, ED25519_PUBLIC, ED25519_SIGNATURE),
                (primitives.verify_ecdsa, P256_PUBLIC, P256_SIGNATURE),
            ]
        )
    )
    told = [public, signature, MESSAGE]
    which = data.draw(st.integers(0, 2))
    told[which] = flipped(told[which], data.draw(st.integers(0, 8 * len(told[which]) - 1)))

    assert verify(*told) is False


def test_two_sides_agree_on_one_secret_and_never_on_the_same_twice():
    drawn, secret = primitives.agree_on_p256(P256_PUBLIC)
    again, _ = primitives.agree_on_p256(P256_PUBLIC)

    theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), drawn)
    assert P256.exchange(ec.ECDH(), theirs) == secret
    assert again != drawn


@pytest.mark.parametrize(
    "public",
    [b"", b"\0", b"\x04" + bytes(64), P256_PUBLIC[:-1], off_curve(P256_PUBLIC), b"\x02" + P256_PUBLIC[1:33]],
    ids=["nothing", "infinity", "zeros", "cut", "off the curve", "compressed"],
)
def test_nobody_agrees_with_a_point_that_is_none(public):
    with pytest.raises(InvalidPublicKey):
        primitives.agree_on_p256(public)


def test_a_provider_refuses_a_point_off_the_curve_by_itself_too(provider):
    """The seam looks first; should that ever be lost, no secret leaks through an invalid curve."""
    with pytest.raises((ValueError, RuntimeError)):
        provider.agree_on_p256(off_curve(P256_PUBLIC))
    assert provider.verify_ecdsa(off_curve(P256_PUBLIC), P256_SIGNATURE, MESSAGE) is False


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, P256_ORDER - 1))
def test_every_key_on_p256_is_read_from_its_pem(private):
    public = ec.derive_private_key(private, ec.SECP256R1()).public_key()

    assert primitives.read_p256_pem(pem(public)) == point(public)


def test_an_ed25519_key_is_read_from_its_pem():
    assert primitives.read_ed25519_pem("\n" + pem(ED25519.public_key()).replace("\n", "\r\n")) == ED25519_PUBLIC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no key",
        pem(P256.public_key()) * 2,
        pem(P256.public_key()) + "and more",
        "a title\n" + pem(P256.public_key()),
        pem(P256.public_key()).replace("PUBLIC KEY", "EC PUBLIC KEY"),
        pem(ec.derive_private_key(7, ec.SECP256K1()).public_key()),
        pem(ec.derive_private_key(7, ec.SECP384R1()).public_key()),
        pem(RSA.public_key()),
        pem(ED25519.public_key()),
        pem(P256.public_key()).replace("A", "*", 1),
        pem(P256.public_key()).replace("==", "="),
    ],
    ids=unnamed,
)
def test_what_is_not_one_key_on_p256_in_pem_is_refused(text):
    with pytest.raises(InvalidPublicKey):
        primitives.read_p256_pem(text)


def test_a_pem_of_a_point_off_the_curve_is_refused():
    damaged = primitives.P256_PREFIX + off_curve(P256_PUBLIC)
    text = f"-----BEGIN PUBLIC KEY-----\n{base64.b64encode(damaged).decode()}\n-----END PUBLIC KEY-----"

    with pytest.raises(InvalidPublicKey, match="no point on P-256"):
        primitives.read_p256_pem(text)


def test_failures_leave_nothing_in_the_queue_of_errors_that_ssl_reads():
    peek = libcrypto._lib.ERR_peek_error
    peek.restype = libcrypto.c_ulong
    refusals = [
        partial(libcrypto.Provider.verify_ecdsa, bytes(65), P256_SIGNATURE, MESSAGE),
        partial(libcrypto.Provider.verify_ecdsa, P256_PUBLIC, b"no signature", MESSAGE),
        partial(libcrypto.Provider.verify_pss, MODULUS, 65537, 48, bytes(256), MESSAGE),
    ]

    assert [(refuse(), peek()) for refuse in refusals] == [(False, 0)] * len(refusals)


def test_many_threads_seal_and_verify_at_once():
    wrong = []

    def work():
        for number in range(200):
            plain = number.to_bytes(4, "big") * 50
            if primitives.unseal(KEY, NONCE, primitives.seal(KEY, NONCE, plain)) != plain:
                wrong.append(number)
            if primitives.verify_ed25519(ED25519_PUBLIC, ED25519_SIGNATURE, MESSAGE) is not True:
                wrong.append(number)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def chosen(**environment):
    ask = "from bluezone.protocol import primitives as p; print(p.PROVIDER, p._provider.__module__)"
    known = {name: value for name, value in os.environ.items() if name != primitives.CHOICE_VARIABLE}
    done = subprocess.run(
        [sys.executable, "-c", ask], env={**known, **environment}, capture_output=True, text=True, check=False
    )
    return done.stdout.split() or done.stderr.splitlines()[-1]


def test_the_setting_chooses_and_without_one_it_is_cryptography():
    assert chosen() == ["cryptography", "bluezone.protocol.primitives.pyca"]
    assert chosen(BLUEZONE_PRIMITIVES="libcrypto") == ["libcrypto", "bluezone.protocol.primitives.libcrypto"]
    assert "expected one of: cryptography libcrypto" in chosen(BLUEZONE_PRIMITIVES="openssl")
