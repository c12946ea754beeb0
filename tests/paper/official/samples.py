# SPDX-License-Identifier: Apache-2.0
"""An invented report and an invented letter, with text that tries to be markup and formula."""

import datetime
from zoneinfo import ZoneInfo

from bluezone.paper.official import (
    Bullets,
    Column,
    Heading,
    Letterhead,
    OfficialDocument,
    Paragraph,
    SignatureBlock,
    Table,
)

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
HOSTILE = "=cmd|'/c calc'!A1 <script>alert(1)</script>"

REPORT = OfficialDocument(
    head=Letterhead("Ủy ban nhân dân thành phố Hà Mây", "BC-UBND", "Hà Mây", datetime.date(2020, 8, 16), number="512"),
    title="Báo cáo",
    subject="Kết quả triển khai tuần 10–16/8/2020",
    basis="Thực hiện Công văn số 77/UBND-VP ngày 07/8/2020, UBND thành phố báo cáo như sau:",
    body=(
        Heading("I. Kết quả"),
        Table(
            "Bảng 1. Máy đang chạy",
            (Column("Đơn vị", 3), Column("Đã xác thực"), Column("Cập nhật", 1.5)),
            (("Phường A", 1204, datetime.datetime(2020, 8, 16, 10, 5, tzinfo=datetime.UTC)), (HOSTILE, 3.5, None)),
            "Mẫu số: máy qua cổng; nguồn: cổng cơ quan.",
        ),
        Paragraph(HOSTILE),
    ),
    signature=SignatureBlock(("TM. Ủy ban nhân dân", "KT. Chủ tịch"), "Phó Chủ tịch", "Lò Thị Thử"),
    recipients=("UBND tỉnh (b/c);", "Lưu: VT."),
)

LETTER = OfficialDocument(
    head=Letterhead(
        "Phòng Y tế", "PYT", "Hà Mây", datetime.date(2020, 2, 7), superior="UBND thành phố Hà Mây", number="77"
    ),
    subject="đôn đốc cài đặt ứng dụng",
    addressees=("Trạm Y tế các phường;", "Trung tâm Y tế."),
    body=(
        Paragraph(
            "Căn cứ Kế hoạch số 12/KH-UBND ngày 03/02/2020 của UBND thành phố về phòng dịch, Phòng Y tế đề nghị:"
        ),
        Paragraph("1. Trung tâm Y tế chủ trì, phối hợp với Trạm Y tế các phường báo cáo trước ngày 20/02/2020."),
        Paragraph("2. Trạm Y tế các phường: Bố trí người trực."),
        Bullets(("Trực hằng ngày;", "Ghi sổ.")),
        Paragraph("Với nội dung trên, đề nghị các đơn vị thực hiện./."),
    ),
    signature=SignatureBlock(("KT. Trưởng phòng",), "Phó Trưởng phòng", "Vàng Văn Mẫu"),
    recipients=("Như kính gửi (t/h);", "UBND thành phố (b/c);", "Lưu: VT."),
)
