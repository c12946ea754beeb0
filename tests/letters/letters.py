# SPDX-License-Identifier: Apache-2.0
"""Invented letters of other shapes than Công văn 458; no place, person or order in them is real."""

from bluezone.letters.letter_text import Passage, rows_of

DECISION = """\
UBND HUYỆN LŨNG MÂY          CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM
PHÒNG Y TẾ                        Độc lập - Tự do - Hạnh phúc

Số: 12/2021/QĐ-PYT            Lũng Mây, ngày 3 tháng 02 năm 2021

                         QUYẾT ĐỊNH
              Về việc thành lập tổ hỗ trợ cài đặt ứng dụng

                    TRƯỞNG PHÒNG Y TẾ

Căn cứ Quyết định số 1040/QĐ-UBND ngày 21/5/2020 của UBND huyện về chức năng của Phòng Y tế;
Căn cứ Kế hoạch số 77/KH-UBND ngày 30 tháng 01 năm 2021 của Ủy ban nhân dân huyện về phòng, chống dịch;
Theo đề nghị của cán bộ chuyên trách,

                         QUYẾT ĐỊNH:

Điều 1. Thành lập tổ hỗ trợ gồm 5 thành viên.
Điều 2. Tổ hỗ trợ báo cáo kết quả trước 16h30 ngày 12/2/2021.
a) Báo cáo bằng văn bản;
b) Báo cáo trên hệ thống.
Điều 3. Trạm Y tế các xã, thị trấn chịu trách nhiệm thi hành Quyết định này./.

Nơi nhận:                               TRƯỞNG PHÒNG
- Như Điều 3;
- UBND huyện (để b/c);                  (Đã ký)
- Lưu: VT, YT.
                                        Trần Thị Mai Hoa
"""

PLAN = """\
ỦY BAN NHÂN DÂN
PHƯỜNG SUỐI KHOÁNG

CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM
Độc lập - Tự do - Hạnh phúc

Số:      /KH-UBND

Suối Khoáng, ngày      tháng 9 năm 2020

KẾ HOẠCH
Ra quân hỗ trợ người dân cài đặt ứng dụng cảnh báo tiếp xúc
trên địa bàn phường

Thực hiện Công văn số 901/UBND-VX ngày 01/9/2020 của UBND thành phố, UBND phường xây dựng kế hoạch như sau:

I. MỤC ĐÍCH, YÊU CẦU
1. Nâng cao nhận thức của người dân.
2. Bảo đảm an toàn, tiết kiệm.

II. TỔ CHỨC THỰC HIỆN
1. Giao Đoàn Thanh niên phường chủ trì, phối hợp với Hội Liên hiệp Phụ nữ, Hội Cựu chiến binh và Ban Công tác Mặt trận
tổ chức 3 đợt ra quân; hoàn thành trước ngày 30/9.
2. Trạm Y tế phường: Bố trí cán bộ trực;
- Báo cáo số liệu vào thứ Sáu hằng tuần.
3. Đề nghị Trường Trung học cơ sở Suối Khoáng và Trường Tiểu học Suối Khoáng tuyên truyền tới học sinh.

Trên đây là kế hoạch của UBND phường, đề nghị các đơn vị báo cáo kết quả trước ngày 05 tháng 10 năm 2020./.

Nơi nhận:
- UBND thành phố (b/c);
- Các đơn vị có tên tại mục II (để t/h);
- Lưu: VT.

KT. CHỦ TỊCH
PHÓ CHỦ TỊCH

Lê Văn Bình
"""

JOINT = """\
TỈNH ĐOÀN HÀ MÂY                    SỞ Y TẾ TỈNH HÀ MÂY

CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM
Độc lập - Tự do - Hạnh phúc

Số: 05/CTr-TĐ-SYT
Hà Mây, ngày 15 tháng 3 năm 2021

V/v phối hợp hỗ trợ người dân cài ứng dụng

Kính gửi: Các huyện đoàn; các trung tâm y tế huyện.

1. Các huyện đoàn cử tình nguyện viên hằng ngày.
2. Các trung tâm y tế huyện hướng dẫn chuyên môn.

TM. BAN THƯỜNG VỤ TỈNH ĐOÀN                    KT. GIÁM ĐỐC SỞ Y TẾ
PHÓ BÍ THƯ                                     PHÓ GIÁM ĐỐC

Hoàng Văn Sơn                                  BS. Nông Thị Lan

Nơi nhận:
- Như trên;
- Lưu: VT.
"""

BY_ORDER = """\
UBND TỈNH HÀ MÂY
VĂN PHÒNG

CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM
Độc lập - Tự do - Hạnh phúc

Số: 310/VP-TH
V/v báo cáo nhanh

Hà Mây, ngày 2 tháng 12 năm 2020

Kính gửi: Sở Thông tin và Truyền thông.

Văn phòng đề nghị quý Sở báo cáo chậm nhất 17 giờ 00 ngày 04/12/2020 về số người dùng ứng dụng.

Nơi nhận:
- Như trên;
- Chánh Văn phòng (để biết);
- Lưu VT.

TL. CHỦ TỊCH
KT. CHÁNH VĂN PHÒNG
PHÓ CHÁNH VĂN PHÒNG

Đặng Minh Khôi
"""

# Names of agencies and doubtful cases as provincial instructions write them.
INSTRUCTION = """\
ỦY BAN NHÂN DÂN
TỈNH HÀ MÂY

CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM
Độc lập - Tự do - Hạnh phúc

Số: 09/CT-UBND
Hà Mây, ngày 31 tháng 7 năm 2020

CHỈ THỊ
Về tăng cường các biện pháp phòng, chống dịch trong tình hình mới

Thực hiện Chỉ thị số 16/CT-TTg của Thủ tướng Chính phủ và Công điện số 1053/CĐ-BYT ngày 28/7/2020 của Bộ Y tế
về phòng, chống dịch, Chủ tịch UBND tỉnh chỉ thị:
1. Sở Thông tin và Truyền thông chủ trì, phối hợp với Sở Y tế, Công an tỉnh, UBND các huyện, thành phố và các
cơ quan, đơn vị liên quan:
a) Hướng dẫn cài đặt ứng dụng;
b) Báo cáo UBND tỉnh trước 16 giờ thứ Sáu hằng tuần.
2. Giao Sở Y tế:
- Tổng hợp số liệu;
- Tham mưu UBND tỉnh.
3. Chủ tịch UBND các huyện, thành phố chịu trách nhiệm trước Chủ tịch UBND tỉnh về kết quả thực hiện; hoàn
thành chậm nhất là ngày 10 tháng 8 năm 2020.
4. Đề nghị Ủy ban Mặt trận Tổ quốc Việt Nam tỉnh và các tổ chức chính trị - xã hội tỉnh tuyên truyền, vận động
đoàn viên, hội viên.
5. Báo Hà Mây, Đài Phát thanh và Truyền hình tỉnh tăng thời lượng đưa tin.
6. Thủ trưởng các sở, ban, ngành; Chủ tịch UBND các huyện, thành phố; các tổ chức, cá nhân có liên quan chịu
trách nhiệm thi hành Chỉ thị này./.

Nơi nhận:
- Bộ Y tế (b/c);
- Thường trực: Tỉnh ủy, HĐND tỉnh (b/c);
- CT, các PCT UBND tỉnh;
- Các sở, ban, ngành;
- UBND các huyện, thành phố (thực hiện);
- VPUB: LĐVP, CVNCTH;
- Lưu: VT, KGVX (Thg).

CHỦ TỊCH



Sùng A Thử
"""

# As an optical reader gives it back: zeros for o, l for i, marks lost.
OCR = """\
UY BAN NHAN DAN
HUYỆN LŨNG MÂY
C0NG HOÀ XÃ HỘl CHỦ NGHĨA VlỆT NAM
Độc Iập - Tự do - Hạnh phúc
S6: 4l7/UBND-VP
Lũng Mây, ngày O8 tháng l2 năm 2020
V/v tuyên truyền cài đặt ứng dụng
Kinh gửi: UBND các xã, thị trấn.
1. UBND các xã, thị trấn tuyên truyền đến người dân.
2. Đài Truyền thanh huyện: Đưa tin hằng ngày.
Noi nhận:
- Như trên;
- Luu: VT.
TM. UY BAN NHAN DAN
CHU TICH
Ma Thế Vinh
"""

TCVN3 = """\
UBND huyÖn Lòng M©y
Céng hßa x· héi chñ nghÜa ViÖt Nam
§éc lËp - Tù do - H¹nh phóc
Sè: 12/UBND-VP
Lòng M©y, ngµy 3 th¸ng 2 n¨m 2021
KÝnh göi: UBND c¸c x·, thÞ trÊn.
"""

RECIPE = """\
Canh chua cá lóc
Nguyên liệu: 1 con cá lóc, 2 quả cà chua, 1 quả dứa.
1. Làm sạch cá, cắt khúc.
2. Nấu nước sôi, cho cà chua và dứa vào trước.
3. Cho cá vào, nêm vừa ăn. Dùng nóng.
"""


def lines_of(text: str) -> list[Passage]:
    """The pieces of a text's lines, one after the other."""
    return [piece for row in rows_of(text) for piece in row]
