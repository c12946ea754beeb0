# SPDX-License-Identifier: Apache-2.0
"""Read a file by its type, which its first bytes show."""

from typing import Any

from bluezone.confinement import LimitExceeded, RefusedInside, run_confined
from bluezone.directory.imports.files.csv_files import read_csv
from bluezone.directory.imports.files.raw_sheets import (
    MAX_FILE_BYTES,
    RawSheet,
    SpreadsheetDamaged,
    SpreadsheetRefused,
    SpreadsheetTooLarge,
    SpreadsheetTypeUnknown,
    is_packed,
    sheets_from_json,
    sheets_to_json,
    unpack_sheets,
)

_XLS_SIGNATURE = b"\xd0\xcf\x11\xe0"
# The first part of an OpenDocument file contains its type.
_ODS = b"application/vnd.oasis.opendocument.spreadsheet"
_NOT_TABLES = (
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
)


def read_sheets(data: bytes) -> list[RawSheet]:
    """Every sheet of a file; a workbook is opened in a process without rights. Raises a SpreadsheetRefused."""
    if is_packed(data):
        return unpack_sheets(data)
    if len(data) > MAX_FILE_BYTES:
        raise SpreadsheetTooLarge(f"the file has more than {MAX_FILE_BYTES // 2**20} MB; split the list")
    for beginning, kind in _NOT_TABLES:
        if data.startswith(beginning):
            raise SpreadsheetTypeUnknown(f"the file is {kind}; save the list as .xlsx or .csv")
    if not data.startswith((b"PK", _XLS_SIGNATURE)):
        return [read_csv(data)]
    try:
        return sheets_from_json(run_confined(f"{__name__}:read_workbook", data))
    except LimitExceeded as error:
        raise SpreadsheetTooLarge(str(error)) from None
    except RefusedInside as refusal:
        kinds = {kind.code: kind for kind in SpreadsheetRefused.__subclasses__()}
        raise kinds.get(refusal.code, SpreadsheetDamaged)(refusal.message) from None


def read_workbook(data: bytes) -> list[Any]:
    """The confined part of `read_sheets`: the sheets of XLSX, ODS or XLS as `raw_sheets.sheets_to_json` writes them."""
    from bluezone.directory.imports.files import workbooks

    if data.startswith(_XLS_SIGNATURE):
        return sheets_to_json(workbooks.read_xls(data))
    return sheets_to_json(workbooks.read_ods(data) if _ODS in data[:200] else workbooks.read_xlsx(data))
