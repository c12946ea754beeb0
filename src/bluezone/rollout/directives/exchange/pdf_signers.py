# SPDX-License-Identifier: Apache-2.0
"""Who signed a stored PDF, as far as this office's list of certificates vouches for it.

A name in a certificate that nobody vouches for is only a name; what the signature itself proves was read when the file
was stored.
"""

import base64
import binascii
import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes

from bluezone.rollout.directives.exchange.partners import holder
from bluezone.rollout.directives.models import PartnerCertificate, StoredFile


@dataclass(frozen=True)
class Signature:
    """One signature as a page shows it.

    state: as `letters.pdf_letter.read_signatures` found it. name: as the certificate has it. said_at: by the
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
