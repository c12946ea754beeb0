# SPDX-License-Identifier: Apache-2.0
"""The Android app that the city hands out, `app/bluezone.apk` in the data folder, and what lets anybody check it.

Source: Android's "APK Signature Scheme v2" (the block before the ZIP's central directory).
"""

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

# Its place in the data folder, and its address on the public origin.
PACKAGE = "app/bluezone.apk"
PACKAGE_ADDRESS = "/install/bluezone.apk"
MEDIA_TYPE = "application/vnd.android.package-archive"

_END = struct.Struct("<4sHHHHIIH")
_END_MAGIC = b"PK\x05\x06"
_BLOCK_MAGIC = b"APK Sig Block 42"
# Ids of the signature schemes 2 and 3, whose signers both begin with digests and certificates.
_SCHEMES = (0x7109871A, 0xF05368C0)
# A ZIP's end may have a comment behind it.
_LONGEST_END = _END.size + 65_535


class PackageUnsigned(ValueError):
    """The file is no Android package with a signature of scheme 2 or 3."""


@dataclass(frozen=True)
class Package:
    """What the page says of the file. size: bytes. sha256: of the file, certificate: of the signer's; 64 hex digits."""

    path: Path
    size: int
    sha256: str
    certificate: str

    @property
    def megabytes(self) -> float:
        """Its size, for people."""
        return self.size / 1_000_000


# The file as it was when it was read, and what was found in it: one at a time.
_read: dict[tuple[Path, int, int], Package | None] = {}


def package() -> Package | None:
    """The package that this city hands out; None where there is none, or none that is signed."""
    state = _state()
    if state is None:
        return None
    if state not in _read:
        path, size, _changed = state
        content = path.read_bytes()
        try:
            certificate = hashlib.sha256(signing_certificate(content)).hexdigest()
            found = Package(path, size, hashlib.sha256(content).hexdigest(), certificate)
        except PackageUnsigned:
            found = None
        _read.clear()
        _read[state] = found
    return _read.get(state)


def package_at_hand() -> Package | None:
    """The same where it has been read already, without waiting for anything."""
    state = _state()
    return _read.get(state) if state else None


def _state() -> tuple[Path, int, int] | None:
    path = Path(settings.DATA_FOLDER) / PACKAGE
    try:
        stat = path.stat()
    except OSError:
        return None
    return path, stat.st_size, stat.st_mtime_ns


def headers(found: Package) -> list[tuple[str, str]]:
    """How the file is sent: to be saved, and asked for again when it has changed."""
    return [
        ("Content-Type", MEDIA_TYPE),
        ("Content-Disposition", 'attachment; filename="bluezone.apk"'),
        ("Cache-Control", "public, no-cache"),
        ("ETag", f'"{found.sha256[:32]}"'),
    ]


def signing_certificate(content: bytes) -> bytes:
    """The certificate (DER) of the first signer of an Android package; raises PackageUnsigned.

    Whether the signature fits is for the phone to judge, and for `apksigner verify` before the file is handed out.
    """
    try:
        return _certificate(content)
    except (struct.error, IndexError):
        raise PackageUnsigned("the file ends within its signature") from None


def _certificate(content: bytes) -> bytes:
    end = content.rfind(_END_MAGIC, max(0, len(content) - _LONGEST_END))
    if end < 0:
        raise PackageUnsigned("the file is not a ZIP")
    directory = _END.unpack_from(content, end)[6]
    if content[directory - len(_BLOCK_MAGIC) : directory] != _BLOCK_MAGIC:
        raise PackageUnsigned("the file has no signature of scheme 2 or 3")
    (size,) = struct.unpack_from("<Q", content, directory - 24)
    at, last = directory - size, directory - 24
    while 0 <= at < last:
        length, scheme = struct.unpack_from("<QI", content, at)
        if scheme in _SCHEMES:
            signers = _prefixed(content[at + 12 : at + 8 + length])
            signed = _prefixed(_prefixed(signers))
            return _prefixed(_prefixed(signed[4 + len(_prefixed(signed)) :]))
        at += 8 + length
    raise PackageUnsigned("the file has no signature of scheme 2 or 3")


def _prefixed(data: bytes) -> bytes:
    """What its first four bytes say the length of."""
    (length,) = struct.unpack_from("<I", data)
    if not 0 < length <= len(data) - 4:
        raise PackageUnsigned("a length within the signature is wrong")
    return data[4 : 4 + length]
