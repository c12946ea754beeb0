# SPDX-License-Identifier: Apache-2.0
"""Lists as files, valid and damaged, and a stored directory: Bắc Kạn of 2020, or a large invented city."""

import dataclasses
import datetime
import io
import zipfile

import openpyxl

LETTER_DAY = datetime.date(2020, 8, 7)


def write_workbook(*sheets, fonts=None):
    """An XLSX with one sheet for each list of rows. fonts: cell of the first sheet ("B2") -> font name."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets, 1):
        sheet = book.create_sheet(f"Trang {number}")
        for row in rows:
            sheet.append(row)
    for cell, name in (fonts or {}).items():
        book.worksheets[0][cell].font = openpyxl.styles.Font(name=name)
    return save_workbook(book)


def save_workbook(book):
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def with_part(data, name, change):
    """The archive with part `name` replaced by change(its bytes); b"" for a part that it does not have."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        parts = {part: old.read(part) for part in old.namelist()}
        parts[name] = change(parts.get(name, b""))
        for part, content in parts.items():
            new.writestr(part, content)
    return file.getvalue()


def write_csv(*rows):
    """A CSV as an office program saves it."""
    return ("\ufeff" + "\r\n".join(";".join(row) for row in rows)).encode()


# The rows that planting the seed leaves in each table of the directory, and its counts for the audit.
_SEED = {}


def plant_seed():
    """Store the seed; returns the city and the ward Sông Cầu.

    The program plants it once in a process. After that an empty directory gets the same rows, in a tenth of the time.
    """
    from django.apps import apps
    from django.db import connection

    from bluezone.audit import hash_chain
    from bluezone.directory.models import AdminUnit
    from bluezone.directory.records.seed import seed_directory

    models = apps.get_app_config(AdminUnit._meta.app_label).get_models(include_auto_created=True)
    tables = [model._meta.db_table for model in models]
    if connection.vendor != "sqlite" or any(_rows(connection, table, " LIMIT 1") for table in tables):
        seed_directory()
    elif not _SEED:
        counts = dataclasses.asdict(seed_directory())
        _SEED.update(counts=counts, rows={table: _rows(connection, table) for table in tables})
    else:
        with connection.cursor() as cursor:
            for table, rows in _SEED["rows"].items():
                if rows:
                    values = ", ".join(["%s"] * len(rows[0]))
                    cursor.executemany(f"INSERT INTO {table} VALUES ({values})", rows)
        hash_chain.record(hash_chain.COMMAND_LINE, "entry_made", "seed", **_SEED["counts"])
    return AdminUnit.objects.get(key="tp-bac-kan"), AdminUnit.objects.get(key="phuong-song-cau")


def _rows(connection, table, more=""):
    with connection.cursor() as cursor:
        return cursor.execute(f"SELECT * FROM {table}{more}").fetchall()


def unit_values(**values):
    """Values of the form of a unit: those of a new residential group, changed by `values`."""
    usual = {"name": "Tổ 5", "kind": "group", "code": "", "parent": None, "valid_from": None, "valid_to": None}
    return {**usual, "successors": [], "confirmed": True, "head_name": "", "head_phone": "", **values}


def agency_values(unit, **values):
    """Values of the form of an agency: those of a new health station, changed by `values`."""
    usual = {"name": "Trạm Y tế Sông Cầu", "short_name": "", "kind": "health", "code": "", "unit": unit, "parent": None}
    dates = {"valid_from": None, "valid_to": None, "successors": [], "confirmed": True}
    return {**usual, **dates, "edxml_id": "", "email": "", "phone": "", **values}


def plant_many(agencies):
    """Store one city with ten wards and this number of agencies, all valid without end."""
    from bluezone.directory.kinds import AgencyKind, UnitKind
    from bluezone.directory.records import entries
    from bluezone.directory.records.entries import Directory
    from bluezone.directory.records.store import rewrite_directory

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
    rewrite_directory(lambda _: Directory.build(units, made), lambda *_: None)
