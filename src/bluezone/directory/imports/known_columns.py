# SPDX-License-Identifier: Apache-2.0
"""The columns of an imported list of units or agencies, with every known spelling of their headings."""

from bluezone.directory.imports.heading_rows import Column
from bluezone.directory.kinds import AgencyKind, UnitKind

_DATES = (
    Column("valid_from", ("Hiệu lực từ ngày", "Từ ngày", "Ngày hiệu lực", "Ngày thành lập", "Valid from")),
    Column("valid_until", ("Hết hiệu lực từ ngày", "Đến ngày", "Ngày hết hiệu lực", "Valid until")),
    Column("successors", ("Mã đơn vị kế thừa", "Đơn vị kế thừa", "Kế thừa", "Sáp nhập vào", "Successor", "Successors")),
    Column("confirmed", ("Đã xác nhận", "Confirmed")),
)
_FIGURE = (
    Column("source", ("Nguồn số liệu", "Nguồn", "Source")),
    Column("as_of", ("Ngày số liệu", "Thời điểm số liệu", "Tính đến ngày", "As of")),
)
PHONE_HEADINGS = (
    "Điện thoại", "Số điện thoại", "SĐT", "ĐT", "Số ĐT", "Điện thoại liên hệ", "Số điện thoại liên hệ",
    "Điện thoại cố định",
    "Điện thoại cơ quan", "Điện thoại đơn vị", "Di động", "Phone", "Phone number", "Telephone",
)  # fmt: skip
PHONES_BEGIN = ("so dien thoai", "dien thoai", "sdt")
EMAILS_BEGIN = ("email", "e mail", "thu dien tu", "dia chi email")
AGENCY_COLUMNS = (
    Column("code", ("Mã cơ quan", "Mã đơn vị", "Mã", "Mã số", "Mã CQ", "Mã cơ quan, đơn vị", "Code", "Agency code")),
    Column(
        "name",
        ("Tên cơ quan", "Tên đơn vị", "Cơ quan, đơn vị", "Tên cơ quan, đơn vị", "Tên cơ quan/đơn vị",
         "Cơ quan/đơn vị", "Cơ quan",
         "Đơn vị", "Tên", "Đơn vị nhận", "Nơi nhận", "Tên CQ", "Name", "Agency", "Agency name"),
        required=True, begins=("ten co quan", "ten don vi"),
    ),
    Column("short_name", ("Tên viết tắt", "Viết tắt", "Tên ngắn", "Short name")),
    Column("kind", ("Loại cơ quan", "Loại", "Khối", "Loại hình", "Nhóm", "Type", "Kind"), choices=AgencyKind.choices),
    Column("unit", ("Mã địa bàn", "Mã đơn vị hành chính", "Địa bàn", "Địa bàn phụ trách", "Xã, phường", "Xã/phường",
                    "Phường/xã",
                    "Phường, xã", "Đơn vị hành chính", "Unit code", "Unit")),
    Column("unit_name", ("Tên địa bàn", "Unit name")),
    Column("answers_to", ("Cơ quan cấp trên", "Cơ quan chủ quản", "Đơn vị chủ quản", "Trực thuộc", "Thuộc", "Cấp trên",
                          "Đơn vị cấp trên", "Parent", "Answers to")),
    Column("phone", PHONE_HEADINGS, begins=PHONES_BEGIN),
    Column("email", ("Thư điện tử", "Email", "E-mail", "Địa chỉ email", "Hộp thư", "Hộp thư công vụ",
                     "Email công vụ", "Thư công vụ",
                     "Địa chỉ thư điện tử", "Mail", "E-mail address"), begins=EMAILS_BEGIN),
    Column("edxml_id", ("Mã định danh", "Mã định danh điện tử", "Mã định danh trên trục", "Mã trục", "Mã liên thông",
                        "Mã định danh cơ quan", "Mã trục liên thông", "Document axis")),
    *_DATES,
    Column("staff", ("Số cán bộ", "Số cán bộ, công chức, viên chức", "Biên chế", "Số người", "Staff")),
    *_FIGURE,
)  # fmt: skip


def _of_figure(name: str, label: str, english: str) -> tuple[Column, Column]:
    """Columns for source and day of one kind of figure, if a list has them; else those of _FIGURE count."""
    return (
        Column(f"{name}_source", (f"Nguồn ({label})", f"Nguồn {label}", f"Source of {english}")),
        Column(f"{name}_as_of", (f"Ngày ({label})", f"Ngày {label}", f"Day of {english}")),
    )


UNIT_COLUMNS = (
    Column("code", ("Mã đơn vị", "Mã", "Mã ĐVHC", "Mã đơn vị hành chính", "Mã số", "Mã xã", "Code", "Unit code")),
    Column(
        "name",
        ("Tên đơn vị", "Tên", "Tên đơn vị hành chính", "Đơn vị", "Đơn vị hành chính", "Xã, phường", "Xã/phường",
         "Phường, xã", "Tên xã, phường", "Tên thôn, tổ dân phố", "Thôn, tổ dân phố", "Tổ dân phố", "Name", "Unit name"),
        required=True,
    ),
    Column("kind", ("Loại", "Cấp", "Loại đơn vị", "Cấp hành chính", "Type", "Level", "Kind"), choices=UnitKind.choices),
    Column(
        "parent",
        ("Mã đơn vị cấp trên", "Mã cấp trên", "Cấp trên", "Trực thuộc", "Thuộc", "Đơn vị cấp trên", "Thuộc xã, phường",
         "Parent code", "Parent"),
    ),
    Column("parent_name", ("Tên đơn vị cấp trên", "Parent name")),
    Column("head_name", ("Trưởng thôn, tổ trưởng", "Tổ trưởng", "Trưởng thôn", "Tổ trưởng, trưởng thôn",
                         "Trưởng khu phố",
                         "Họ và tên tổ trưởng", "Họ tên tổ trưởng", "Họ và tên trưởng thôn", "Head")),
    Column("head_phone", ("Điện thoại trưởng thôn, tổ trưởng", "Điện thoại tổ trưởng", "SĐT tổ trưởng",
                          "Điện thoại trưởng thôn",
                          "Số điện thoại tổ trưởng", *PHONE_HEADINGS)),
    *_DATES,
    Column("population", ("Dân số", "Số nhân khẩu", "Nhân khẩu", "Số dân", "Population")),
    Column("households", ("Số hộ", "Hộ", "Số hộ dân", "Hộ dân", "Households")),
    Column("smartphones", ("Số điện thoại thông minh", "Điện thoại thông minh", "Số máy thông minh", "Smartphones")),
    Column("venues", ("Số điểm công cộng", "Venues")),
    *_FIGURE,
    *_of_figure("population", "dân số", "population"), *_of_figure("households", "số hộ", "households"),
    *_of_figure("smartphones", "điện thoại thông minh", "smartphones"),
    *_of_figure("venues", "điểm công cộng", "venues"),
)  # fmt: skip
