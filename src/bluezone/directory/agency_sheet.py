# SPDX-License-Identifier: Apache-2.0
"""The list of agencies as a file, in the headings and words that the import reads: it can come back corrected."""

import datetime
from collections.abc import Iterable

from django.utils.translation import gettext as _

from bluezone.directory.kinds import AgencyKind
from bluezone.directory.models import Agency
from bluezone.paper.tables import ColumnKind, ExportColumn, ExportSheet

_COLUMNS = (
    *map(ExportColumn, ("Mã cơ quan", "Tên cơ quan", "Tên viết tắt", "Loại cơ quan", "Mã địa bàn", "Tên địa bàn")),
    ExportColumn("Hiệu lực từ ngày", ColumnKind.DAY),
    ExportColumn("Hết hiệu lực từ ngày", ColumnKind.DAY),
)
# Vietnamese in every language, like the headings: the file is a form of the office and not a page.
_KINDS = {
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


def listing(agencies: Iterable[Agency], day: datetime.date) -> ExportSheet:
    """One row for each of `agencies`, which were in force on `day` and carry their unit."""
    rows = [
        [
            agency.code or "",
            agency.name,
            agency.short_name,
            _KINDS[AgencyKind(agency.kind)],
            agency.unit.code or "",
            agency.unit.name,
            agency.valid_from,
            agency.valid_to,
        ]
        for agency in agencies
    ]
    note = _("Agencies in force on %(day)s") % {"day": f"{day:%d/%m/%Y}"}
    return ExportSheet(_("Agencies"), _COLUMNS, rows, [note])
