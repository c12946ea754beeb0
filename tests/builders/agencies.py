# SPDX-License-Identifier: Apache-2.0
"""Lists as files, good and spoiled, and a stored directory: Bắc Kạn of 2020, or a big one."""

import datetime
import io
import zipfile

import openpyxl

LETTER_DAY = datetime.date(2020, 8, 7)


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


def csv(*rows):
    """Bytes of a CSV as an office program saves it."""
    return ("\ufeff" + "\r\n".join(";".join(row) for row in rows)).encode()


def planted():
    """Store the seed; gives the city and the ward Sông Cầu."""
    from bluezone.directory.models import AdminUnit
    from bluezone.directory.records.store import plant_seed

    plant_seed()
    return AdminUnit.objects.get(key="tp-bac-kan"), AdminUnit.objects.get(key="phuong-song-cau")


def unit_values(**values):
    """What the form of a unit hands on, for a new residential group unless `values` say otherwise."""
    usual = {"name": "Tổ 5", "kind": "group", "code": "", "parent": None, "valid_from": None, "valid_to": None}
    return {**usual, "successors": [], "confirmed": True, "head_name": "", "head_phone": "", **values}


def agency_values(unit, **values):
    """What the form of an agency hands on."""
    usual = {"name": "Trạm Y tế Sông Cầu", "short_name": "", "kind": "health", "code": "", "unit": unit, "parent": None}
    dates = {"valid_from": None, "valid_to": None, "successors": [], "confirmed": True}
    return {**usual, **dates, "edxml_id": "", "email": "", "phone": "", **values}


def many(agencies):
    """Store one city with ten wards and so many agencies, all in force without end."""
    from bluezone.directory.kinds import AgencyKind, UnitKind
    from bluezone.directory.records import entries
    from bluezone.directory.records.entries import Directory
    from bluezone.directory.records.store import rewrite

    kind = UnitKind
    units = [
        entries.UnitEntry("p", "tỉnh Bắc Kạn", kind.PROVINCE, "06"),
        entries.UnitEntry("c", "thành phố Bắc Kạn", kind.DISTRICT, "058", "p"),
        *(entries.UnitEntry(f"w{n}", f"phường số {n}", kind.WARD, f"{1000 + n:05}", "c") for n in range(10)),
    ]
    made = [
        entries.AgencyEntry(f"a{n}", f"Trường Tiểu học số {n}", AgencyKind.SCHOOL, f"w{n % 10}", f"TH{n:04}")
        for n in range(agencies)
    ]
    rewrite(lambda _: Directory.build(units, made))
