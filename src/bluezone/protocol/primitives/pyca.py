# SPDX-License-Identifier: Apache-2.0
"""The primitives with the package `cryptography`, for servers and desktops. Callers have checked every size."""

from functools import lru_cache

from cryptography import exceptions
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bluezone.protocol.primitives import InvalidTag


class Provider:
    """The functions of bluezone.protocol.primitives, which documents them."""

    @staticmethod
    def encrypt_blocks(key: bytes, blocks: bytes) -> bytes:
        """See bluezone.protocol.primitives."""
        encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305  the specification's PRF
        return encryptor.update(blocks)

    @staticmethod
    def apply_counter(key: bytes, counter: bytes, data: bytes) -> bytes:
        """See bluezone.protocol.primitives."""
        return Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor().update(data)

    @staticmethod
    def seal(key: bytes, nonce: bytes, plain: bytes, associated: bytes) -> bytes:
        """See bluezone.protocol.primitives."""
        return AESGCM(key).encrypt(nonce, plain, associated)

    @staticmethod
    def unseal(key: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> bytes:
        """See bluezone.protocol.primitives."""
        try:
            return AESGCM(key).decrypt(nonce, sealed, associated)
        except exceptions.InvalidTag:
            raise InvalidTag from None

    @staticmethod
    def verify_ed25519(public: bytes, signature: bytes, message: bytes) -> bool:
        """See bluezone.protocol.primitives."""
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        except (exceptions.InvalidSignature, ValueError):
            return False
        return True

    @staticmethod
    def sign_ed25519(secret: bytes, message: bytes) -> bytes:
        """See bluezone.protocol.primitives."""
        return Ed25519PrivateKey.from_private_bytes(secret).sign(message)

    @staticmethod
    def public_ed25519(secret: bytes) -> bytes:
        """See bluezone.protocol.primitives."""
        return Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()

    @staticmethod
    def verify_ecdsa(public: bytes, signature: bytes, message: bytes) -> bool:
        """See bluezone.protocol.primitives."""
        try:
            _p256(public).verify(signature, message, ec.ECDSA(hashes.SHA256()))
        except (exceptions.InvalidSignature, ValueError):
            return False
        return True

    @staticmethod
    def verify_pss(modulus: int, exponent: int, salt_length: int, signature: bytes, message: bytes) -> bool:
        """See bluezone.protocol.primitives."""
        scheme = padding.PSS(mgf=padding.MGF1(hashes.SHA384()), salt_length=salt_length)
        try:
            _rsa(modulus, exponent).verify(signature, message, scheme, hashes.SHA384())
        except (exceptions.InvalidSignature, ValueError):
            return False
        return True

    @staticmethod
    def agree_on_p256(public: bytes) -> tuple[bytes, bytes]:
        """See bluezone.protocol.primitives."""
        own = ec.generate_private_key(ec.SECP256R1())
        point = own.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return point, own.exchange(ec.ECDH(), _p256(public))


def _p256(point: bytes) -> ec.EllipticCurvePublicKey:
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)


@lru_cache(maxsize=32)
def _rsa(modulus: int, exponent: int) -> rsa.RSAPublicKey:
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()
