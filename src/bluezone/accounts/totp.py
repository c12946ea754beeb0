# SPDX-License-Identifier: Apache-2.0
"""Time-based one-time passwords as authenticator apps make them: HMAC-SHA-1, 30 seconds, six digits.

Source: RFC 6238 (TOTP) and RFC 4226 section 5.3 (dynamic truncation).
"""

import base64
import hmac
import secrets
import struct
from urllib.parse import quote, urlencode

SECRET_BYTES = 20
STEP_SECONDS = 30
DIGITS = 6
# A clock that is up to half a minute off still fits; RFC 6238 section 5.2 recommends at most one step.
DRIFT_STEPS = 1


def new_secret() -> bytes:
    """A fresh secret, 20 bytes."""
    return secrets.token_bytes(SECRET_BYTES)


def code_at(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """The code of a time step (Unix seconds // 30), `digits` characters with leading zeros."""
    mac = hmac.digest(secret, struct.pack(">Q", step), "sha1")
    offset = mac[-1] & 0x0F
    number: int = struct.unpack_from(">I", mac, offset)[0] & 0x7FFF_FFFF
    return f"{number % 10**digits:0{digits}}"


def matching_step(secret: bytes, code: str, unix_seconds: float, after_step: int) -> int | None:
    """The step whose code this is, not earlier than `after_step` + 1 and near the present; None when it is none."""
    now = int(unix_seconds) // STEP_SECONDS
    found = None
    for step in range(max(now - DRIFT_STEPS, after_step + 1), now + DRIFT_STEPS + 1):
        # No early end: every candidate takes the same time.
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode()):
            found = step
    return found


def shown(secret: bytes) -> str:
    """The secret as a person types it into an app: base32 in groups of four."""
    text = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def address(secret: bytes, account: str, issuer: str) -> str:
    """The otpauth address that an app reads from a QR code."""
    values = urlencode({"secret": base64.b32encode(secret).decode().rstrip("="), "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{quote(f'{issuer}:{account}')}?{values}"
