# SPDX-License-Identifier: Apache-2.0
"""Certificates of other offices and signers, entered and removed; the key with which this office signs; who signed a
stored PDF, as far as they vouch for it.
"""

import base64
import binascii
import datetime
import functools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from bluezone.audit import hash_chain
from bluezone.directory.models import Agency
from bluezone.identity.models import User
from bluezone.office_secrets import write_once
from bluezone.refusal import Refused
from bluezone.rollout.directives.exchange.edxml import Signer
from bluezone.rollout.directives.models import PartnerAddress, PartnerCertificate, StoredFile

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


LARGEST_CERTIFICATE = 20_000
_SMALLEST_RSA_KEY = 2048


class CertificateUnreadable(Refused):
    """The file is no X.509 certificate in PEM or DER, or holds a private key beside it."""

    code = "certificate_unreadable"


class CertificateUnfit(Refused):
    """The certificate is past its time, has a weak key, or is this office's own."""

    code = "certificate_unfit"


class CertificateHeld(Refused):
    """The certificate is entered for this agency already."""

    code = "certificate_held"


class AddressUnfit(Refused):
    """The address of another office is no https:// origin, or its certificate authority cannot be read."""

    code = "partner_address_unfit"


class AgencyWithoutIdentifier(Refused):
    """The agency has no identifier on the document axis, by which files name it."""

    code = "agency_without_identifier"


def read_certificate(data: bytes, now: datetime.datetime) -> x509.Certificate:
    """Return the certificate of a file. Raises CertificateUnreadable or CertificateUnfit."""
    if len(data) > LARGEST_CERTIFICATE:
        raise CertificateUnreadable(f"the file is {len(data)} bytes, at most {LARGEST_CERTIFICATE} are read")
    if b"PRIVATE KEY" in data:
        raise CertificateUnreadable("the file contains a private key; send only the certificate")
    try:
        read = x509.load_pem_x509_certificate if b"-----BEGIN" in data else x509.load_der_x509_certificate
        certificate = read(data)
        key = certificate.public_key()
        ends = certificate.not_valid_after_utc
    except (ValueError, TypeError) as error:
        raise CertificateUnreadable(f"the file is not a certificate ({type(error).__name__})") from None
    if ends <= now:
        raise CertificateUnfit(f"the certificate was valid until {ends:%Y-%m-%d}")
    strong = isinstance(key, ec.EllipticCurvePublicKey) or (
        isinstance(key, rsa.RSAPublicKey) and key.key_size >= _SMALLEST_RSA_KEY
    )
    if not strong:
        raise CertificateUnfit(f"the key is neither RSA of at least {_SMALLEST_RSA_KEY} bits nor ECDSA")
    if fingerprint(certificate) == fingerprint(office_certificate(now)):
        raise CertificateUnfit("the certificate is this office's own")
    return certificate


def holder(certificate: x509.Certificate) -> str:
    """Whose certificate it says it is: common name and organisation, as written."""
    names = [
        str(attribute.value)
        for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
        for attribute in certificate.subject.get_attributes_for_oid(kind)
    ]
    return ", ".join(dict.fromkeys(names))[:300] or certificate.subject.rfc4514_string()[:300]


def pin(
    agency: Agency,
    certificate: x509.Certificate,
    user: User,
    now: datetime.datetime,
    use: str = PartnerCertificate.Use.EXCHANGE,
) -> PartnerCertificate:
    """Hold a certificate for an agency. Raises CertificateHeld or, for exchange files, AgencyWithoutIdentifier."""
    if use == PartnerCertificate.Use.EXCHANGE and not agency.edxml_id:
        raise AgencyWithoutIdentifier("the agency has no identifier on the document axis")
    mark = fingerprint(certificate)
    with transaction.atomic():
        Agency.objects.select_for_update().get(pk=agency.pk)
        if PartnerCertificate.objects.filter(agency=agency, fingerprint=mark, use=use, removed_at=None).exists():
            raise CertificateHeld("the certificate is entered for this agency already")
        made = PartnerCertificate.objects.create(
            agency=agency,
            use=use,
            pem=certificate.public_bytes(Encoding.PEM).decode(),
            fingerprint=mark,
            subject=holder(certificate),
            valid_from=certificate.not_valid_before_utc,
            valid_to=certificate.not_valid_after_utc,
            added_by=user,
            added_at=now,
        )
        hash_chain.record(user.username, "certificate_pinned", agency.key, now=now, fingerprint=mark, use=str(use))
    return made


def remove(held: PartnerCertificate, user: User, now: datetime.datetime) -> bool:
    """Believe a certificate no longer; what was read in with it stays. False when it was removed before."""
    with transaction.atomic():
        done = PartnerCertificate.objects.filter(pk=held.pk, removed_at=None).update(removed_at=now, removed_by=user)
        if done:
            hash_chain.record(
                user.username, "certificate_removed", held.agency.key, now=now, fingerprint=held.fingerprint
            )
    return bool(done)


def set_address(agency: Agency, url: str, authority: str, user: User, now: datetime.datetime) -> None:
    """Exchange with an agency's office over the network from now on; an empty address ends it.

    url: `https://host` or `https://host:port`. authority: PEM of certificates, "" for those this machine trusts.
    Raises AddressUnfit, or AgencyWithoutIdentifier where no certificate of the agency is held.
    """
    if agency.pk not in elsewhere():
        raise AgencyWithoutIdentifier("no certificate for exchange files is held for the agency")
    if url:
        url, authority = _origin(url), _authority(authority)
    with transaction.atomic():
        if url:
            values = {"url": url, "authority": authority, "set_by": user, "set_at": now}
            PartnerAddress.objects.update_or_create(agency=agency, defaults=values)
        else:
            PartnerAddress.objects.filter(agency=agency).delete()
        hash_chain.record(user.username, "partner_address_set", agency.key, now=now, url=url)


def _origin(url: str) -> str:
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise AddressUnfit("the address is not a URL") from None
    bare = parts.scheme == "https" and parts.hostname and not parts.username and not parts.query and not parts.fragment
    if not bare or parts.path.strip("/") or not parts.netloc.isascii() or len(url) > 200:
        raise AddressUnfit("the address is not of the form https://host or https://host:port")
    return f"https://{parts.netloc.lower()}" if port != 443 else f"https://{parts.netloc.lower().rsplit(':', 1)[0]}"


def _authority(pem: str) -> str:
    if not pem.strip():
        return ""
    if len(pem) > LARGEST_CERTIFICATE or "PRIVATE KEY" in pem:
        raise AddressUnfit("the file of the authority is too large or holds a private key")
    try:
        found = x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        raise AddressUnfit("the file of the authority is not a certificate (PEM)") from None
    return "".join(one.public_bytes(Encoding.PEM).decode() for one in found)


def trusted() -> dict[str, list[x509.Certificate]]:
    """The certificates held for exchange files, by the identifier of their agency on the document axis."""
    found: dict[str, list[x509.Certificate]] = {}
    for held in _for_exchange().select_related("agency"):
        if held.agency.edxml_id:
            certificate = x509.load_pem_x509_certificate(held.pem.encode())
            found.setdefault(held.agency.edxml_id, []).append(certificate)
    return found


def held_of(organ_id: str, at: datetime.datetime) -> list[x509.Certificate]:
    """The certificates held for the exchange with the agency of this identifier that are valid at `at`."""
    held = _for_exchange().filter(agency__edxml_id=organ_id, valid_from__lte=at, valid_to__gte=at)
    found = held.values_list("pem", flat=True) if organ_id else ()
    return [x509.load_pem_x509_certificate(pem.encode()) for pem in found]


def holding(mark: str, organ_id: str) -> PartnerCertificate | None:
    """The entry of a certificate (its fingerprint) for the agency with this identifier."""
    found = _for_exchange().filter(fingerprint=mark, agency__edxml_id=organ_id)
    return found.select_related("agency__unit").first()


def elsewhere() -> set[int]:
    """Primary keys of agencies that are of another office: those whose certificates for exchange files are held."""
    return set(_for_exchange().values_list("agency", flat=True))


def _for_exchange() -> QuerySet[PartnerCertificate]:
    return PartnerCertificate.objects.filter(removed_at=None, use=PartnerCertificate.Use.EXCHANGE)


@dataclass(frozen=True)
class Signature:
    """One signature as a page shows it.

    state: as `letters.files.pdf_letter.read_signatures` found it. name: as the certificate has it. said_at: by the
    signer's clock. held: the entry of the certificate, or of the authority that issued it, in this office's list; None
    where there is none.
    """

    state: str
    name: str
    said_at: datetime.datetime | None
    stamped: bool
    fingerprint: str
    held: PartnerCertificate | None = None
    by_authority: bool = False


def signatures_of(file: StoredFile) -> list[Signature]:
    """The signatures of a stored file, with whether their certificates are held here today."""
    if not file.signatures:
        return []
    held = list(PartnerCertificate.objects.filter(removed_at=None).select_related("agency", "added_by"))
    return [_shown(one, held) for one in file.signatures]


def _shown(finding: dict[str, Any], held: Iterable[PartnerCertificate]) -> Signature:
    certificate = _certificate(finding.get("certificate", ""))
    said_at = datetime.datetime.fromisoformat(finding["said_at"]) if finding.get("said_at") else None
    if certificate is None:
        return Signature(finding["state"], "", said_at, bool(finding.get("stamped")), "")
    mark = certificate.fingerprint(hashes.SHA256()).hex()
    entry = next((one for one in held if one.fingerprint == mark), None)
    authority = None if entry else next((one for one in held if _issued(certificate, one)), None)
    return Signature(
        finding["state"],
        holder(certificate),
        said_at,
        bool(finding.get("stamped")),
        mark,
        entry or authority,
        by_authority=authority is not None,
    )


def _certificate(text: str) -> x509.Certificate | None:
    try:
        return x509.load_der_x509_certificate(base64.b64decode(text)) if text else None
    except (ValueError, binascii.Error):
        return None


def _issued(certificate: x509.Certificate, entry: PartnerCertificate) -> bool:
    """Whether the entry is of an authority that signed this certificate, both in their time when it was issued."""
    authority = x509.load_pem_x509_certificate(entry.pem.encode())
    try:
        constraints = authority.extensions.get_extension_for_class(x509.BasicConstraints).value
        certificate.verify_directly_issued_by(authority)
    except (x509.ExtensionNotFound, InvalidSignature, ValueError, TypeError):
        return False
    return bool(constraints.ca)
