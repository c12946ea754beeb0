# SPDX-License-Identifier: Apache-2.0
"""Look into a DOCX or XLSX without unpacking it: how much it would unpack to, and whether it carries a program."""

import io
import zipfile

from bluezone.rollout.directives.docxtext import LARGEST_UNPACKED, MOST_PARTS

# A text of one kind of sign packs 1000 to one; office documents pack about ten to one.
MOST_TIMES = 200
_SMALL = 1024 * 1024


class PackageRefused(Exception):
    """The package is a bomb, damaged, or carries a program; the message says which."""


def check_package(data: bytes) -> None:
    """Raise PackageRefused for what is not kept."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            parts = package.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise PackageRefused("the package is damaged") from None
    unpacked = sum(part.file_size for part in parts)
    if len(parts) > MOST_PARTS or unpacked > LARGEST_UNPACKED:
        raise PackageRefused(f"the package unpacks to {len(parts)} parts of {unpacked} bytes")
    if any(part.file_size > _SMALL and part.file_size > MOST_TIMES * max(part.compress_size, 1) for part in parts):
        raise PackageRefused("a part of the package unpacks to more than any document does")
    if any(part.filename.lower().endswith(("vbaproject.bin", ".exe", ".dll", ".js")) for part in parts):
        raise PackageRefused("the package carries a program")
