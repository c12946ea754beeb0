# SPDX-License-Identifier: Apache-2.0
"""Tell what a letter reports from what it orders: what was done, what others asked for, what a law says.

An order needs somebody who asks, and that is the body that writes. What an earlier letter asked for, what a newspaper
says and what was planned are told in the same words; they are no orders, and where it is not sure a person decides.
"""

import re

from bluezone.letters.agency_names import STARTS_AS_AGENCY
from bluezone.vietnamese.spelling import fold

_TENSE = re.compile(r"\b(?:đã|đang|vừa|sẽ|dự kiến)\b", re.IGNORECASE)
# Before the word that asks they put it into the past, into a plan, or into another's mouth.
_DONE = re.compile(r"\b(?:đã|đang|vừa|sẽ|dự kiến|dự thảo|trong đó|từng|nhận được)\b", re.IGNORECASE)
# After these the writers speak for themselves, whatever stands above.
_NOW = re.compile(
    r"(?:^|[\s,;])(?:nay|do đó|do vậy|vì vậy|vì thế|bởi vậy|về việc này"
    r"|về (?:vấn đề|nội dung) (?:này|trên)|:)(?=\s|,|$)",
    re.IGNORECASE,
)
_DOCUMENT = re.compile(
    r"(?:Tại\s+)?(?:Công văn|Công điện|Chỉ thị|Quyết định|Văn bản|Thông tư|Thông báo|Kế hoạch|Nghị quyết|Nghị định|Luật"
    r"|Tờ trình|Báo cáo)\b"
)
# Ways of asking that stand between the asker and the word that asks.
_MANNER = re.compile(
    r"(?:\s+|^)(?:tiếp tục|trân trọng|kính|rất|thống nhất|quyết định|có ý kiến|cũng|và|xin|nghiêm túc|đồng ý"
    r"|một lần nữa)$",
    re.IGNORECASE,
)
# A sentence that begins so says how things stand.
_REPORTS = re.compile(
    r"(?:Theo (?:báo cáo|quy định|phản ánh|thống kê|kết quả|dự báo|thông tin)|Qua (?:kiểm tra|theo dõi|rà soát|nắm)"
    r"|(?:Trong )?(?:những |các )?(?:năm|tháng|tuần|thời gian|ngày|quý|đợt) (?:qua|vừa qua|gần đây)\b"
    r"|Trong \d+ (?:tháng|năm|tuần|ngày) (?:đầu|qua|chống|vừa)|Thời gian qua|Vừa qua|Gần đây|Hiện nay|Hiện tại|Đến nay"
    r"|Cho đến nay|Tính đến|Từ đầu năm|Những (?:năm|tháng|ngày)|Ngay sau khi|Sau khi nhận được|Trước đó"
    r"|(?:Sáng |Chiều |Tối |Đêm )?[Nn]gày \d{1,2}/|Quý [IV]+/|Đánh giá cao|Ghi nhận|Biểu dương|Hoan nghênh|Cảm ơn"
    r"|Tại (?:Công văn|Công điện|Chỉ thị|Quyết định|Văn bản|Kế hoạch|cuộc họp|buổi|Báo cáo)|Xét (?:đề nghị|Tờ trình)"
    r"|Theo (?:Luật|Nghị định|Thông tư)|Nhân dịp|Về (?:kết quả|hạn chế|tồn tại|tình hình|nguyên nhân|ưu điểm))",
)
_INFORMS = re.compile(
    r"(?:thông báo|hướng dẫn|trả lời|báo cáo|cung cấp thông tin|phúc đáp|giải trình|giải đáp)\b[^:]*:\s*$",
    re.IGNORECASE,
)
_ORDERS = re.compile(
    r"(?:yêu cầu|đề nghị|giao|chỉ đạo|phân công|chỉ thị|nhiệm vụ|triển khai|thực hiện|kết luận|ý kiến)\b", re.IGNORECASE
)
_WHOLE_WORDS = {
    "ubnd": "uy ban nhan dan", "hdnd": "hoi dong nhan dan", "bhxh": "bao hiem xa hoi", "bv": "benh vien",
    "ttyt": "trung tam y te", "cdc": "trung tam kiem soat benh tat", "bcd": "ban chi dao", "nha truong": "truong",
}  # fmt: skip
# Who speaks for a body, by his office.
_SPEAKERS = re.compile(
    r"(?:(?:đồng chí|phó|chủ tịch|giám đốc|lãnh đạo|thủ trưởng|hiệu trưởng|trưởng|bộ trưởng|ban giám đốc|ban giám hiệu"
    r"|ban thường vụ|thường trực|ban chấp hành|viện trưởng|chi cục trưởng|cục trưởng|chỉ huy trưởng)(?:\s+|$))+",
    re.IGNORECASE,
)
_LEVELS = re.compile(r"\b(tinh|thanh pho|huyen|quan|thi xa|xa|phuong|thi tran)\b")


def is_told(before: str, issuer: str, superior: str, *, reported: bool = False) -> bool:
    """Return whether what is asked for behind `before`, the sentence up to the word that asks, is only told.

    Nobody but the issuer asks in its letter; an office writes for the body above it, too. reported: whether a semicolon
    joins the sentence to one that tells, so that its asker is that one's.
    """
    breaks = list(_NOW.finditer(before))
    since = before[breaks[-1].end() :] if breaks else before
    asker = re.split(r"[,;]\s+", since)[-1].strip()
    while manner := _MANNER.search(asker):
        asker = asker[: manner.start()].strip()
    if _DOCUMENT.match(asker):
        return True
    if STARTS_AS_AGENCY.match(asker):
        return bool(_TENSE.search(asker)) or not is_ours(asker, issuer, superior)
    return (reported and not breaks) or bool(_DONE.search(since)) or bool(asker and _REPORTS.match(since.strip()))


def reports(sentence: str) -> bool:
    """Return whether the sentence begins as one that says how things stand, or what was done."""
    return bool(_REPORTS.match(sentence))


def is_past(before: str) -> bool:
    """Return whether the words before a verb put it into the past, or into a plan."""
    return bool(_DONE.search(before))


def only_informs(introduction: str) -> bool:
    """Return whether the line above the first clause announces facts, and asks for nothing."""
    return bool(_INFORMS.search(introduction)) and not _ORDERS.search(introduction)


def is_ours(asker: str, issuer: str, superior: str) -> bool:
    """Whether the asker is the issuer by its kind and level, however short its name is written."""
    bodies = [issuer, superior] if fold(issuer).startswith("van phong") else [issuer]
    kind, level = _kind(asker)
    for body in bodies:
        own_kind, own_level = _kind(body)
        if not kind or not own_kind or (kind == own_kind and (not level or not own_level or level == own_level)):
            return True
    return False


def _kind(body: str) -> tuple[str, str]:
    """The first word of a body's name without its speaker, and its level of government; "" for none."""
    speaker = _SPEAKERS.match(body)
    folded = fold(body[speaker.end() :] if speaker else body)
    for short, whole in _WHOLE_WORDS.items():
        if folded == short or folded.startswith(f"{short} "):
            folded = whole + folded.removeprefix(short)
    level = _LEVELS.search(folded)
    return folded.split(" ")[0], level[1] if level else ""
