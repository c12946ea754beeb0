# SPDX-License-Identifier: Apache-2.0
"""The agency table as a file, in the columns that pasting reads, so that it can be filled in and pasted back."""

from collections.abc import Iterable

from bluezone.agencies.exporting import ColumnKind, ExportColumn, ExportSheet
from bluezone.rollout.coverage import Week
from bluezone.rollout.staffing.counts import NAMES
from bluezone.rollout.staffing.queries import AgencyRow

# Vietnamese in every language: the file is a form of the office and not a page.
_COLUMNS = (
    ExportColumn("Cơ quan"),
    ExportColumn("Tổng số cán bộ", ColumnKind.COUNT),
    ExportColumn("Có điện thoại thông minh", ColumnKind.COUNT),
    ExportColumn("Đang chạy", ColumnKind.COUNT),
    ExportColumn("Chỉ dùng bản web", ColumnKind.COUNT),
    ExportColumn("Chưa chạy, đã nhắc", ColumnKind.COUNT),
)


def listing(rows: Iterable[AgencyRow], week: Week, *, training: bool = False) -> ExportSheet:
    """One row for each agency that owes a report; empty where it has sent none or a number is kept back."""
    cells = [
        [row.agency.name, *(getattr(row.counted, name) if row.counted else None for name in NAMES)] for row in rows
    ]
    notes = [
        f"Cán bộ, nhân viên: số liệu cơ quan tự báo, tuần {week.in_vietnamese()}",
        "Ô trống: chưa báo cáo, hoặc số dưới 5 không hiển thị. Bản web không tính là đang chạy.",
    ]
    if training:
        notes.insert(0, "CHẾ ĐỘ TẬP HUẤN: dữ liệu giả, không tính vào báo cáo.")
    return ExportSheet(f"Tuần {week}", _COLUMNS, cells, notes)
