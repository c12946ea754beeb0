# SPDX-License-Identifier: Apache-2.0
"""Secrets of the office at rest: one key file each in the data folder, and sealing under them."""

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

    Returns 64 characters of URL-safe text. Where there is no data folder yet (a build, a test run that names
    none) the secret lasts as long as the process and nothing is written.
    """
    if not data_dir.is_dir():
        return secrets.token_urlsafe(SECRET_BYTES)
    path = data_dir / "keys" / f"office-{name}"
    if not path.exists():
        write_once(path, secrets.token_urlsafe(SECRET_BYTES).encode())
    return path.read_text()


def write_once(path: Path, content: bytes) -> None:
    """Write a secret file (0600) unless there is one; processes and threads that begin together agree on one, whole."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    # Written aside, under a name that is this call's alone, and linked into place.
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
    """The sealed secret does not open: the data folder's key was changed, or the row is another account's."""

    code = "seal_broken"


def seal(secret: bytes, bound_to: str) -> bytes:
    """AES-256-GCM of a secret, bound to the words that say whose it is; nonce first."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(_key()).encrypt(nonce, secret, bound_to.encode())


def unseal(sealed: bytes, bound_to: str) -> bytes:
    """The secret again; raises SealBroken."""
    try:
        return AESGCM(_key()).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to.encode())
    except (InvalidTag, ValueError):
        raise SealBroken("the sealed secret does not open under this data folder's key") from None


def keyed_digest(kind: str, text: str) -> str:
    """HMAC-SHA-256 under the same key, 64 hex digits: for what is compared and never read again."""
    return hmac.digest(_key(), f"{kind}\0{text}".encode(), "sha256").hex()


def _key() -> bytes:
    return hashlib.sha256(b"bluezone factors v1\0" + office_secret(settings.DATA_FOLDER, "factors").encode()).digest()
