# SPDX-License-Identifier: Apache-2.0
"""What stands before an order in its sentence: who introduces it, when it is due, on what it depends."""

import dataclasses
import re

from bluezone.letters.agency_names import STARTS_AS_AGENCY, is_agency
from bluezone.letters.body.deeds import IMPERATIVE, verbs_after_names
from bluezone.letters.letter_text import Passage

# "Trạm Y tế: 0200 000 111" gives a number, and no order.
_NO_WORDS = re.compile(r"\s*[\d\s.()+/–-]+[\d\s.,;()]*")
# "Thôn Hạ: từ 5 giờ 30 đến 8 giờ ngày 14/8/2025" says when that village has its turn.
_ONLY_WHEN = re.compile(
    r"\s*(?:(?:từ|đến|hết|ngày|lúc|vào|hồi|sáng|chiều|tối|thứ|tháng|năm|giờ|phút|và|chủ nhật|hai|ba|tư|sáu|bảy|h|\d+)"
    r"|[\s.,;:/()–-])+",
    re.IGNORECASE,
)
# "Chủ tịch UBND tỉnh chỉ đạo như sau: Công an tỉnh chủ trì …"
_INTRODUCED = re.compile(
    r"[^:.;]{0,160}\b(?:như sau|sau đây|sau|cụ thể|quyết định|kết luận|chỉ đạo|yêu cầu)\s*:\s+"
    rf"(?={STARTS_AS_AGENCY.pattern})"
)
_MEANWHILE = re.compile(r"(?:[Tt]rong (?:thời gian|khi) chờ|[Tt]rước mắt|[Đđ]ồng thời|[Nn]goài ra)\b[^,;.:]{0,80},\s*")
# "Trường hợp phát hiện ca nghi ngờ, Trạm Y tế xã báo cáo ngay": the order follows what it depends on.
_CONDITION = re.compile(
    rf"(?:(?P<if>(?:Trong )?[Tt]rường hợp|Nếu|Khi|Ngay khi|(?:\S+ ){{1,3}}nào)|Ngay sau khi|Sau khi"
    rf"|Trước khi|Trong quá trình|Định kỳ|Hằng"
    rf"|Hàng|Trên cơ sở|Căn cứ|Từ ngày|Để|Nhằm)\s[^.;:]{{3,200}}?"
    rf"(?:,\s+(?:thì\s+)?|\s+thì\s+)(?:đề nghị\s+|yêu cầu\s+)?"
    rf"(?={STARTS_AS_AGENCY.pattern}\s)"
)
# "Chế độ thông tin: ngày 20 hằng tháng, các chi đoàn báo cáo …": the day stands first.
_WHEN = re.compile(
    rf"(?:[^:.;,]{{3,60}}:\s+)?(?:[Tt]rước|[Nn]gày|[Đđ]ịnh kỳ|[Hh](?:ằng|àng)|[Cc]hậm nhất|[Vv]ào)\s[^,;.:]{{2,60}},\s+"
    rf"(?={STARTS_AS_AGENCY.pattern}\s)"
)
# "Khi có mưa lớn chia cắt đường, đưa thí sinh đến nơi ở gần điểm thi"
_WAITING = re.compile(
    r"(?:(?:Trong )?[Tt]rường hợp|Nếu|Khi|Ngay khi|Ngay sau khi|Sau khi|Trước khi)\s[^.;:,]{3,160},\s+(?:thì\s+)?"
)
# "Đối với kho lạnh, Công ty Thủy sản Biển Bạc bố trí máy phát": what it is about stands before whom it is for.
_ABOUT = re.compile(
    r"(?:Riêng )?(?:[Đđ]ối với|Về|Liên quan(?: đến| tới)?|Với|Ngoài)\s(?P<topic>[^,;:.]{3,120}),"
    rf"\s+(?={STARTS_AS_AGENCY.pattern}\s)"
)
# "Tổ chức thực hiện: Theo bảng kèm theo" is headed so, and orders nothing by it.
_HEADING = re.compile(
    r"(?:Tổ chức thực hiện|Phân công(?: nhiệm vụ| thực hiện| chuẩn bị)?|Nhiệm vụ cụ thể|Trách nhiệm)\s*:\s*",
    re.IGNORECASE,
)
# "Bà Lương Thị Hạnh, Phó Chủ tịch - Phó Trưởng ban" is a member of what is set up.
_MEMBER = re.compile(
    r"(?:Ông|Bà|Đồng chí|Đ/c)(?:\s*\([^()]*\))?:?\s+[A-ZĐÀ-Ỹ][^.;:]{5,120}[-–,:]\s*"
    r"(?:làm\s+)?(?:Trưởng|Phó|Thành viên|Ủy viên|Tổ trưởng|Tổ phó|Thư ký)\b[^,:]{0,60}$"
)
# "Đồng chí Lê Văn Bình, Phó Chủ tịch: phụ trách văn hóa - xã hội" says who looks after what.
_PORTFOLIO = re.compile(
    r"(?:Ông|Bà|Đồng chí|Đ/c)\s+[A-ZĐÀ-Ỹ][^.;:,]{3,50},[^.;:]{3,100}:\s*(?:trực tiếp\s+)?phụ trách\b"
)


def bared(passage: Passage, *, clause: bool) -> Passage:
    """The passage without what stands before its order; blank where it orders nothing."""
    # What stands in brackets behind a name says what it is: "(cơ quan thường trực)".
    passage = dataclasses.replace(
        passage, text=re.sub(r"\((?!bà\)|ông\))[^()]*\)", lambda aside: " " * len(aside.group()), passage.text)
    )
    if _only_says(passage.text):
        return passage.cut(0, 0)
    if introduced := _INTRODUCED.match(passage.text):
        passage = passage.cut(introduced.end())
    if meanwhile := _MEANWHILE.match(passage.text):
        passage = passage.cut(meanwhile.end())
    if clause and (when := _WHEN.match(passage.text)):
        passage = passage.cut(when.end())
    if heading := _HEADING.match(passage.text):
        passage = passage.cut(heading.end())
    if (about := _ABOUT.match(passage.text)) and not is_agency(about["topic"]):
        passage = passage.cut(about.end())
    if (condition := _CONDITION.match(passage.text)) and (clause or condition["if"]):
        passage = passage.cut(condition.end())
    elif clause and (waiting := _WAITING.match(passage.text)) and IMPERATIVE.match(passage.text[waiting.end() :]):
        passage = passage.cut(waiting.end())
    return passage


def _only_says(text: str) -> bool:
    """Whether the text names a member, a number or a time, and no deed."""
    colon = text.find(":")
    if _PORTFOLIO.match(text):
        return True
    numbers = colon > 0 and _NO_WORDS.fullmatch(text, colon + 1)
    times = (
        colon > 0 and _ONLY_WHEN.fullmatch(text, colon + 1) and next(verbs_after_names(text[:colon], 0), None) is None
    )
    return bool(numbers or times or _MEMBER.match(text))
