# SPDX-License-Identifier: Apache-2.0
"""Keys and certificates of two invented offices, made once per run."""

import datetime
import functools

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from bluezone.rollout.directives.exchange.edxml import Signer

NOW = datetime.datetime(2020, 8, 7, 3, 0, tzinfo=datetime.UTC)


@functools.cache
def signer(name="city", kind="ecdsa", bits=2048, at=NOW) -> Signer:
    """Key and certificate of an office, valid a month before and after `at`."""
    key = (
        ec.generate_private_key(ec.SECP256R1())
        if kind == "ecdsa"
        else rsa.generate_private_key(public_exponent=65537, key_size=bits)
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(at - datetime.timedelta(days=30))
        .not_valid_after(at + datetime.timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    return Signer(key, certificate)
