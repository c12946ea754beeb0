# SPDX-License-Identifier: Apache-2.0
"""The last look at each order before it is proposed: does the issuer itself ask for it, and now?

An order that nobody gave is worse than one that was missed, so whatever stands in a sentence that describes, quotes,
tells a story, thanks, allows, says who pays or what might have been is refused here, wherever the reader found it. What
is refused is left open for a person (`Proposal.unsure`).
"""

import bisect
import datetime
import re

from bluezone.letters.agency_names import STARTS_AS_AGENCY
from bluezone.letters.body.context import Context
from bluezone.letters.body.parties import given_at
from bluezone.letters.body.telling import is_ours
from bluezone.letters.letter_text import Passage
from bluezone.letters.proposal import DocumentKind, Doubt, ProposedTask

_AGENCY = STARTS_AS_AGENCY.pattern
# "Kinh phí ăn, ở do đơn vị cử người đi học chi trả" says who pays.
_PAYS = re.compile(
    r"(?:[^.;:]{0,40}\b)?(?:kinh phí|chi phí|tiền|phí|học phí|lệ phí|nguồn vốn|vốn|thù lao|phụ cấp"
    r"|chế độ)\b[^.;]{0,120}?"
    r"\b(?:do|từ)\s[^.;]{2,120}?\s(?:tự\s+)?(?:chi trả|chi|bảo đảm|đảm bảo|cấp|trả|thanh toán|tự túc|đài thọ|hỗ trợ"
    r"|chịu|lo|tự lo)\b",
    re.IGNORECASE,
)
# "UBND huyện được sử dụng nhà xe cũ" is allowed something.
_MAY = re.compile(
    rf"(?:Riêng )?{_AGENCY}[^;:.]{{0,100}}?\s(?:chỉ )?được (?:phép|sử dụng|hưởng|nghỉ|miễn|cấp|hỗ trợ"
    rf"|trang bị|khen|tặng"
    r"|nhận|thanh toán|tính|trừ|quyền|vay|trích|hoàn|mời|bố trí|tham gia|ưu tiên|giữ lại|chủ động|lựa chọn)\b"
)
# "Trạm Y tế báo cáo: trong tuần đã lấy 120 mẫu" is what somebody says.
_SPEECH = re.compile(
    r"[^:;.]{3,120}?\s(?:báo cáo|phát biểu|có ý kiến|ý kiến|cho biết|cho rằng|nêu|trình bày|phản ánh"
    r"|thảo luận|tham luận"
    r"|kiến nghị|đề nghị|đề xuất|giải trình|hỏi|trả lời|chia sẻ|kể|khẳng định|nhận định|đánh giá)\b[^:;.]{0,40}:\s"
)
_SPOKEN = re.compile(
    r"\b(?:đã|đang|sẽ|vừa|đề nghị|kiến nghị|chưa|hiện|có \d|còn \d|nhất trí|thống nhất|tuần qua|tháng qua"
    r"|trong tuần|cần)\b"
)
_SPEAKERS = re.compile(r"(?:Đại diện|Ông|Bà|Đồng chí|Đ/c|Các (?:ý kiến|đại biểu|thành viên)|Ý kiến)\b", re.IGNORECASE)
# "Phó Chủ tịch ghi nhận, sẽ báo cáo Ban cán sự Đảng" takes note; "Thống nhất đánh giá: …" says what is so.
_NOTES = re.compile(
    rf"(?:[^:.;]{{3,200}}:\s+)?{_AGENCY}[^;:.,]{{0,60}}?\s(?:ghi nhận|đồng ý|nhất trí|hoan nghênh"
    rf"|chia sẻ với|đánh giá cao"
    r"|xin tiếp thu|nghiêm túc tiếp thu|cơ bản thống nhất|thống nhất (?:với|về|chủ trương|đánh giá|không|là"
    r"|rằng|các nội dung))\b"
    r"|(?:Thống nhất|Đánh giá|Nhận định|Ghi nhận|Nhận xét|Cơ bản|Khẳng định)(?: (?:chung|đánh giá|nhận định"
    r"|quan điểm))*\s*[:,]\s"
    r"|Thống nhất (?:đánh giá|nhận định|quan điểm)\b"
)
# "Nhiệm vụ của các đơn vị thực hiện theo Phụ lục" points to where the orders stand.
_POINTS = re.compile(
    r"[^.;:]{0,80}\b(?:theo|tại|ở|như|trong)\s(?:các\s|bảng\s|biểu\s)?(?:Phụ lục|phụ lục|bảng|Bảng|biểu"
    r"|Biểu|danh mục|Danh mục|phụ biểu)"
    r"(?: (?:số|phân công|kèm theo|đính kèm|gửi kèm|dưới đây|sau đây|sau|nêu trên|trên|nhiệm vụ|[\dIVX]+))*\s*[.;/]*"
)
# "Nhân dân trên đảo vốn giàu kinh nghiệm chống bão" says how somebody is; "có thể được điều chỉnh", what may be.
_DESCRIBES = re.compile(
    rf"{_AGENCY}[^;:.]{{0,60}}?\s(?:vốn|thường(?! xuyên| trực)|rất|đều|vẫn|luôn luôn|tin tưởng|tự giải thể"
    r"|(?<!không )chúc)\b"
)
_MAY_BE = re.compile(r"[^;:.]{0,120}\bcó thể (?:được|bị|sẽ)?\b")
# "Trưởng ấp nào để xảy ra tai nạn sẽ bị xem xét khi bình xét thi đua" threatens.
_SUFFERS = re.compile(r"[^;:.]{0,160}\b(?:sẽ|thì) bị\b")
# "Huyện đã sơ tán 1.120 người; Ban Chỉ huy Quân sự huyện cứu 9 người": what is joined to what was done was done, too.
_DONE_BEFORE = re.compile(r"(?:^|[;.]\s|:\s)[^;,:]{0,70}?\bđã\s")
# "Công ty trình bày phương án" stands in the programme of a meeting.
_SPEAKS = re.compile(
    rf"(?:{_AGENCY}|[Đđ]ại diện)[^;:.]{{0,80}}?\s(?:trình bày|phát biểu|báo cáo|nêu|giải đáp|kết luận"
    rf"|tham luận|thảo luận|giới thiệu"
    r"|khai mạc|bế mạc|điều hành|công bố|trao|giải trình|chất vấn|trả lời)\b"
)
# What might have been, and was not.
_UNREAL = re.compile(r"\b(?:lẽ ra|đáng lẽ|đáng ra|giá như|phải chi|đã có thể|suýt)\b", re.IGNORECASE)
_THANKS = re.compile(
    r"(?:(?:Nhân dịp này|Một lần nữa|Thay mặt|Qua đây)[^;:.]{0,120},\s*)?[^;:.,]{0,60}?\b(?:xin "
    r"|trân trọng |chân thành |nhiệt liệt )*"
    r"(?:cảm ơn|cám ơn|biểu dương|chúc mừng|tri ân|hoan nghênh|chia buồn|ghi nhận và đánh giá)\b",
    re.IGNORECASE,
)
# What comes again and again, whoever orders it.
_HABIT = re.compile(
    r"(?:Hằng năm|Hàng năm|Mỗi năm|Thường niên|Theo (?:thông lệ|thường lệ|truyền thống)|Từ nhiều năm"
    r"|Nhiều năm (?:nay|qua)"
    r"|Bình thường|Thông thường|Lâu nay|Xưa nay|Từ trước đến nay|Như thường lệ|Như mọi năm)\b"
)
# A sentence that begins so tells a story.
_STORY = re.compile(
    r"(?:Ngay\s+)?(?:[Tt]ừ (?:những ngày )?đầu (?:năm|dịch|tháng|vụ|mùa|đợt|nhiệm kỳ)|[Ll]úc (?:đó|ấy"
    r"|bấy giờ|đầu)|[Kk]hi (?:đó|ấy)"
    r"|Bấy giờ|Hồi (?:tháng|đầu|năm|giữa|cuối)|Thời điểm (?:đó|ấy)|Trước đây|Trước kia|Ngày (?:ấy|đó)"
    r"|Đêm (?:đó|ấy|hôm đó)"
    r"|Hôm (?:đó|ấy|sau|trước)|Năm ngoái|Năm học trước|Tháng trước|Tuần trước|Đợt trước|Trong (?:đợt|lần"
    r"|vụ) (?:dịch|lũ|bão)"
    r"|Với tinh thần (?:đó|ấy|trên)|Nhờ (?:đó|vậy|có|sự)|Kết quả(?: là)?,|Mặc dù|Dù)\b"
)
_MONTH = re.compile(r"(?:Đầu |Cuối |Giữa |Trong )?[Tt]háng (\d{1,2})(?:/| năm )(\d{4})\b")
_YEAR = re.compile(r"(?:Đầu |Cuối |Giữa |Trong )?[Nn]ăm (\d{4})\b")
# Here the writer turns from the story to what is to be done.
_TURN = re.compile(
    r"(?:để|nhằm|vì vậy|do đó|do vậy|vì thế|trước tình hình|từ thực tế|từ tình hình|từ sự việc|nay"
    r"|thời gian tới|trong thời gian tới"
    r"|tới đây|về việc này|thực hiện|căn cứ|hiện nay)\b",
    re.IGNORECASE,
)
# "… yêu cầu Trung tâm rút kinh nghiệm và đơn vị đã nghiêm túc thực hiện"
_CAME_TRUE = re.compile(
    rf"(?:\bvà|\bnên|,|\bdo đó|\bnhờ (?:đó|vậy))\s+(?:kết quả|đến nay|hiện|hiện nay"
    rf"|{_AGENCY}[^;:.,]{{0,40}}|việc này)\s*,?\s*"
    r"(?:đều |hiện |cơ bản )*đã\s"
)


def told_in(task: ProposedTask, paragraph: Passage, context: Context) -> Passage | None:
    """Return the passage of the task where what was taken for an order is only told; None for an order.

    paragraph: of the body, in which the task begins.
    """
    at = bisect.bisect_left(paragraph.offsets, task.text.span.start)
    until = bisect.bisect_left(paragraph.offsets, task.text.span.end)
    return paragraph.cut(at, until) if _is_told(task, paragraph, at, context) else None


def _is_told(task: ProposedTask, paragraph: Passage, at: int, context: Context) -> bool:
    if _is_quoted(paragraph.text, at):
        return True
    begin = max((end.end() for end in _FULL_STOP.finditer(paragraph.text, 0, at + 1)), default=0)
    stop = _FULL_STOP.search(paragraph.text, at + 1)
    sentence = paragraph.text[begin : stop.start() if stop else len(paragraph.text)]
    part = max(sentence.rfind("; ", 0, at - begin) + 2, 0) if "; " in sentence[: at - begin] else 0
    own = task.text.value
    given = bool(given_at(sentence[part:]))
    if (_PAYS.match(own) or _PAYS.match(sentence[part:])) and not given:
        return True
    if (_NOTES.match(own) and not given and not task.due) or (_POINTS.fullmatch(own) and not task.due):
        return True
    if (_MAY.match(own) and not given) or _UNREAL.search(own) or _CAME_TRUE.search(own):
        return True
    if _is_speech(sentence, at - begin, context) or (_THANKS.match(sentence) and not task.due):
        return True
    if own.isupper() and not task.points:
        return True  # a heading
    if context.kind is DocumentKind.INVITATION and not given and not task.due and _SPEAKS.match(own):
        return True
    bare = not given and not _MUST.search(own)
    if bare and not task.due and (_DESCRIBES.match(own) or _MAY_BE.match(own) or _SUFFERS.match(own)):
        return True
    if bare and part and not _is_due_ahead(task, context.date) and _DONE_BEFORE.search(sentence[:part]):
        return True
    if _is_due_ahead(task, context.date) or _TURN.match(sentence[part:]):
        return False
    in_prose = Doubt.PROSE in task.text.doubts
    return in_prose and (bool(_HABIT.match(sentence)) or _is_story(sentence, at - begin, context.date))


_MUST = re.compile(r"\b(?:có trách nhiệm|chịu trách nhiệm|phải|cần|khẩn trương|tiếp tục)\b")
_FULL_STOP = re.compile(r"(?<=[^\s.]{2}\.)\s+(?=[\"“(]?[^\W\d_])|(?<=[\d)”]\.)\s+(?=[\"“(]?[^\W\d_])")


def _is_quoted(text: str, at: int) -> bool:
    before = text[:at]
    return before.count("“") > before.count("”") or (before.count('"') % 2 == 1 and "“" not in text)


def _is_speech(sentence: str, at: int, context: Context) -> bool:
    """Whether the sentence is what somebody else says, in a meeting or to the writer."""
    speech = _SPEECH.match(sentence)
    if speech is None or (speech.end() < at and given_at(sentence[speech.end() :]) == []):
        return False
    speaker = sentence[: speech.end()]
    names_other = STARTS_AS_AGENCY.match(speaker) and not is_ours(speaker, context.issuer, context.superior)
    return bool((names_other or _SPEAKERS.match(speaker)) and _SPOKEN.search(sentence[speech.end() :]))


def _is_story(sentence: str, at: int, day: datetime.date | None) -> bool:
    """Whether the sentence is set in the past, without a turn to what is to be done before `at`."""
    if ":" in sentence[:at] and not sentence.startswith(("Với tinh thần",)):
        return False
    if _STORY.match(sentence):
        return True
    if day is None:
        return False
    if month := _MONTH.match(sentence):
        return (int(month[2]), int(month[1])) < (day.year, day.month)
    year = _YEAR.match(sentence)
    return year is not None and int(year[1]) < day.year


def _is_due_ahead(task: ProposedTask, day: datetime.date | None) -> bool:
    due = task.due.value.date if task.due else None
    return due is not None and day is not None and due >= day
