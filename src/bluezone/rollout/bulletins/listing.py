# SPDX-License-Identifier: Apache-2.0
"""The log of airings as a file."""

import datetime
from collections.abc import Iterable

from django.utils import timezone
from django.utils.translation import override

from bluezone.agencies.exporting import ColumnKind, ExportColumn, ExportSheet
from bluezone.rollout.bulletins.airing import Row

# Vietnamese in every language: the file is a form of the office and not a page.
_COLUMNS = (
    ExportColumn("Ngày"),
    ExportColumn("Giờ theo lịch"),
    ExportColumn("Nơi phát"),
    ExportColumn("Bản tin"),
    ExportColumn("Ngôn ngữ"),
    ExportColumn("Kết quả"),
    ExportColumn("Số loa", ColumnKind.COUNT),
    ExportColumn("Loa tự báo đã phát (đã xác thực)", ColumnKind.COUNT),
    ExportColumn("trong đó phát trễ", ColumnKind.COUNT),
    ExportColumn("Bị bản tin khẩn cắt", ColumnKind.COUNT),
    ExportColumn("Không phát được", ColumnKind.COUNT),
    ExportColumn("Người xác nhận đã phát"),
    ExportColumn("Dẫn chứng"),
)


def listing(rows: Iterable[Row], since: datetime.datetime, until: datetime.datetime) -> ExportSheet:
    """One row an airing; what machines proved and what people attested stand apart."""
    with override("vi"):
        cells = [_cells(row) for row in rows]
    first, last = timezone.localdate(since), timezone.localdate(until - datetime.timedelta(seconds=1))
    notes = [
        f"Nhật ký phát thanh từ {first:%d/%m/%Y} đến {last:%d/%m/%Y}.",
        "Hai cách biết (loa tự báo, người xác nhận) không cộng với nhau.",
    ]
    return ExportSheet("Nhật ký", _COLUMNS, cells, notes)


def _cells(row: Row) -> list[str | int | None]:
    airing, proven, said = row.airing, row.proven, row.attestation
    at = timezone.localtime(airing.due_at)
    return [
        f"{at:%d/%m/%Y}",
        f"{at:%H:%M}",
        airing.outlet.name,
        airing.schedule.bulletin.title,
        airing.get_language_display(),
        str(row.aired.label),
        proven.machines if proven else None,
        proven.aired if proven else None,
        proven.late if proven else None,
        proven.preempted if proven else None,
        proven.missed if proven else None,
        f"{said.by.name} {timezone.localtime(said.at):%H:%M %d/%m/%Y}" if said else "",
        (said.link or ("ảnh" if said.has_photo else said.note)) if said else "",
    ]
