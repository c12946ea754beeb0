# SPDX-License-Identifier: Apache-2.0
"""Writes ZIP files that come out the same every time, with what is stored in them aligned as Android wants it."""

import struct
import zipfile
import zlib
from pathlib import Path

EPOCH = (1981, 1, 1, 1, 1, 2)
# A stored library is mapped as it lies in the package; any other stored file is read in words of four bytes.
LIBRARY_ALIGNMENT, ALIGNMENT = 16_384, 4
_LOCAL = 30
_PADDING_FIELD = 0xD935


def put(archive: zipfile.ZipFile, name: str, content: bytes, *, stored: bool = False) -> None:
    """Add a file with a fixed time and no trace of this machine; stored: not compressed, and aligned."""
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    entry.create_system = 3
    entry.external_attr = 0o644 << 16
    if stored:
        unit = LIBRARY_ALIGNMENT if name.endswith(".so") else ALIGNMENT
        assert archive.fp is not None
        start = archive.fp.tell() + _LOCAL + len(name.encode()) + 6
        padding = -start % unit
        entry.extra = struct.pack("<HHH", _PADDING_FIELD, 2 + padding, unit) + bytes(padding)
    archive.writestr(entry, content, compresslevel=zlib.Z_BEST_COMPRESSION)


def pack(path: Path, files: dict[str, bytes], stored: frozenset[str]) -> None:
    """Write a package. stored: names of what is not compressed."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(files):
            put(archive, name, files[name], stored=name in stored)


def misaligned(path: Path) -> list[str]:
    """What is stored in a package where Android does not want it."""
    wrong = []
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        for entry in archive.infolist():
            if entry.compress_type != zipfile.ZIP_STORED:
                continue
            file.seek(entry.header_offset)
            name, extra = struct.unpack_from("<HH", file.read(_LOCAL), 26)
            start = entry.header_offset + _LOCAL + name + extra
            if start % (LIBRARY_ALIGNMENT if entry.filename.endswith(".so") else ALIGNMENT):
                wrong.append(entry.filename)
    return wrong
