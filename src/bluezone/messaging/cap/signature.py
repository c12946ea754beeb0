# SPDX-License-Identifier: Apache-2.0
"""The signature of an alert: enveloped in the file, so that a relay can verify that it is from this office.

Made once, when the alert is sent, and stored with it, so the public site needs no key.

Source: Common Alerting Protocol 1.2, section 3.3.2.1 (enveloped XML signatures); XML Signature Syntax and Processing
(W3C, 2008); RFC 6931 for RSA with SHA-256.
"""

import datetime
import functools
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from django.conf import settings
from lxml import etree

from bluezone.messaging.present_city import present_city
from bluezone.office_secrets import write_once
from bluezone.refusal import Refused

KEY_BITS = 3072
KEY_LIFE = datetime.timedelta(days=3650)
_CLOCK_SLACK = datetime.timedelta(days=1)
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class AlertKeyUnusable(Refused):
    """keys/office-cap.pem has no RSA or elliptic key with its certificate; nothing was sent."""

    code = "alert_key_unusable"


def key_file() -> Path:
    """The file of key and certificate; an operator may put those from a certificate authority there."""
    return Path(settings.DATA_FOLDER) / "keys" / "office-cap.pem"


def sign_alert(xml: bytes, now: datetime.datetime) -> bytes:
    """The alert with its signature and the certificate in it. Raises AlertKeyUnusable."""
    # Imported here because few processes sign, and all would load it at start.
    from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
    from signxml.signer import XMLSigner

    key, certificate = _key_and_certificate(now)
    elliptic = isinstance(key, ec.EllipticCurvePrivateKey)
    signer = XMLSigner(
        signature_algorithm=SignatureMethod.ECDSA_SHA256 if elliptic else SignatureMethod.RSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    root = signer.sign(etree.fromstring(xml), key=key, cert=pem)
    return bytes(etree.tostring(root, encoding="utf-8", xml_declaration=True))


def certificate_fingerprint(now: datetime.datetime) -> str:
    """SHA-256 of the certificate, 64 hex digits, for relays that want to trust it. Raises AlertKeyUnusable."""
    return _key_and_certificate(now)[1].fingerprint(hashes.SHA256()).hex()


def _key_and_certificate(now: datetime.datetime) -> tuple[Key, x509.Certificate]:
    path = key_file()
    try:
        if not path.exists():
            write_once(path, _make_key(now))
        return _read(path.read_bytes())
    except OSError as error:
        raise AlertKeyUnusable(f"{path.name} cannot be read or written: {error.strerror}") from None


@functools.lru_cache(maxsize=1)
def _read(pem: bytes) -> tuple[Key, x509.Certificate]:
    try:
        key = serialization.load_pem_private_key(pem, None)
        certificate = x509.load_pem_x509_certificate(pem)
    except (ValueError, TypeError):
        raise AlertKeyUnusable("office-cap.pem needs a key without a password, and a certificate") from None
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise AlertKeyUnusable("office-cap.pem has neither an RSA nor an elliptic key")
    if key.public_key() != certificate.public_key():
        raise AlertKeyUnusable("the certificate in office-cap.pem is of another key")
    return key, certificate


def _make_key(now: datetime.datetime) -> bytes:
    """A key with a self-signed certificate; relays that trust it compare the fingerprint."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    name = x509.Name([
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, present_city().name_vi[:64]),
        x509.NameAttribute(NameOID.COMMON_NAME, "Bluezone CAP"),
    ])  # fmt: skip
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SLACK).not_valid_after(now + KEY_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)
