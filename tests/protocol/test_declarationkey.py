# SPDX-License-Identifier: Apache-2.0
import unicodedata

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.builders.hpke import point

from bluezone.protocol.declaration import InvalidDeclarationKey, read_public_key
from bluezone.protocol.declarationkey import (
    PassphraseTooShort,
    PassphraseWrong,
    new_private_key,
    public_key_pem,
    seal_private_key,
    unseal_private_key,
)

pytestmark = pytest.mark.long

PASSPHRASE = "bốn mùa hoa nở trên đỉnh núi"


@pytest.fixture(scope="module")
def private_key():
    return new_private_key()


@pytest.fixture(scope="module")
def sealed(private_key):
    return seal_private_key(private_key, PASSPHRASE)


def test_the_passphrase_opens_the_key_that_it_sealed(private_key, sealed):
    assert unseal_private_key(sealed, PASSPHRASE).private_numbers() == private_key.private_numbers()


def test_a_keyboard_that_composes_tone_marks_differently_opens_it_too(private_key, sealed):
    opened = unseal_private_key(sealed, unicodedata.normalize("NFD", PASSPHRASE) + "\n")

    assert opened.private_numbers() == private_key.private_numbers()


def test_another_passphrase_does_not(sealed):
    with pytest.raises(PassphraseWrong) as refused:
        unseal_private_key(sealed, "năm mùa hoa nở trên đỉnh núi")

    assert refused.value.code == "passphrase_wrong"
    assert "hoa" not in refused.value.message


@pytest.mark.parametrize("length", [0, 15, 28, 40, -1])
def test_a_cut_or_changed_key_is_refused(sealed, length):
    changed = sealed[:length] if length >= 0 else sealed[:-1] + bytes([sealed[-1] ^ 1])

    with pytest.raises(PassphraseWrong):
        unseal_private_key(changed, PASSPHRASE)


def test_a_short_passphrase_is_refused_before_it_protects_anything(private_key):
    with pytest.raises(PassphraseTooShort) as refused:
        seal_private_key(private_key, "hoa nở          ")

    assert refused.value.code == "passphrase_too_short"


def test_two_seals_of_one_key_share_nothing(private_key, sealed):
    again = seal_private_key(private_key, PASSPHRASE)

    assert again[:16] != sealed[:16]
    assert again[28:] != sealed[28:]
    assert len(again) == len(sealed)


def test_the_public_half_survives_the_config(private_key):
    assert read_public_key(public_key_pem(private_key)) == point(private_key.public_key())


def _pem(public_key):
    return public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not a key",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        _pem(ec.generate_private_key(ec.SECP384R1()).public_key()),
        _pem(ed25519.Ed25519PrivateKey.generate().public_key()),
    ],
    ids=["empty", "text", "no key inside", "another curve", "another kind"],
)
def test_what_is_no_p256_key_is_refused(text):
    with pytest.raises(InvalidDeclarationKey) as refused:
        read_public_key(text)

    assert refused.value.code == "declaration_key_invalid"
