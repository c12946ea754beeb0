# SPDX-License-Identifier: Apache-2.0
"""Android's own classes and resources in a form that Debian's javac and aapt2 read.

The classes of Android 16 are for Java 21, and javac 17 refuses their number, though it understands all that they
declare: the number is lowered, which serves to compile against, not to run. The table of resources keeps offsets in
16 bits and short values without a header, since Android 14; Debian's aapt2 of 2019 knows neither. The attributes and
their identifiers are all that a link needs, so the default configuration is rewritten in the older form and every
other one is left out. Source of the format: AOSP, ResourceTypes.h.
"""

import struct
import zipfile
from pathlib import Path

# Of the file of a class for Java 8: its mark, and its number.
_CLASS_FILE = struct.pack(">IHH", 0xCAFEBABE, 0, 52)
_COMPILED_AGAINST = ("android/", "dalvik/", "org/json/")
_TABLE, _PACKAGE, _TYPE, _STAGED = 0x0002, 0x0200, 0x0201, 0x0206
_SPARSE, _OFFSETS_16 = 1, 2
_COMPACT = 8
_NONE_16, _NONE_32 = 0xFFFF, 0xFFFFFFFF
_HEADER = struct.Struct("<HHI")
_TYPE_HEADER = struct.Struct("<HHIBBHII")
_CONFIGURATION = _TYPE_HEADER.size


def write_framework(jar: Path, path: Path) -> None:
    """Write the package that `aapt2 link -I` takes. jar: of the framework, with its manifest and its table."""
    with zipfile.ZipFile(jar) as whole, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("AndroidManifest.xml", whole.read("AndroidManifest.xml"))
        made.writestr("resources.arsc", rewritten(whole.read("resources.arsc")))


def write_classes(jar: Path, path: Path) -> None:
    """Write the classes that javac compiles against."""
    with zipfile.ZipFile(jar) as whole, zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as made:
        for name in whole.namelist():
            if name.startswith(_COMPILED_AGAINST) and name.endswith(".class"):
                made.writestr(name, _CLASS_FILE + whole.read(name)[8:])


def rewritten(table: bytes) -> bytes:
    """The table with its first package alone, which is Android's."""
    parts, packages = [], 0
    for kind, chunk in _chunks(table, 12):
        if kind == _PACKAGE:
            packages += 1
            if packages > 1:
                continue
            chunk = _package(chunk)
        parts.append(chunk)
    body = b"".join(parts)
    return struct.pack("<HHII", _TABLE, 12, 12 + len(body), 1) + body


def _chunks(data: bytes, start: int) -> list[tuple[int, bytes]]:
    found = []
    while start < len(data):
        kind, _header, size = _HEADER.unpack_from(data, start)
        found.append((kind, data[start : start + size]))
        start += size
    return found


def _package(chunk: bytes) -> bytes:
    _kind, header, _size = _HEADER.unpack_from(chunk)
    parts = [_type(part) if kind == _TYPE else part for kind, part in _chunks(chunk, header) if kind != _STAGED]
    body = b"".join(parts)
    return chunk[:4] + struct.pack("<I", header + len(body)) + chunk[8:header] + body


def _type(chunk: bytes) -> bytes:
    """One type in one configuration; empty unless it is the default one."""
    kind, header, _size, number, flags, _, count, start = _TYPE_HEADER.unpack_from(chunk)
    (configuration,) = struct.unpack_from("<I", chunk, _CONFIGURATION)
    if any(chunk[_CONFIGURATION + 4 : _CONFIGURATION + configuration]):
        return b""
    if not flags & _OFFSETS_16:
        return chunk
    offsets = [_NONE_32 if one == _NONE_16 else one * 4 for one in struct.unpack_from(f"<{count}H", chunk, header)]
    entries, moved, ends = bytearray(), {_NONE_32: _NONE_32}, sorted({one for one in offsets if one != _NONE_32})
    for place, following in zip(ends, [*ends[1:], len(chunk) - start], strict=True):
        moved[place] = len(entries)
        entries += _entry(chunk[start + place : start + following])
        entries += b"\0" * (-len(entries) % 4)
    first = header + 4 * count
    return (
        _TYPE_HEADER.pack(kind, header, first + len(entries), number, flags & _SPARSE, 0, count, first)
        + chunk[_CONFIGURATION:header]
        + struct.pack(f"<{count}I", *(moved[one] for one in offsets))
        + bytes(entries)
    )


def _entry(entry: bytes) -> bytes:
    """An entry with the header and the value that a compact one leaves out."""
    key, flags, value = struct.unpack_from("<HHI", entry)
    if not flags & _COMPACT:
        return entry
    return struct.pack("<HHIHBBI", 8, flags & (_COMPACT - 1), key, 8, 0, flags >> 8, value)
