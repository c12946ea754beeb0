# SPDX-License-Identifier: Apache-2.0
"""Workbooks for the reader's tests, made with openpyxl and then, where a test needs it, spoiled part by part."""

import io
import zipfile

import openpyxl


def workbook(*sheets, fonts=None):
    """Bytes of an XLSX with one sheet for each list of rows; `fonts` maps a cell ("B2") of the first to a font name."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets, 1):
        sheet = book.create_sheet(f"Trang {number}")
        for row in rows:
            sheet.append(row)
    for cell, name in (fonts or {}).items():
        book.worksheets[0][cell].font = openpyxl.styles.Font(name=name)
    return saved(book)


def saved(book):
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def with_part(data, name, change):
    """The archive with part `name` replaced by change(its bytes, b"" when it was not there)."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        parts = {part: old.read(part) for part in old.namelist()}
        parts[name] = change(parts.get(name, b""))
        for part, content in parts.items():
            new.writestr(part, content)
    return file.getvalue()
