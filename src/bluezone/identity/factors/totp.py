# SPDX-License-Identifier: Apache-2.0
"""The codes of an authenticator app (TOTP, RFC 6238), and how it gets its secret. Pure functions."""

import base64
import hmac
import secrets
import struct
from urllib.parse import quote, urlencode

SECRET_BYTES = 20
STEP_SECONDS = 30
DIGITS = 6
# A clock may be off by up to half a minute; RFC 6238 section 5.2 recommends at most one step.
DRIFT_STEPS = 1
# Two minutes: a used code is refused for longer than it would be valid.
REMEMBERED_STEPS = 4


def new_secret() -> bytes:
    """A new random secret, 20 bytes."""
    return secrets.token_bytes(SECRET_BYTES)


def code_at(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """The code of a time step (Unix seconds // 30), `digits` characters with leading zeros."""
    mac = hmac.digest(secret, struct.pack(">Q", step), "sha1")
    offset = mac[-1] & 0x0F
    number: int = struct.unpack_from(">I", mac, offset)[0] & 0x7FFF_FFFF
    return f"{number % 10**digits:0{digits}}"


def matching_step(secret: bytes, code: str, unix_seconds: float, after_step: int) -> int | None:
    """The time step of a code, from `after_step` + 1 on and near the present; None if the code is not valid."""
    now = int(unix_seconds) // STEP_SECONDS
    match = None
    for step in range(max(now - DRIFT_STEPS, after_step + 1), now + DRIFT_STEPS + 1):
        # No early end, so that every code takes the same time.
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode()):
            match = step
    return match


def grouped_text(secret: bytes) -> str:
    """The secret for a person to type into an app: base32 in groups of four."""
    text = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def otpauth_address(secret: bytes, account: str, issuer: str) -> str:
    """The otpauth address that an app reads from a QR code."""
    values = urlencode({"secret": base64.b32encode(secret).decode().rstrip("="), "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{quote(f'{issuer}:{account}')}?{values}"
