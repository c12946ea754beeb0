# SPDX-License-Identifier: Apache-2.0
"""Units and agencies as files that can be imported again: every field, with the headings that imports expect."""

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _

from bluezone.directory.imports.heading_rows import Column
from bluezone.directory.imports.known_columns import AGENCY_COLUMNS, UNIT_COLUMNS
from bluezone.directory.kinds import AgencyKind, Quantity, UnitKind
from bluezone.directory.records.changes import AGENCY_QUANTITIES, UNIT_QUANTITIES
from bluezone.directory.records.entries import (
    AgencyEntry,
    DenominatorEntry,
    Directory,
    Entry,
    UnitEntry,
    address_of,
    denominator_on,
)
from bluezone.media_types import XLSX
from bluezone.paper.tables import ColumnKind, ExportColumn, ExportSheet, Value, write_csv, write_xlsx

# Vietnamese in every language, like the headings: the file is a form of the office, not a page.
_AGENCY_KINDS = {
    AgencyKind.COMMITTEE: "UBND",
    AgencyKind.DEPARTMENT: "Phòng",
    AgencyKind.UNION: "Đoàn thể",
    AgencyKind.PARTY: "Cơ quan Đảng",
    AgencyKind.MEDIA: "Truyền thông",
    AgencyKind.HEALTH: "Y tế",
    AgencyKind.POLICE: "Công an",
    AgencyKind.MILITARY: "Quân sự",
    AgencyKind.SERVICE: "Đơn vị sự nghiệp",
    AgencyKind.BRANCH: "Ngành",
    AgencyKind.SCHOOL: "Trường học",
    AgencyKind.ENTERPRISE: "Doanh nghiệp",
}
_UNIT_KINDS = {
    UnitKind.PROVINCE: "tỉnh",
    UnitKind.DISTRICT: "thành phố thuộc tỉnh",
    UnitKind.WARD: "phường",
    UnitKind.COMMUNE: "xã",
    UnitKind.GROUP: "tổ dân phố",
}
_KIND_OF = {
    **dict.fromkeys(("valid_from", "valid_until"), ColumnKind.DAY),
    **dict.fromkeys((quantity.value for quantity in Quantity), ColumnKind.COUNT),
    **dict.fromkeys((f"{quantity.value}_as_of" for quantity in Quantity), ColumnKind.DAY),
    "as_of": ColumnKind.DAY,
}


def agency_listing(directory: Directory, keys: Iterable[str], day: datetime.date) -> ExportSheet:
    """One row for each agency of `keys`, which were valid on `day`."""
    left_out = {"unit_name"}
    rows = [_agency(directory.agencies[key], directory, day) for key in keys if key in directory.agencies]
    note = _("Agencies valid on %(day)s") % {"day": f"{day:%d/%m/%Y}"}
    return _sheet(_("Agencies"), AGENCY_COLUMNS, rows, note, left_out)


def unit_listing(directory: Directory, keys: Iterable[str], day: datetime.date) -> ExportSheet:
    """One row for each unit of `keys`, which were valid on `day`."""
    left_out = {"parent_name", "source", "as_of"}
    rows = [_unit(directory.units[key], directory, day) for key in keys if key in directory.units]
    note = _("Units valid on %(day)s") % {"day": f"{day:%d/%m/%Y}"}
    return _sheet(_("Units"), UNIT_COLUMNS, rows, note, left_out)


def spreadsheet_response(sheet: ExportSheet, name: str, form: str) -> HttpResponse:
    """The list as a file to download. form: "csv" or "xlsx"."""
    if form == "csv":
        response = HttpResponse(write_csv(sheet), content_type="text/csv; charset=utf-8")
    else:
        response = HttpResponse(write_xlsx([sheet]), content_type=XLSX)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return response


def _sheet(
    title: str, columns: Iterable[Column], rows: list[dict[str, Value]], note: str, left_out: set[str]
) -> ExportSheet:
    present = [column for column in columns if column.name not in left_out]
    return ExportSheet(
        title,
        [ExportColumn(column.headings[0], _KIND_OF.get(column.name, ColumnKind.TEXT)) for column in present],
        [[row.get(column.name) for column in present] for row in rows],
        [note],
    )


def _agency(agency: AgencyEntry, directory: Directory, day: datetime.date) -> dict[str, Value]:
    staff = _figures(agency.denominators, AGENCY_QUANTITIES, day)
    figure = staff[0] if staff else None
    above = directory.agencies.get(agency.answers_to or "")
    return {
        **_shared(agency, directory.agencies, directory),
        "short_name": agency.short_name,
        "kind": _AGENCY_KINDS[agency.kind],
        "unit": _reference(directory.units[agency.unit], directory),
        "answers_to": _reference(above, directory) if above else "",
        "phone": agency.phone,
        "email": agency.email,
        "edxml_id": agency.edxml_id or "",
        "staff": figure.value if figure else None,
        "source": figure.source if figure else "",
        "as_of": figure.as_of if figure else None,
    }


def _unit(unit: UnitEntry, directory: Directory, day: datetime.date) -> dict[str, Value]:
    row: dict[str, Value] = {
        **_shared(unit, directory.units, directory),
        "kind": _UNIT_KINDS[unit.kind],
        "parent": _reference(directory.units[unit.parent], directory) if unit.parent else "",
        "head_name": unit.head_name,
        "head_phone": unit.head_phone,
    }
    for figure in _figures(unit.denominators, UNIT_QUANTITIES, day):
        name = figure.quantity.value
        row |= {name: figure.value, f"{name}_source": figure.source, f"{name}_as_of": figure.as_of}
    return row


def _shared(entry: Entry, among: Mapping[str, Any], directory: Directory) -> dict[str, Value]:
    return {
        "code": entry.code or "",
        "name": entry.name,
        "valid_from": entry.validity.start,
        "valid_until": entry.validity.end,
        "successors": "; ".join(_reference(among[key], directory) for key in entry.successors),
        "confirmed": "có" if entry.confirmed and not entry.unconfirmed else "chưa",
    }


def _reference(entry: Entry, directory: Directory) -> str:
    """The code of an entry, or its name and the unit above it."""
    return entry.code or address_of(entry, directory.units)


def _figures(
    denominators: tuple[DenominatorEntry, ...], quantities: Iterable[Quantity], day: datetime.date
) -> list[DenominatorEntry]:
    figures = (denominator_on(denominators, quantity, day) for quantity in quantities)
    return [figure for figure in figures if figure is not None]
