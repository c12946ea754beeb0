# SPDX-License-Identifier: Apache-2.0
"""Tell what a letter reports from what it orders: what was done, what others asked for, what a law says.

An order needs somebody who asks, and that is the body that writes. What an earlier letter asked for, what a newspaper
says and what was planned are told in the same words; they are no orders, and where it is not sure a person decides.
"""

import re
from enum import Enum, auto

from bluezone.letters.agency_names import STARTS_AS_AGENCY
from bluezone.vietnamese.spelling import fold, name_key


class Asker(Enum):
    """In whose mouth a word that asks is put."""

    WRITER = auto()  # the issuer is named, or nobody else can be meant
    OTHER = auto()  # another body, an earlier document, or a plan: it is only told
    UNCLEAR = auto()  # words that name neither stand before it


_CAPITALS = "".join(sign for sign in map(chr, range(0x41, 0x1EFA)) if sign.isupper() and sign.isalpha())
_TENSE = re.compile(r"\b(?:đã|đang|vừa|sẽ|dự kiến)\b", re.IGNORECASE)
# Before the word that asks they put it into the past, into a plan, or into another's mouth.
_DONE = re.compile(r"\b(?:đã|đang|vừa|sẽ|dự kiến|dự thảo|trong đó|theo đó|từng|nhận được)\b", re.IGNORECASE)
# After these the writers speak for themselves, whatever stands above.
_NOW = re.compile(
    r"(?::|(?:^|[\s,;])(?:nay|do đó|do vậy|vì vậy|vì thế|bởi vậy|về việc này"
    r"|về (?:vấn đề|nội dung) (?:này|trên)))(?=\s|,|$)",
    re.IGNORECASE,
)
_DOCUMENT = re.compile(
    r"(?:Tại\s+)?(?:Công văn|Công điện|Chỉ thị|Quyết định|Văn bản|Thông tư|Thông báo|Kế hoạch|Nghị quyết"
    r"|Nghị định|Luật"
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
    r"(?:Theo (?:báo cáo|(?:các )?quy định|phản ánh|thống kê|kết quả|dự báo|thông tin|chỉ đạo|ý kiến|sự chỉ đạo"
    r"|phân công|kế hoạch|hướng dẫn|công văn|công điện|thông báo|kết luận|lộ trình|lịch|chương trình|tinh thần"
    r"|điều|khoản|luật)|Qua (?:kiểm tra|theo dõi|rà soát|nắm)"
    r"|(?:Trong )?(?:những |các )?(?:năm|tháng|tuần|thời gian|ngày|quý|đợt) (?:qua|vừa qua|gần đây)\b"
    r"|Trong \d+ (?:tháng|năm|tuần|ngày) (?:đầu|qua|chống|vừa)|Thời gian qua|Vừa qua|Gần đây|Hiện nay"
    r"|Hiện tại|Đến nay"
    r"|Cho đến nay|Tính đến|Từ đầu năm|Những (?:năm|tháng|ngày)|Ngay sau khi|Sau khi nhận được|Trước đó"
    r"|(?:Sáng |Chiều |Tối |Đêm )?[Nn]gày \d{1,2}/|Quý [IV]+/|Đánh giá cao|Thảo luận"
    r"|Ý kiến (?:thảo luận|phát biểu|tham gia)|Ghi nhận|Biểu dương|Hoan nghênh|Cảm ơn"
    r"|Tại (?:Công văn|Công điện|Chỉ thị|Quyết định|Văn bản|Kế hoạch|cuộc họp|buổi|Báo cáo)|Xét (?:đề nghị|Tờ trình)"
    r"|Theo (?:Luật|Nghị định|Thông tư)|Nhân dịp|Về (?:kết quả|hạn chế|tồn tại|tình hình|nguyên nhân|ưu điểm))",
)
_INFORMS = re.compile(
    r"(?:thông báo|hướng dẫn|trả lời|báo cáo|cung cấp thông tin|phúc đáp|giải trình|giải đáp)\b[^:]*:\s*$",
    re.IGNORECASE,
)
_ORDERS = re.compile(
    r"(?:yêu cầu|đề nghị|giao|chỉ đạo|phân công|chỉ thị|nhiệm vụ|triển khai|thực hiện|kết luận"
    r"|ý kiến)\b",
    re.IGNORECASE,
)
# Who speaks for a body, by his office.
_SPEAKERS = re.compile(
    r"(?:(?:đồng chí|phó|chủ tịch|giám đốc|lãnh đạo|thủ trưởng|hiệu trưởng|trưởng|bộ trưởng|ban giám đốc"
    r"|ban giám hiệu"
    r"|ban thường vụ|thường trực|ban chấp hành|viện trưởng|chi cục trưởng|cục trưởng|chỉ huy trưởng)(?:\s+|$))+",
    re.IGNORECASE,
)
_LEVELS = re.compile(r"\b(tinh|thanh pho|huyen|quan|thi xa|xa|phuong|thi tran)\b")


def who_asks(before: str, issuer: str, superior: str, *, reported: bool = False) -> Asker:
    """Return in whose mouth what is asked for behind `before`, the sentence up to the word that asks, is put.

    Nobody but the issuer asks in its letter; an office writes for the body above it, too. reported: whether a semicolon
    joins the sentence to one that tells, so that its asker is that one's.
    """
    if _TOLD.search(before):
        return Asker.OTHER
    if _SAID_IN.match(before) and not _SINCE.search(before):
        return Asker.OTHER  # "Tại Công văn số 1540/UBND-NC, UBND huyện yêu cầu …"
    if names_the_deed(before) and not _DONE.search(before):
        return Asker.WRITER  # "Việc lấy mẫu tại chợ giao Giám đốc Sở Y tế trực tiếp chỉ đạo"
    breaks = [match for match in _NOW.finditer(before) if not _is_others_colon(before, match, issuer, superior)]
    since = before[breaks[-1].end() :] if breaks else before
    asker = re.split(r"[,;]\s+", since)[-1].strip()
    while manner := _MANNER.search(asker):
        asker = asker[: manner.start()].strip()
    if _DOCUMENT.match(asker):
        return Asker.OTHER
    if within := _WITHIN.match(asker):
        asker = asker[within.end() :]  # "Về việc Bệnh viện đề nghị …", "Sau khi Sở Y tế đề nghị …"
    if STARTS_AS_AGENCY.match(asker):
        ours = not _TENSE.search(asker) and is_ours(asker, issuer, superior)
        return Asker.WRITER if ours else Asker.OTHER
    if not asker and any(_CRIMINALS.match(part.strip()) for part in re.split(r"[,;:]\s", since)):
        return Asker.OTHER  # "đối tượng gọi điện cho người dân, yêu cầu các gia đình chuyển tiền"
    if _OTHERS.match(asker) or _TELLER.search(asker) or _another_asks(since, asker, issuer, superior):
        return Asker.OTHER
    earlier = [] if asker else list(_ASKED_BEFORE.finditer(since))
    if earlier and who_asks(since[: earlier[-1].start()], issuer, superior) is Asker.OTHER:
        return Asker.OTHER  # "tác giả kiến nghị phường bố trí người trực, đề nghị Công an …"
    if (reported and not breaks) or _DONE.search(since) or (asker and _REPORTS.match(since.strip())):
        return Asker.OTHER
    return Asker.WRITER if not asker or breaks or _LEADS_IN.match(asker) else Asker.UNCLEAR


def names_the_deed(before: str) -> bool:
    """Return whether only what is to be done stands before the word that asks: "Việc lấy mẫu tại chợ giao …"."""
    return bool(_THE_DEED.match(before))


def is_told(before: str, issuer: str, superior: str, *, reported: bool = False) -> bool:
    """Return whether what is asked for behind `before` is only told (`who_asks`)."""
    return who_asks(before, issuer, superior, reported=reported) is Asker.OTHER


def _is_others_colon(before: str, found: re.Match[str], issuer: str, superior: str) -> bool:
    """Whether a colon, or a semicolon behind one, carries on what another body says: "Sở Nội vụ có ý kiến: …"."""
    if not found.group().endswith(":"):
        return False
    speaker = re.split(r"[,;]\s+", before[: found.start() + found.group().rindex(":")])[-1].strip()
    if STARTS_AS_AGENCY.match(speaker):
        return not is_ours(speaker, issuer, superior)
    return bool(_DOCUMENT.match(speaker) or _OTHERS.match(speaker))


def _another_asks(since: str, asker: str, issuer: str, superior: str) -> bool:
    """Whether a word of doing stands before the one that asks, in a sentence whose subject is another: "Đoàn kiểm tra
    tiến hành kiểm tra, lập biên bản và yêu cầu …"."""
    first = since.strip()
    if asker == first or not asker or not asker[:1].islower() or _LEADS_IN.match(asker):
        return False
    if _OTHERS.match(first):
        return True
    return bool(STARTS_AS_AGENCY.match(first)) and not is_ours(re.split(r",\s", first)[0], issuer, superior)


# What an earlier document asked for.
EARLIER = r"\b(?:có|tại|nhận được)\s+(?:văn bản|tờ trình|công văn|báo cáo|đơn|kiến nghị|đề nghị|phản ánh)\s"
# "Có ý kiến đề nghị hợp nhất hai chi bộ, giao Đảng ủy xã …" tells what somebody said.
_TOLD = re.compile(
    rf"(?-i:^Có (?:một số |nhiều )?ý kiến(?! chỉ đạo| như sau))|\bđã\s+(?:có|ban hành|gửi|phát hành|ra)\s"
    rf"|{EARLIER}[^;,:]*$",
    re.IGNORECASE,
)
# Who asks in a story: they give nobody a duty.
_OTHERS = re.compile(
    r"(?:(?:các|những|một số|nhiều|đa số|phần lớn|có|bên)\s+)*(?:đối tượng|kẻ gian|người|nhân dân|công dân|cử tri"
    r"|bà con|phụ huynh|gia đình|hộ|khách|hành khách|bệnh nhân|đoàn kiểm tra|đoàn giám sát|họ|chúng"
    r"|đoàn thanh tra|dư luận|báo chí|nhà thầu|nhà cung cấp|công ty|doanh nghiệp|chủ (?:hộ|nhà|tàu|cơ sở|quán)|ông|bà"
    r"|anh|chị|thành viên|ý kiến|cá nhân|hãng|đơn)\b(?!\s+(?:chỉ đạo|trên|nêu trên))",
    re.IGNORECASE,
)
_SAID_IN = re.compile(
    r"(?:Trước đó, )?(?:[Tt]ại|[Tt]rong|[Tt]heo) (?:Công văn|Công điện|Chỉ thị|Quyết định|Văn bản|Thông báo"
    r"|Kế hoạch|Nghị quyết)(?: số)? \d"
)
_SINCE = re.compile(r"\b(?:để|nay|do đó|vì vậy|về việc này|tuy nhiên)\b|(?<=\w)\.\s", re.IGNORECASE)
_CRIMINALS = re.compile(
    r"(?:(?:các|những|một số|nhiều|nhóm)\s+)*(?:đối tượng|kẻ (?:gian|xấu|lừa đảo)|chúng|bọn|tội phạm"
    r"|người tự xưng)\b(?! thuộc| là| được| cần| trên)",
    re.IGNORECASE,
)
_WITHIN = re.compile(
    rf"(?:Về việc|Liên quan(?: đến)?(?: việc)?|Việc|Sau khi|Khi|Trước khi|Do|Vì|Trước việc)\s+"
    rf"(?={STARTS_AS_AGENCY.pattern})",
    re.IGNORECASE,
)
_THE_DEED = re.compile(r"(?:Việc|Công tác|Nhiệm vụ|Nội dung|Phần việc|Kinh phí|Chi phí)\s[^:;.A-ZĐ]*$")
# Who asks behind other words: "Trong đơn bà Lý yêu cầu …".
_TELLER = re.compile(
    rf"\b(?:(?:ông|bà|anh|chị)(?: [{_CAPITALS}]\S*)+|tác giả|bài báo|phóng viên|cử tri|công dân|người khiếu nại"
    r"|đương sự|người dân|phụ huynh|bạn đọc)$"
)
_ASKED_BEFORE = re.compile(r"\b(?:kiến nghị|đề nghị|yêu cầu|phản ánh|phê bình)\b(?! của)")
# With these words a sentence leads in to what its writer asks.
_LEADS_IN = re.compile(
    r"(?:để|nhằm|do|vì|trước|từ|với|trên|căn cứ|theo|qua|nếu|khi|trường hợp|trong|sau|nhận được|ngoài|bên cạnh|riêng"
    r"|về|đối với|tiếp|vậy|nay|ngay|hiện|thời gian|kính|một lần nữa|đồng thời|song song|cùng với|tuy nhiên|mặt khác"
    r"|quá trình|thực hiện|triển khai|xét|trân trọng|rất|tại|cụ thể|như sau|các nội dung|nội dung|việc|chúng tôi|tôi"
    r"|thay mặt|lưu ý|đặc biệt|trước mắt|phát huy|tiếp tục|quyết định|chi tiết|mọi|kết quả|hồ sơ|văn bản|danh sách"
    r"|báo cáo|số liệu|thông tin|thông báo|hướng dẫn|đến|hoặc|lần này|đợt này|năm nay|gửi kèm|kèm theo|phúc đáp"
    r"|trả lời|sao gửi|chuyển|gửi)\b",
    re.IGNORECASE,
)


_TOPIC = re.compile(r"^[^:;.,]{2,60}:\s+")


def reports(sentence: str) -> bool:
    """Return whether the sentence begins as one that says how things stand, or what was done; a topic may stand before
    it: "Về thẩm quyền: Theo quy định của Luật …".
    """
    return bool(_REPORTS.match(sentence) or _REPORTS.match(_TOPIC.sub("", sentence)))


# What was reached: "vận động được 1,2 tỷ đồng", "thực hiện tốt, đạt trên 95%".
_JUDGED = (
    r"\b(?:thực hiện|phối hợp|làm|chấp hành|triển khai)(?: rất| khá)? tốt(?=[,.;]|$| với| các| trong| ở| tại)"
    r"|\bchưa (?:nghiêm|thực hiện|kịp|báo cáo|bố trí|đạt|tốt|quyết liệt|quan tâm|thường xuyên)"
    r"|\bcòn (?:chậm|thấp|chủ quan|lúng túng|hạn chế|để|buông lỏng)|\bchậm (?:tham mưu|báo cáo|triển khai|tiến độ)"
    r"|\bbuông lỏng|\bnỗ lực hoàn thành|\bdẫn đầu\b"
)
_RESULT = re.compile(
    r"\bđược\s+(?:hơn |trên |gần |khoảng |tổng số |thêm )?\d"
    r"|(?<!phấn đấu )(?<!bảo đảm )(?<!đảm bảo )(?<!để )(?<!cần )(?<!phải )"
    r"\bđạt (?:hơn |trên |gần |khoảng |tỷ lệ |kết quả )?(?:\d|tốt|cao|thấp|khá|nhiều)"
    r"|\b(?:ghi nhận|phát hiện|tiếp nhận|xảy ra|còn|có) (?:hơn |trên |gần )?\d+ (?:ca|vụ|trường hợp|người"
    r"|đơn vị|cơ sở)"
    rf"|\bchưa (?:có|được)|\bcòn thiếu|{_JUDGED}",
    re.IGNORECASE,
)
_JUDGES = re.compile(_JUDGED, re.IGNORECASE)


def judges(sentence: str) -> bool:
    """Return whether the sentence praises or blames what was done."""
    return bool(_JUDGES.search(sentence))


def tells_a_result(sentence: str) -> bool:
    """Return whether the sentence says what was reached or missed; an order says what is to be."""
    return bool(_RESULT.search(sentence))


def is_past(before: str) -> bool:
    """Return whether the words before a verb put it into the past, or into a plan."""
    return bool(_DONE.search(before))


def only_informs(introduction: str, *, addressed: bool) -> bool:
    """Return whether the line above the first clause announces facts, and asks for nothing.

    addressed: whether the letter is for somebody by name; a guidance for nobody is for whom its clauses name.
    """
    guides = not addressed and "hướng dẫn" in introduction
    return bool(_INFORMS.search(introduction)) and not guides and not _ORDERS.search(introduction)


_LEADS_TO = re.compile(
    r"\b(?:yêu cầu|đề nghị|giao(?! ban| thông| dịch| lưu)|chỉ đạo|phân công|chỉ thị|nhiệm vụ|triển khai"
    r"|thực hiện|kết luận|ý kiến|hướng dẫn|kế hoạch|quyết định|thống nhất|lưu ý|kêu gọi|phương án|nội dung|như sau"
    r"|sau đây|sau:|biện pháp|phối hợp|mời|chương trình|quy chế|quy định|tổ chức|phát động)\b|:\s*$",
    re.IGNORECASE,
)


def leads_to_no_order(preamble: str) -> bool:
    """Return whether words stand above the first clause, and none of them leads to orders: the minutes of a meeting."""
    return bool(preamble.strip()) and not _LEADS_TO.search(preamble)


_ANSWERS = re.compile(r"\b(?:báo cáo|trả lời|phúc đáp|giải trình|cung cấp|thông tin(?= (?:như|đến|tới|một|về)\b))\b")
_ASKS_BEFORE = re.compile(r"\b(?:yêu cầu|đề nghị|giao|phân công|chỉ đạo|chỉ thị|kêu gọi)\b")
_ASKS_TOO = re.compile(r"\b(?:và|đồng thời|,) (?:yêu cầu|đề nghị|giao|phân công)\b")


_CONCLUDES = re.compile(r"\b(?:kết luận|chỉ đạo|chỉ thị|có ý kiến)\b(?: như sau| các nội dung sau)?\s*:")


def answers(introduction: str, issuer: str, superior: str) -> bool:
    """Return whether the line above the first clause says that the issuer reports or answers: "Sở Y tế báo cáo kết quả
    như sau:".
    """
    parts = re.split(r"(?<=,)\s+", re.split(r"(?<=[^\W\d_A-ZĐ]{2}\.)\s+", introduction)[-1])
    own = [at for at, part in enumerate(parts) if STARTS_AS_AGENCY.match(part) and is_ours(part, issuer, superior)]
    main = " ".join(parts[own[-1] :]) if own else ""
    verb = None if _CONCLUDES.search(parts[-1]) else _ANSWERS.search(main)
    return verb is not None and not _ASKS_BEFORE.search(main[: verb.start()]) and not _ASKS_TOO.search(main)


def is_ours(asker: str, issuer: str, superior: str) -> bool:
    """Whether the asker is the issuer by its kind, level and first own word, however short its name is written."""
    if (own := _own_word(asker)) and own not in _words(f"{issuer} {superior}"):
        return False  # "Sở Nội vụ" is not "Sở Y tế"
    bodies = [issuer, superior] if fold(issuer).startswith("van phong") else [issuer]
    kind, level = _kind(asker)
    for body in bodies:
        own_kind, own_level = _kind(body)
        if not kind or not own_kind or (kind == own_kind and (not level or not own_level or level == own_level)):
            return True
    return False


# Small words that stand before the own word of a name: "Trung tâm Y tế", "Công an xã Tân Lập".
_BEFORE_OWN = frozenset({
    "tâm", "cục", "viện", "an", "đoàn", "ban", "phòng", "nhân", "dân", "hội", "tỉnh", "huyện", "xã", "phường", "quận",
    "thành", "phố", "thị", "trấn", "ủy", "hiểm", "trường", "đồng", "chức", "liên", "công", "y", "tế",
})  # fmt: skip


_PERSON = re.compile(rf"(?:\s+[{_CAPITALS}][^\W\d_{_CAPITALS}]+){{3,5}}(?=\s|$)")


def _own_word(asker: str) -> str | None:
    """The folded first word that tells a body from others of its kind; None for "Sở", "UBND tỉnh" or "Sở GDĐT"."""
    speaker = _SPEAKERS.match(asker)
    if speaker:
        asker = _PERSON.sub("", asker)  # "Phó Chủ tịch UBND tỉnh Trần Văn Bình"
    for word in asker[speaker.end() if speaker else 0 :].split()[1:]:
        bare = word.strip(",;:.")
        if bare[:1].isupper():
            return fold(bare) if len(bare) == 1 or not bare.isupper() else None
        if bare not in _BEFORE_OWN:
            return None
    return None


def _words(bodies: str) -> set[str]:
    return {*fold(bodies).split(), *name_key(bodies).split()}


def _kind(body: str) -> tuple[str, str]:
    """The first word of a body's name without its speaker, and its level of government; "" for none."""
    speaker = _SPEAKERS.match(body)
    folded = name_key(body[speaker.end() :] if speaker else body).removeprefix("nha ")  # "nhà trường"
    level = _LEVELS.search(folded)
    return folded.split(" ")[0], level[1] if level else ""
