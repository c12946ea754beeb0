# SPDX-License-Identifier: Apache-2.0
"""The key with which this office signs the edXML files it sends, and the certificate by which others know it.

One PEM file in the data folder, keys/office-edxml.pem, readable by its owner alone and made at first need. Whoever
moves it away gets a new key at the next file, and the other offices must be given the new certificate. RSA, because its
signatures of the same text are the same: a status taken twice is the same file, byte for byte.
"""

import datetime
import functools
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from django.conf import settings

from bluezone.office_secrets import write_once
from bluezone.rollout.directives.exchange.edxml import Signer

KEY_BITS = 3072
KEY_LIFE = datetime.timedelta(days=3650)
_CLOCK_SLACK = datetime.timedelta(days=1)


def office_signer(now: datetime.datetime) -> Signer:
    """The office's key and certificate, made when there is none yet.

    Without a data folder (a build, a test run that names none) they last as long as the process.
    """
    stored = _stored(now)
    return _ephemeral() if stored is None else _read(stored)


def office_certificate(now: datetime.datetime) -> x509.Certificate:
    """The office's certificate alone: checking the private key takes a tenth of a second, and pages do not need it."""
    stored = _stored(now)
    return _ephemeral().certificate if stored is None else x509.load_pem_x509_certificate(stored)


def key_file() -> Path:
    """Where key and certificate lie."""
    return Path(settings.DATA_FOLDER) / "keys" / "office-edxml.pem"


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of a certificate, 64 hex digits."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def _stored(now: datetime.datetime) -> bytes | None:
    """The file of the key, made at first need; None without a data folder."""
    path = key_file()
    if not path.parent.parent.is_dir():
        return None
    if not path.exists():
        write_once(path, _made(now))
    return path.read_bytes()


@functools.cache
def _ephemeral() -> Signer:
    return _read(_made(datetime.datetime.now(datetime.UTC)))


def _made(now: datetime.datetime) -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    city = settings.CITY.name_vi if settings.CITY else "Bluezone"
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, city[:64]),
            x509.NameAttribute(NameOID.COMMON_NAME, "Bluezone edXML"),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SLACK)
        .not_valid_after(now + KEY_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)


@functools.lru_cache(maxsize=1)
def _read(pem: bytes) -> Signer:
    # OpenSSL proves an RSA key prime each time it is loaded, a sixth of a second for each file of a letter to 32.
    key = serialization.load_pem_private_key(pem, None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError(f"{key_file().name} holds no RSA key")
    return Signer(key, x509.load_pem_x509_certificate(pem))
