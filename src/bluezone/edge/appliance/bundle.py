# SPDX-License-Identifier: Apache-2.0
"""An update as one file: a signed manifest, then the archive of a version.

    "BZUPDATE1\\n" | length of the manifest, 4 bytes, big-endian | signed manifest | tar.xz

The manifest is signed JSON of the kind `appliance-update` (docs/protocol.md section 5) and names size and SHA-256 of
the archive. The key is not the city's: whoever takes over a server must not have all boxes with it (decision 30).
"""

import hashlib
import io
import json
import lzma
import struct
import tarfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from bluezone.protocol.primitives import Ed25519Signer
from bluezone.protocol.signed.envelope import (
    InvalidSignedFile,
    UntrustedSignature,
    canonical_json,
    open_signed,
    sign_payload,
)
from bluezone.refusal import Refused

MAGIC = b"BZUPDATE1\n"
KIND = "appliance-update"
MOST_MANIFEST_BYTES = 4096
# A version is some 90 MB; a card holds two beside the machine's own.
MOST_ARCHIVE_BYTES = 500_000_000
_LENGTH = struct.Struct(">I")
_CHUNK = 1 << 20


class UpdateInvalid(Refused):
    """The file is no update: of another form, half written, or changed since it was signed."""

    code = "update_invalid"


class UpdateUntrusted(Refused):
    """The update is signed by nobody whom this box trusts."""

    code = "update_untrusted"


@dataclass(frozen=True)
class Manifest:
    """What an update is. number: grows with each version, the time of its commit in Unix seconds. architecture: as dpkg
    names it; python: `3.13`. size, sha256: of the archive.
    """

    version: str
    number: int
    architecture: str
    python: str
    size: int
    sha256: str

    @property
    def platform(self) -> str:
        """What machines it is for, as its address in the office names it."""
        return platform_of(self.architecture, self.python)


def platform_of(architecture: str, python: str) -> str:
    """`amd64-3.13`."""
    return f"{architecture}-{python}"


def file_name(platform: str) -> str:
    """The name under which a stick and the office's data folder hold the update for a kind of machine."""
    return f"bluezone-update-{platform}.bundle"


def make_bundle(
    tree: Path, out: Path, key: Ed25519Signer, version: str, number: int, machine: tuple[str, str]
) -> Manifest:
    """Write the update of a version. tree: its virtual environment. machine: architecture and Python.

    The same bytes for the same tree.
    """
    packed = io.BytesIO()
    with lzma.open(packed, "wb", preset=6) as squeezed, tarfile.open(fileobj=squeezed, mode="w") as archive:
        for path in sorted(tree.rglob("*")):
            archive.add(path, path.relative_to(tree).as_posix(), recursive=False, filter=_anonymous)
    content = packed.getvalue()
    manifest = Manifest(version, number, *machine, len(content), hashlib.sha256(content).hexdigest())
    signed = sign_payload(KIND, canonical_json(asdict(manifest)), key)
    out.write_bytes(MAGIC + _LENGTH.pack(len(signed)) + signed + content)
    return manifest


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = int(entry.mtime)
    return entry


def signed_manifest(file: BinaryIO) -> bytes:
    """The signed manifest at the head of an update; the file then stands at its archive. Raises UpdateInvalid."""
    head = file.read(len(MAGIC) + _LENGTH.size)
    if len(head) < len(MAGIC) + _LENGTH.size or not head.startswith(MAGIC):
        raise UpdateInvalid("the file does not begin as an update does")
    (length,) = _LENGTH.unpack(head[len(MAGIC) :])
    if length > MOST_MANIFEST_BYTES:
        raise UpdateInvalid(f"the manifest has {length} bytes, expected at most {MOST_MANIFEST_BYTES}")
    return file.read(length)


def open_manifest(signed: bytes, trusted: Mapping[str, bytes]) -> Manifest:
    """Read a manifest that somebody trusted has signed. Raises UpdateUntrusted, UpdateInvalid."""
    try:
        payload = open_signed(KIND, signed, trusted)
    except UntrustedSignature as refused:
        raise UpdateUntrusted(refused.message) from None
    except InvalidSignedFile as refused:
        raise UpdateInvalid(refused.message) from None
    try:
        manifest = Manifest(**json.loads(payload))
    except (ValueError, TypeError):
        raise UpdateInvalid("the manifest has other members") from None
    numbers = (manifest.number, manifest.size)
    texts = (manifest.version, manifest.architecture, manifest.python, manifest.sha256)
    if not all(type(one) is int and one > 0 for one in numbers) or not all(isinstance(one, str) for one in texts):
        raise UpdateInvalid("a member of the manifest has not its form")
    if manifest.size > MOST_ARCHIVE_BYTES:
        raise UpdateInvalid(f"the archive has {manifest.size} bytes, expected at most {MOST_ARCHIVE_BYTES}")
    return manifest


def check_archive(file: BinaryIO, manifest: Manifest) -> None:
    """Read what follows the manifest to its end. Raises UpdateInvalid where it is not the archive that was signed."""
    size, digest = 0, hashlib.sha256()
    while size <= manifest.size and (chunk := file.read(_CHUNK)):
        size += len(chunk)
        digest.update(chunk)
    if size != manifest.size or digest.hexdigest() != manifest.sha256:
        raise UpdateInvalid(f"the archive is not the one that was signed: {size} of {manifest.size} bytes")


def unpack(file: BinaryIO, folder: Path) -> None:
    """Unpack the checked archive at which a file stands."""
    with lzma.open(file, "rb") as opened, tarfile.open(fileobj=opened, mode="r|") as archive:
        # Debian 12's Python knows no filters, and the usual one of later ones refuses a link to Debian's Python.
        archive.extraction_filter = lambda member, _path: member
        for member in archive:
            if member.name.startswith("/") or ".." in member.name.split("/"):
                raise UpdateInvalid("the archive leads out of its folder")
            archive.extract(member, folder)
