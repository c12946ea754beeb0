# SPDX-License-Identifier: Apache-2.0
"""The imported list given back with the reason beside each row that was refused, to be corrected and sent again."""

from collections.abc import Sequence

from bluezone.agencies.cellvalues import text_of
from bluezone.agencies.exporting import ExportColumn, ExportSheet
from bluezone.agencies.headings import Column
from bluezone.agencies.importplan import Plan
from bluezone.agencies.spreadsheets import Table


def marked_list(table: Table, plan: Plan, columns: Sequence[Column], *, title: str, remark: str) -> ExportSheet:
    """Every row of `table` in its columns, with the refusal or doubt under the heading `remark`, all as text.

    Columns nobody asked for are not given back. The result can be imported again: its headings are the first spelling
    of each column, and `remark` is ignored as long as it is no heading itself.
    """
    remarks: dict[int, list[str]] = {}
    for refused in plan.refused:
        remarks.setdefault(refused.row, []).append(refused.message)
    for doubt in plan.doubts:
        remarks.setdefault(doubt.row, []).append(f"row {doubt.row}: {doubt.message}")
    present = [column for column in columns if column.name in table.letters]
    return ExportSheet(
        title,
        [*(ExportColumn(column.headings[0]) for column in present), ExportColumn(remark)],
        [
            [
                *(text_of(row.cells.get(column.name)) for column in present),
                "; ".join(remarks.get(row.number, ())),
            ]
            for row in table.rows
        ],
    )
