# SPDX-License-Identifier: Apache-2.0
"""The primitives with OpenSSL's libcrypto through ctypes, for phones. Callers have checked every size.

It is the library that Python's own ssl and hashlib are linked with, version 3.0 or newer. Only functions of its EVP
interface are called, none of them variadic. Every result is checked: 1 is success; 0, negative numbers and NULL are
failures according to the manual pages, and any other number is treated as one.

Source: OpenSSL 3.0's manual pages EVP_EncryptInit, EVP_DigestVerifyInit, EVP_PKEY_CTX_ctrl, EVP_PKEY_keygen,
EVP_PKEY_derive, d2i_X509 and ERR_clear_error; RFC 8017 appendix A.1.1 (RSAPublicKey).
"""

import _hashlib
import ctypes
import ctypes.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import POINTER, byref, c_char_p, c_int, c_long, c_size_t, c_ulong, c_void_p, create_string_buffer
from typing import Any

from bluezone.protocol.primitives import (
    AES_BLOCK,
    ED25519_KEY_LENGTH,
    ED25519_PREFIX,
    ED25519_SIGNATURE_LENGTH,
    GCM_TAG_LENGTH,
    P256_POINT_LENGTH,
    P256_PREFIX,
    InvalidTag,
)

_OLDEST_VERSION = 0x3000_0000
_SECRET_LENGTH = 32
# openssl/evp.h and openssl/rsa.h; part of the library's binary interface.
_GET_TAG = 0x10
_SET_TAG = 0x11
_PSS_PADDING = 6

_FUNCTIONS = {
    "OpenSSL_version_num": (c_ulong, []),
    "ERR_clear_error": (None, []),
    "EVP_CIPHER_fetch": (c_void_p, [c_void_p, c_char_p, c_char_p]),
    "EVP_CIPHER_CTX_new": (c_void_p, []),
    "EVP_CIPHER_CTX_free": (None, [c_void_p]),
    "EVP_CIPHER_CTX_set_padding": (c_int, [c_void_p, c_int]),
    "EVP_CIPHER_CTX_ctrl": (c_int, [c_void_p, c_int, c_int, c_void_p]),
    "EVP_EncryptInit_ex2": (c_int, [c_void_p, c_void_p, c_char_p, c_char_p, c_void_p]),
    "EVP_EncryptUpdate": (c_int, [c_void_p, c_void_p, POINTER(c_int), c_char_p, c_int]),
    "EVP_EncryptFinal_ex": (c_int, [c_void_p, c_void_p, POINTER(c_int)]),
    "EVP_DecryptInit_ex2": (c_int, [c_void_p, c_void_p, c_char_p, c_char_p, c_void_p]),
    "EVP_DecryptUpdate": (c_int, [c_void_p, c_void_p, POINTER(c_int), c_char_p, c_int]),
    "EVP_DecryptFinal_ex": (c_int, [c_void_p, c_void_p, POINTER(c_int)]),
    "EVP_MD_CTX_new": (c_void_p, []),
    "EVP_MD_CTX_free": (None, [c_void_p]),
    "EVP_DigestVerifyInit_ex": (
        c_int, [c_void_p, POINTER(c_void_p), c_char_p, c_void_p, c_char_p, c_void_p, c_void_p],
    ),
    "EVP_DigestVerify": (c_int, [c_void_p, c_char_p, c_size_t, c_char_p, c_size_t]),
    "EVP_DigestSignInit_ex": (
        c_int, [c_void_p, POINTER(c_void_p), c_char_p, c_void_p, c_char_p, c_void_p, c_void_p],
    ),
    "EVP_DigestSign": (c_int, [c_void_p, c_char_p, POINTER(c_size_t), c_char_p, c_size_t]),
    "EVP_PKEY_new_raw_private_key_ex": (c_void_p, [c_void_p, c_char_p, c_char_p, c_char_p, c_size_t]),
    "EVP_PKEY_get_raw_public_key": (c_int, [c_void_p, c_char_p, POINTER(c_size_t)]),
    "EVP_PKEY_CTX_set_rsa_padding": (c_int, [c_void_p, c_int]),
    "EVP_PKEY_CTX_set_rsa_pss_saltlen": (c_int, [c_void_p, c_int]),
    "EVP_PKEY_CTX_set_rsa_mgf1_md_name": (c_int, [c_void_p, c_char_p, c_char_p]),
    "EVP_PKEY_CTX_new_from_name": (c_void_p, [c_void_p, c_char_p, c_char_p]),
    "EVP_PKEY_CTX_new_from_pkey": (c_void_p, [c_void_p, c_void_p, c_char_p]),
    "EVP_PKEY_CTX_free": (None, [c_void_p]),
    "EVP_PKEY_CTX_set_group_name": (c_int, [c_void_p, c_char_p]),
    "EVP_PKEY_keygen_init": (c_int, [c_void_p]),
    "EVP_PKEY_generate": (c_int, [c_void_p, POINTER(c_void_p)]),
    "EVP_PKEY_derive_init": (c_int, [c_void_p]),
    "EVP_PKEY_derive_set_peer": (c_int, [c_void_p, c_void_p]),
    "EVP_PKEY_derive": (c_int, [c_void_p, c_void_p, POINTER(c_size_t)]),
    "EVP_PKEY_free": (None, [c_void_p]),
    "d2i_PUBKEY": (c_void_p, [c_void_p, POINTER(c_char_p), c_long]),
    "i2d_PUBKEY": (c_int, [c_void_p, POINTER(c_void_p)]),
}  # fmt: skip


class LibcryptoFailed(RuntimeError):
    """A call to libcrypto failed: for lack of memory or randomness, or for a public key that it cannot read."""


def _candidates() -> Iterator[str]:
    """Yield where the library may be: linked into Python's hashlib, under its names on Android, in the system."""
    if hasattr(_hashlib, "__file__"):
        yield _hashlib.__file__
    yield from ("libcrypto_python.so", "libcrypto_chaquopy.so")
    if system_library := ctypes.util.find_library("crypto"):
        yield system_library


def _open() -> ctypes.CDLL:
    """Open the first library that has every function and is new enough. Raises OSError."""
    for path in _candidates():
        try:
            library = ctypes.CDLL(path)
            for name, (result, arguments) in _FUNCTIONS.items():
                function = getattr(library, name)
                function.restype = result
                function.argtypes = arguments
        except (OSError, AttributeError):
            continue
        if library.OpenSSL_version_num() >= _OLDEST_VERSION:
            return library
    raise OSError("no libcrypto of OpenSSL 3.0 or newer was found")


_lib = _open()


def _require(outcome: int) -> None:
    """Raise LibcryptoFailed unless a call succeeded.

    Empties the error queue first, because Python's ssl reads the same queue and would report these errors as its own.
    """
    if outcome != 1:
        _lib.ERR_clear_error()
        raise LibcryptoFailed("libcrypto refused")


@contextmanager
def _owned(address: int | None, free: Callable[[int], None]) -> Iterator[int]:
    """Yield the object that a call returned and free it afterwards. Raises LibcryptoFailed for NULL."""
    if not address:
        _require(0)
    assert address
    try:
        yield address
    finally:
        free(address)
        _lib.ERR_clear_error()


def _fetch(name: bytes) -> int:
    cipher: int | None = _lib.EVP_CIPHER_fetch(None, name, None)
    if not cipher:
        raise OSError(f"libcrypto has no {name.decode()}")
    return cipher


# Never freed: they are needed until the program ends.
_ECB = _fetch(b"AES-128-ECB")
_CTR = _fetch(b"AES-128-CTR")
_GCM = {16: _fetch(b"AES-128-GCM"), 32: _fetch(b"AES-256-GCM")}


class Provider:
    """The functions of bluezone.protocol.primitives, which documents them."""

    @staticmethod
    def encrypt_blocks(key: bytes, blocks: bytes) -> bytes:
        """See bluezone.protocol.primitives."""
        return _encrypt(_ECB, key, None, blocks)

    @staticmethod
    def apply_counter(key: bytes, counter: bytes, data: bytes) -> bytes:
        """See bluezone.protocol.primitives."""
        return _encrypt(_CTR, key, counter, data)

    @staticmethod
    def seal(key: bytes, nonce: bytes, plain: bytes, associated: bytes) -> bytes:
        """See bluezone.protocol.primitives."""
        tag = create_string_buffer(GCM_TAG_LENGTH)
        size = c_int()
        with _owned(_lib.EVP_CIPHER_CTX_new(), _lib.EVP_CIPHER_CTX_free) as context:
            # The nonce has the default length of GCM.
            _require(_lib.EVP_EncryptInit_ex2(context, _GCM[len(key)], key, nonce, None))
            if associated:
                _require(_lib.EVP_EncryptUpdate(context, None, byref(size), associated, _length(associated)))
            sealed = _update(_lib.EVP_EncryptUpdate, context, plain)
            _require(_lib.EVP_EncryptFinal_ex(context, create_string_buffer(AES_BLOCK), byref(size)))
            _require(_lib.EVP_CIPHER_CTX_ctrl(context, _GET_TAG, GCM_TAG_LENGTH, tag))
        return sealed + tag.raw

    @staticmethod
    def unseal(key: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> bytes:
        """See bluezone.protocol.primitives."""
        content = sealed[:-GCM_TAG_LENGTH]
        tag = sealed[-GCM_TAG_LENGTH:]
        size = c_int()
        with _owned(_lib.EVP_CIPHER_CTX_new(), _lib.EVP_CIPHER_CTX_free) as context:
            _require(_lib.EVP_DecryptInit_ex2(context, _GCM[len(key)], key, nonce, None))
            if associated:
                _require(_lib.EVP_DecryptUpdate(context, None, byref(size), associated, _length(associated)))
            plain = _update(_lib.EVP_DecryptUpdate, context, content)
            _require(_lib.EVP_CIPHER_CTX_ctrl(context, _SET_TAG, GCM_TAG_LENGTH, tag))
            # `plain` is not returned before this call confirms the tag.
            if _lib.EVP_DecryptFinal_ex(context, create_string_buffer(AES_BLOCK), byref(size)) != 1:
                raise InvalidTag
        return plain

    @staticmethod
    def verify_ed25519(public: bytes, signature: bytes, message: bytes) -> bool:
        """See bluezone.protocol.primitives."""
        return _is_signed(ED25519_PREFIX + public, None, signature, message)

    @staticmethod
    def sign_ed25519(secret: bytes, message: bytes) -> bytes:
        """See bluezone.protocol.primitives."""
        signature = create_string_buffer(ED25519_SIGNATURE_LENGTH)
        size = c_size_t(ED25519_SIGNATURE_LENGTH)
        with (
            _ed25519_key(secret) as key,
            _owned(_lib.EVP_MD_CTX_new(), _lib.EVP_MD_CTX_free) as context,
        ):
            _require(_lib.EVP_DigestSignInit_ex(context, None, None, None, None, key, None))
            _require(_lib.EVP_DigestSign(context, signature, byref(size), message, len(message)))
        return signature.raw

    @staticmethod
    def public_ed25519(secret: bytes) -> bytes:
        """See bluezone.protocol.primitives."""
        public = create_string_buffer(ED25519_KEY_LENGTH)
        size = c_size_t(ED25519_KEY_LENGTH)
        with _ed25519_key(secret) as key:
            _require(_lib.EVP_PKEY_get_raw_public_key(key, public, byref(size)))
        return public.raw

    @staticmethod
    def verify_ecdsa(public: bytes, signature: bytes, message: bytes) -> bool:
        """See bluezone.protocol.primitives."""
        return _is_signed(P256_PREFIX + public, b"SHA256", signature, message)

    @staticmethod
    def verify_pss(modulus: int, exponent: int, salt_length: int, signature: bytes, message: bytes) -> bool:
        """See bluezone.protocol.primitives."""
        return _is_signed(_rsa_key(modulus, exponent), b"SHA384", signature, message, salt_length)

    @staticmethod
    def agree_on_p256(public: bytes) -> tuple[bytes, bytes]:
        """See bluezone.protocol.primitives."""
        with _owned(_generate_p256(), _lib.EVP_PKEY_free) as own, _public_key(P256_PREFIX + public) as peer:
            point = _point(own)
            secret = create_string_buffer(_SECRET_LENGTH)
            size = c_size_t(_SECRET_LENGTH)
            with _owned(_lib.EVP_PKEY_CTX_new_from_pkey(None, own, None), _lib.EVP_PKEY_CTX_free) as context:
                _require(_lib.EVP_PKEY_derive_init(context))
                _require(_lib.EVP_PKEY_derive_set_peer(context, peer))
                _require(_lib.EVP_PKEY_derive(context, secret, byref(size)))
            _require(size.value == _SECRET_LENGTH)
        return point, secret.raw


@contextmanager
def _ed25519_key(secret: bytes) -> Iterator[int]:
    """Yield the private key of 32 bytes. Raises LibcryptoFailed for another length."""
    made = _lib.EVP_PKEY_new_raw_private_key_ex(None, b"ED25519", None, secret, len(secret))
    with _owned(made, _lib.EVP_PKEY_free) as key:
        yield key


def _length(data: bytes) -> int:
    """Return the size of data as a C int. Raises OverflowError if it does not fit."""
    if len(data) >= 2**31:
        raise OverflowError(f"{len(data)} bytes at once, expected fewer than 2147483648")
    return len(data)


def _encrypt(cipher: int, key: bytes, counter: bytes | None, data: bytes) -> bytes:
    """Encrypt whole blocks, or any number of bytes with a stream cipher."""
    size = c_int()
    with _owned(_lib.EVP_CIPHER_CTX_new(), _lib.EVP_CIPHER_CTX_free) as context:
        _require(_lib.EVP_EncryptInit_ex2(context, cipher, key, counter, None))
        _require(_lib.EVP_CIPHER_CTX_set_padding(context, 0))
        encrypted = _update(_lib.EVP_EncryptUpdate, context, data)
        _require(_lib.EVP_EncryptFinal_ex(context, create_string_buffer(AES_BLOCK), byref(size)))
    return encrypted


def _update(update: Callable[[int, Any, Any, bytes, int], int], context: int, data: bytes) -> bytes:
    """Encrypt or decrypt data with one update call; the output has the same length."""
    if not data:
        return b""
    # According to the manual, the output may need one more block.
    output = create_string_buffer(len(data) + AES_BLOCK)
    size = c_int()
    _require(update(context, output, byref(size), data, _length(data)))
    _require(size.value == len(data))
    return output.raw[: len(data)]


@contextmanager
def _public_key(der: bytes) -> Iterator[int]:
    """Yield the public key of a SubjectPublicKeyInfo. Raises LibcryptoFailed for other bytes."""
    place = c_char_p(der)
    with _owned(_lib.d2i_PUBKEY(None, byref(place), len(der)), _lib.EVP_PKEY_free) as key:
        yield key


def _is_signed(der: bytes, digest: bytes | None, signature: bytes, message: bytes, salt_length: int = -1) -> bool:
    """Verify with the public key in `der`; False for any failure. salt_length: for PSS; negative for other schemes."""
    parameters = c_void_p()
    try:
        with (
            _public_key(der) as key,
            _owned(_lib.EVP_MD_CTX_new(), _lib.EVP_MD_CTX_free) as context,
        ):
            # `parameters` belongs to the context and is freed with it.
            _require(_lib.EVP_DigestVerifyInit_ex(context, byref(parameters), digest, None, None, key, None))
            if salt_length >= 0:
                _require(_lib.EVP_PKEY_CTX_set_rsa_padding(parameters, _PSS_PADDING))
                _require(_lib.EVP_PKEY_CTX_set_rsa_mgf1_md_name(parameters, digest, None))
                _require(_lib.EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, salt_length))
            outcome: int = _lib.EVP_DigestVerify(context, signature, len(signature), message, len(message))
            return outcome == 1
    except LibcryptoFailed:
        return False


def _generate_p256() -> int | None:
    key = c_void_p()
    with _owned(_lib.EVP_PKEY_CTX_new_from_name(None, b"EC", None), _lib.EVP_PKEY_CTX_free) as context:
        _require(_lib.EVP_PKEY_keygen_init(context))
        _require(_lib.EVP_PKEY_CTX_set_group_name(context, b"P-256"))
        _require(_lib.EVP_PKEY_generate(context, byref(key)))
    return key.value


def _point(key: int) -> bytes:
    """Return the uncompressed point of a key on P-256, 65 bytes."""
    size = len(P256_PREFIX) + P256_POINT_LENGTH
    _require(_lib.i2d_PUBKEY(key, None) == size)
    output = create_string_buffer(size)
    place = c_void_p(ctypes.addressof(output))
    _require(_lib.i2d_PUBKEY(key, byref(place)) == size)
    _require(output.raw.startswith(P256_PREFIX))
    return output.raw[len(P256_PREFIX) :]


def _rsa_key(modulus: int, exponent: int) -> bytes:
    """Return the SubjectPublicKeyInfo of an RSA key: rsaEncryption, and a bit string of the two numbers."""
    numbers = b"".join(
        _der(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big")) for number in (modulus, exponent)
    )
    algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
    return _der(0x30, algorithm + _der(0x03, b"\0" + _der(0x30, numbers)))


def _der(tag: int, content: bytes) -> bytes:
    """Return one value in DER: tag, length, content."""
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content
