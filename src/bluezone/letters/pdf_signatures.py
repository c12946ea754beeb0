# SPDX-License-Identifier: Apache-2.0
"""What the electronic signatures of a PDF prove by themselves: whether the signed bytes are the ones that were signed,
and whether anything was added after them.

The time is the signer's own clock unless a time-stamp authority's token is there; even that token's certificate is not
checked, so it is not called proven. Nothing is fetched from anywhere.

Source: ISO 32000-2, section 12.8 (digital signatures), through pyHanko.
"""

import base64
import datetime
import io
import logging
from typing import Any

MOST_SIGNATURES = 20
# A signature's own dictionary is never packed, because its place in the file is part of it.
_MARKS = (b"/ByteRange", b"/Adobe.PPK", b"adbe.pkcs7", b"ETSI.CAdES")
WHOLE, ADDED, CHANGED, BROKEN, UNREADABLE = "whole", "added", "changed", "broken", "unreadable"


def read_signatures(data: bytes) -> list[dict[str, Any]]:
    """Return what each signature of a PDF shows, as values that JSON can hold; [] where there is none.

    state: "whole": nothing was changed after it; "added": only what signing itself adds came after (another signature,
    a form filled in); "changed": pages or other content came after; "broken": the signed bytes were changed or the
    signature does not fit; "unreadable": what is signed cannot be told.
    certificate: the signer's, DER in base64, or "". said_at: by the signer's clock, ISO 8601 in UTC, or "".
    stamped: whether it has a time stamp.
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
