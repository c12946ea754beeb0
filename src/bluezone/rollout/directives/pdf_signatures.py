# SPDX-License-Identifier: Apache-2.0
"""What the electronic signatures of a PDF prove: who signed, when, and whether the file was changed afterwards.

Three things are told apart, and none is said that is not known: whether the signed bytes are the ones that were signed,
whether anything was added after them, and whether the certificate is one this office holds. A name in a certificate
that nobody vouches for is only a name. The time is the signer's own clock unless a time-stamp authority's token is
there; even that token's certificate is not checked, so it is not called proven. Nothing is fetched from anywhere.

Source: ISO 32000-2, section 12.8 (digital signatures), through pyHanko.
"""

import base64
import binascii
import datetime
import io
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes

from bluezone.rollout.directives.models import PartnerCertificate, StoredFile

MOST_SIGNATURES = 20
# A signature's own dictionary is never packed, because its place in the file is part of it.
_MARKS = (b"/ByteRange", b"/Adobe.PPK", b"adbe.pkcs7", b"ETSI.CAdES")
WHOLE, ADDED, CHANGED, BROKEN, UNREADABLE = "whole", "added", "changed", "broken", "unreadable"


@dataclass(frozen=True)
class Signature:
    """One signature as a page shows it.

    state:  "whole": nothing was changed after it; "added": only what signing itself adds came after (another signature,
            a form filled in); "changed": pages or other content came after; "broken": the signed bytes were changed or
            the signature does not fit; "unreadable": what is signed cannot be told.
    name:   as the certificate has it. said_at: by the signer's clock. held: the entry of the certificate, or of the
            authority that issued it, in this office's list; None where there is none.
    """

    state: str
    name: str
    said_at: datetime.datetime | None
    stamped: bool
    fingerprint: str
    held: PartnerCertificate | None = None
    by_authority: bool = False


def read_signatures(data: bytes) -> list[dict[str, Any]]:
    """Return what each signature of a PDF shows, ready for StoredFile.signatures; [] where there is none.

    Never raises: what cannot be read is said to be unreadable.
    """
    if not any(mark in data for mark in _MARKS):
        return []
    from pyhanko.pdf_utils.reader import PdfFileReader

    # pyHanko tells of every odd certificate at length; the finding itself says it.
    logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
    logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL)
    try:
        found = list(PdfFileReader(io.BytesIO(data), strict=False).embedded_signatures)[:MOST_SIGNATURES]
    except Exception:  # a damaged file fails anywhere in the reader
        return [_finding(UNREADABLE)]
    if not found:
        # Its bytes are there, but nothing in the file leads to them any more.
        return [_finding(UNREADABLE)]
    return [_read(one) for one in found if one.sig_object.get("/Type", "/Sig") != "/DocTimeStamp"]


def signatures_of(file: StoredFile) -> list[Signature]:
    """The signatures of a stored file, with whether their certificates are held here today."""
    if not file.signatures:
        return []
    held = list(PartnerCertificate.objects.filter(removed_at=None).select_related("agency", "added_by"))
    return [_shown(one, held) for one in file.signatures]


def _read(embedded: Any) -> dict[str, Any]:
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko_certvalidator import ValidationContext

    try:
        # No roots: pyHanko is asked for integrity alone; trust is this office's list.
        context = ValidationContext(trust_roots=[], allow_fetching=False)
        status = validate_pdf_signature(embedded, signer_validation_context=context)
        certificate = status.signing_cert
        said_at = status.signer_reported_dt
        return _finding(
            _state(status),
            certificate.dump(),
            said_at.astimezone(datetime.UTC).isoformat() if said_at and said_at.tzinfo else "",
            stamped=status.timestamp_validity is not None,
        )
    except Exception:  # as above
        return _finding(UNREADABLE)


def _state(status: Any) -> str:
    from pyhanko.sign.diff_analysis import ModificationLevel
    from pyhanko.sign.validation import SignatureCoverageLevel

    if not (status.intact and status.valid):
        return BROKEN
    if status.coverage == SignatureCoverageLevel.ENTIRE_FILE:
        return WHOLE
    if status.coverage != SignatureCoverageLevel.ENTIRE_REVISION:
        return CHANGED
    harmless = (ModificationLevel.NONE, ModificationLevel.LTA_UPDATES, ModificationLevel.FORM_FILLING)
    return ADDED if status.modification_level in harmless and status.docmdp_ok is not False else CHANGED


def _finding(state: str, certificate: bytes = b"", said_at: str = "", *, stamped: bool = False) -> dict[str, Any]:
    return {
        "state": state,
        "certificate": base64.b64encode(certificate).decode(),
        "said_at": said_at,
        "stamped": stamped,
    }


def _shown(finding: dict[str, Any], held: Iterable[PartnerCertificate]) -> Signature:
    certificate = _certificate(finding.get("certificate", ""))
    said_at = datetime.datetime.fromisoformat(finding["said_at"]) if finding.get("said_at") else None
    if certificate is None:
        return Signature(finding["state"], "", said_at, bool(finding.get("stamped")), "")
    from bluezone.rollout.directives.exchange.partners import holder

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
