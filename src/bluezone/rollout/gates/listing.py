# SPDX-License-Identifier: Apache-2.0
"""The table of gates of a week as a file."""

from collections.abc import Iterable

from bluezone.agencies.exporting import ColumnKind, ExportColumn, ExportSheet
from bluezone.rollout.coverage import Week
from bluezone.rollout.gates.queries import GateRow

# Vietnamese in every language: the file is a form of the office and not a page.
_COLUMNS = (
    ExportColumn("Cơ quan"),
    ExportColumn("Cổng"),
    ExportColumn("Lượt vào", ColumnKind.COUNT),
    ExportColumn("Lượt ra", ColumnKind.COUNT),
    ExportColumn("Đang chạy (đã xác thực)", ColumnKind.COUNT),
    ExportColumn("Mã hợp lệ", ColumnKind.COUNT),
    ExportColumn("Đã xem màn hình", ColumnKind.COUNT),
    ExportColumn("Chưa bật hoặc chưa cài", ColumnKind.COUNT),
    ExportColumn("Có điện thoại thông minh", ColumnKind.COUNT),
    ExportColumn("Không có điện thoại thông minh", ColumnKind.COUNT),
    ExportColumn("Tỷ lệ đang chạy", ColumnKind.SHARE),
    ExportColumn("Lượt vào ghi trên giấy (tự báo)", ColumnKind.COUNT),
)


def listing(rows: Iterable[GateRow], week: Week) -> ExportSheet:
    """One row for each gate; empty where a number is kept back."""
    cells = [
        [
            row.gate.agency.name,
            row.gate.name,
            row.counted.came_in,
            row.counted.went_out,
            row.counted.proven,
            row.counted.fresh,
            row.counted.attested,
            row.counted.other,
            row.counted.with_smartphone,
            row.counted.no_smartphone,
            row.counted.share,
            row.counted.on_paper,
        ]
        for row in rows
    ]
    notes = [
        f"Lượt ra vào tại các cổng, tuần {week.in_vietnamese()}. Chỉ đếm số lượt, không ghi tên.",
        "Ba loại (đã xác thực, mã hợp lệ, đã xem màn hình) không cộng với nhau. Ô trống: số dưới 5 không hiển thị.",
        "Lượt ghi trên giấy do cơ quan tự báo, không nằm trong các cột khác.",
    ]
    return ExportSheet(f"Tuần {week}", _COLUMNS, cells, notes)
