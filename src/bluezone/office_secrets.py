# SPDX-License-Identifier: Apache-2.0
"""Secrets of the office: one key file for each in the data folder, and sealing under a key."""

import hashlib
import hmac
import os
import secrets
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from bluezone.refusal import Refused

SECRET_BYTES = 48


def office_secret(data_dir: Path, name: str) -> str:
    """The secret `name` of a data folder, made on first use.

    Returns 64 characters of URL-safe text. Without a data folder (in a build, or a test run that names none) the secret
    lasts as long as the process, and nothing is written.
    """
    if not data_dir.is_dir():
        return secrets.token_urlsafe(SECRET_BYTES)
    path = data_dir / "keys" / f"office-{name}"
    if not path.exists():
        write_once(path, secrets.token_urlsafe(SECRET_BYTES).encode())
    return path.read_text()


def write_once(path: Path, content: bytes) -> None:
    """Write a secret file (0600) unless there is one; processes and threads that start together share one content."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    # Write a temporary file with a unique name, then link it into place.
    descriptor, name = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    aside = Path(name)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        aside.unlink()


NONCE_BYTES = 12


class SealBroken(Refused):
    """The sealed secret cannot be opened: the data folder's key has changed, or the row is of another account."""

    code = "seal_broken"


def seal(secret: bytes, context: str) -> bytes:
    """AES-256-GCM of a secret, bound to a text that names its owner; nonce first."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(_key()).encrypt(nonce, secret, context.encode())


def unseal(sealed: bytes, context: str) -> bytes:
    """The secret that `seal` sealed; raises SealBroken."""
    try:
        return AESGCM(_key()).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode())
    except (InvalidTag, ValueError):
        raise SealBroken("the sealed secret does not open under this data folder's key") from None


def keyed_digest(kind: str, text: str) -> str:
    """HMAC-SHA-256 under the same key, 64 hex digits, for values that are only compared and never read back."""
    return hmac.digest(_key(), f"{kind}\0{text}".encode(), "sha256").hex()


def _key() -> bytes:
    return hashlib.sha256(b"bluezone factors v1\0" + office_secret(settings.DATA_FOLDER, "factors").encode()).digest()
