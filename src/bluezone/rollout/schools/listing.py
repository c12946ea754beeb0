# SPDX-License-Identifier: Apache-2.0
"""The table of the schools as a file; Vietnamese in every language, since it is a form of the office and not a page."""

from collections.abc import Iterable

from bluezone.accounts.training import practising
from bluezone.agencies.exporting import ColumnKind, ExportColumn, ExportSheet
from bluezone.rollout.coverage import Week
from bluezone.rollout.schools.counts import NAMES
from bluezone.rollout.schools.queries import SchoolRow

_COLUMNS = (
    ExportColumn("Trường"),
    ExportColumn("Đơn vị hành chính"),
    ExportColumn("Số lớp", ColumnKind.COUNT),
    ExportColumn("Số lớp đã báo", ColumnKind.COUNT),
    ExportColumn("Số học sinh", ColumnKind.COUNT),
    ExportColumn("Có điện thoại thông minh", ColumnKind.COUNT),
    ExportColumn("Đang chạy", ColumnKind.COUNT),
    ExportColumn("Người thân đã giúp", ColumnKind.COUNT),
    ExportColumn("Lớp chưa báo"),
)


def listing(rows: Iterable[SchoolRow], week: Week) -> ExportSheet:
    """One row for each school; empty where nothing came or a number is kept back."""
    cells = [
        [
            row.school.name, row.school.unit.name, row.classes, row.received,
            *(getattr(row.counted, name) if row.counted else None for name in NAMES),
            f"nghỉ: {row.closed}" if row.closed else ", ".join(row.missing),
        ]
        for row in rows
    ]  # fmt: skip
    notes = [
        f"Học sinh: số liệu nhà trường tự báo, tuần {week.in_vietnamese()}",
        "Ô trống: chưa báo cáo, hoặc số dưới 5 không hiển thị. Chỉ có số lượng, không có tên học sinh.",
    ]
    if practising():
        notes.insert(0, "CHẾ ĐỘ TẬP HUẤN: dữ liệu giả, không tính vào báo cáo.")
    return ExportSheet(f"Tuần {week}", _COLUMNS, cells, notes)
