# SPDX-License-Identifier: Apache-2.0
"""Read whom a letter addresses (Kính gửi) and who receives it for what (Nơi nhận), and take such lists of agencies
apart.
"""

import re
from collections.abc import Sequence

from bluezone.letters.letter_text import Passage, folded_ocr, joined
from bluezone.letters.proposal import Addressee, Confidence, Doubt, Proposed, Purpose, Recipient
from bluezone.letters.signatures import is_signature_line
from bluezone.vietnamese.spelling import fold

# How the name of an agency, a level of government or a union begins. Capitals and small letters count apart:
# "Ban Dân tộc" is an agency, "ban" inside "các phòng, ban" is not a new one.
_HEADS = (
    "UBND",
    "HĐND",
    "UBMTTQ",
    "MTTQ",
    "Ủy ban",
    "Hội đồng",
    "Mặt trận",
    "Các",
    "các",
    "Phòng",
    "Ban",
    "Trung tâm",
    "Văn phòng",
    "Hội",
    "Thành đoàn",
    "Tỉnh đoàn",
    "Huyện đoàn",
    "Đoàn",
    "Liên đoàn",
    "Công an",
    "Sở",
    "Bộ",
    "Chi cục",
    "Cục",
    "Trạm",
    "Trường",
    "Bệnh viện",
    "Chính quyền",
    "chính quyền",
    "Thôn",
    "thôn",
    "Tổ",
    "tổ dân phố",
    "tổ trưởng",
    "trưởng thôn",
    "Trưởng thôn",
    "Bản",
    "bản",
    "Chủ tịch",
    "Thủ trưởng",
    "thủ trưởng",
    "Người đứng đầu",
    "Bí thư",
    "Giám đốc",
    "Chánh Văn phòng",
    "Trưởng phòng",
    "Trưởng các",
    "Hiệu trưởng",
    "Cơ quan",
    "cơ quan",
    "Đơn vị",
    "đơn vị",
    "Doanh nghiệp",
    "doanh nghiệp",
    "Tổ chức",
    "tổ chức",
    "Địa phương",
    "địa phương",
    "Đội",
    "Đài",
    "Kho bạc",
    "Ngân hàng",
    "Bảo hiểm",
    "Viện",
    "Tòa án",
    "Thanh tra",
    "Chi nhánh",
    "Công ty",
    "Đề nghị",
    "Thường trực",
    "Thành ủy",
    "Tỉnh ủy",
    "Huyện ủy",
    "Đảng ủy",
    "CT,",
    "PCT",
    "Lãnh đạo",
    "lãnh đạo",
    "Như",
    "Trưởng ban",
    "Tổ Covid",
    "Tổ COVID",
)
_HEAD = rf"(?:{'|'.join(re.escape(head) for head in sorted(_HEADS, key=len, reverse=True))})(?!\w)"
STARTS_AS_AGENCY = re.compile(_HEAD)

_CUT = re.compile(rf"\s*[,;]\s*(?={_HEAD})|\s+(?:và|cùng|với)\s+(?={_HEAD})|\s*;\s*")

# Words of one kind that a collective puts side by side: "phường" after "các xã, " is still that collective.
_COLLECTIVE_KINDS = (
    {"xã", "phường", "thị trấn", "huyện", "quận", "thành phố", "thị xã", "tỉnh"},
    {
        "phòng",
        "ban",
        "ngành",
        "đơn vị",
        "đoàn thể",
        "cơ quan",
        "sở",
        "tổ chức",
        "doanh nghiệp",
        "bộ",
        "địa phương",
        "hội",
        "trường",
    },
    {"thôn", "tổ dân phố", "bản", "khu phố", "xóm", "tiểu khu"},
)
_COLLECTIVE = re.compile(r"(?:^|\s)các\s", re.IGNORECASE)
_COLLECTIVE_WORDS = re.compile(
    r"^(?:chính quyền cơ sở|thôn|tổ dân phố|bản|cơ quan|đơn vị|địa phương|tổ chức|doanh nghiệp"
    r"|thủ trưởng|tổ trưởng|trưởng thôn)\b",
    re.IGNORECASE,
)

# Longer than any list of agencies in one breath; what is longer is a sentence.
LONGEST_LIST = 400


def split_names(list_of_names: Passage) -> list[Passage]:
    """Cut a list of agencies into its names, in order."""
    pieces: list[tuple[int, int]] = []
    start = 0
    text = list_of_names.text
    for cut in _CUT.finditer(text):
        if pieces_join(text[start : cut.start()], text[cut.end() :]) and ";" not in cut.group():
            continue
        pieces.append((start, cut.start()))
        start = cut.end()
    pieces.append((start, len(text)))
    names = [list_of_names.cut(*piece) for piece in pieces]
    return [name.cut(0, len(name.text.rstrip(" .,;:"))) for name in names if name.text.strip(" .,;:")]


def pieces_join(before: str, after: str) -> bool:
    """Return whether `after` carries on the collective that ends `before`: "các xã" and "phường …"."""
    collective = list(re.finditer(r"(?:^|\s)các\s+", before, re.IGNORECASE))
    if not collective:
        return False
    listed = before[collective[-1].end() :]
    return any(_opens_with(listed, kind) and _opens_with(after, kind) for kind in _COLLECTIVE_KINDS)


def _opens_with(text: str, words: set[str]) -> bool:
    return any(re.match(rf"{word}(?!\w)", text) for word in words)


def is_collective(name: str) -> bool:
    """Return whether the name stands for several agencies that the office has to name: "UBND các xã, phường"."""
    return bool(_COLLECTIVE.search(name) or _COLLECTIVE_WORDS.match(name))


def all_agencies(names: list[Passage]) -> bool:
    """Return whether each name begins as an agency does."""
    return bool(names) and all(STARTS_AS_AGENCY.match(name.text) for name in names)


BULLET = re.compile(r"^(?:[-–—+•●▪·*]\s*)")
_ADDRESSING = re.compile(r"^[KkЌ][íiìĩ]nh\s*[gG][ửưuừ][ỉií1l]?\s*[:;.]?\s*", re.IGNORECASE)
_RECIPIENTS = re.compile(r"^N[ơoợờ][iíl1]\s*nh[ậaâạ]n\s*[:;.]?\s*", re.IGNORECASE)
_FILE = re.compile(r"^L[ưuứ]u\s*[:;.]?\s*", re.IGNORECASE)
_ACTION = r"t\s*/\s*h|th|thực hiện|triển khai|phối hợp|p\s*/\s*h|p/hợp|thi hành|t/hiện"
_INFORMATION = r"b\s*/\s*c|báo cáo|biết|chỉ đạo|theo dõi|tham khảo|đưa tin|giám sát"
_PURPOSES = (
    (re.compile(rf"\(\s*(?:để\s+)?(?:{_ACTION})[^)]*\)", re.IGNORECASE), Purpose.ACTION),
    (re.compile(rf"\(\s*(?:để\s+)?(?:{_INFORMATION})[^)]*\)", re.IGNORECASE), Purpose.INFORMATION),
)
_AS_ADDRESSED = re.compile(r"^như\s+(?:kính gửi|trên|kg)", re.IGNORECASE)
_AS_ARTICLE = re.compile(r"^như\s+điều\s+(\d+(?:\s*,\s*\d+)*)", re.IGNORECASE)

# A list of recipients goes on for a page at most.
_MOST_LINES = 80


def addressing_at(lines: Sequence[Passage]) -> int | None:
    """Return the index of the line "Kính gửi:", or None."""
    return next((index for index, line in enumerate(lines) if _ADDRESSING.match(line.text)), None)


def recipients_at(lines: Sequence[Passage]) -> int | None:
    """Return the index of the line "Nơi nhận:", the last one of the letter, or None."""
    found = [index for index, line in enumerate(lines) if _RECIPIENTS.match(line.text)]
    return found[-1] if found else None


def read_addressees(lines: Sequence[Passage]) -> tuple[tuple[Proposed[Addressee], ...], int]:
    """Propose whom the letter addresses, and return the index of the first line after them.

    They stand on the line "Kính gửi:", or below it, each after a dash; the list ends at a full stop, or at a line
    that is neither a dash nor the rest of one.
    """
    start = addressing_at(lines)
    if start is None:
        return (), 0
    items: list[list[Passage]] = []
    first = lines[start].cut(_ADDRESSING.match(lines[start].text).end())  # type: ignore[union-attr]
    if not first.is_blank:
        items.append([_without_bullet(first)])
    index = start + 1
    while index < min(len(lines), start + _MOST_LINES):
        line = lines[index]
        bulleted = bool(BULLET.match(line.text))
        ended = bool(items) and items[-1][-1].text.endswith((".", "./."))
        if not line.is_blank and not bulleted and (not items or ended or lines[index - 1].is_blank):
            break
        if bulleted:
            items.append([_without_bullet(line)])
        elif not line.is_blank:
            items[-1].append(line)
        index += 1
    names = [name for item in items for name in _apart(joined(item))]
    return tuple(
        Proposed(Addressee(name.text, is_collective(name.text)), name.span()) for name in names if name.text
    ), index


def _apart(names: Passage) -> list[Passage]:
    """Cut "Sở Y tế; UBND các huyện." at the semicolons, and leave the stops out."""
    pieces = [names.cut(*match.span()) for match in re.finditer(r"[^;]+", names.text)]
    return [piece.cut(0, len(piece.text.rstrip(" .,"))) for piece in pieces]


def _without_bullet(line: Passage) -> Passage:
    match = BULLET.match(line.text)
    return line.cut(match.end()) if match else line


def read_recipients(lines: Sequence[Passage]) -> tuple[Proposed[Recipient], ...]:
    """Propose the lines of Nơi nhận with their purpose.

    Marked "(t/h)" and the like, it is taken from the mark; "Như kính gửi" and "Như Điều 3" carry the letter out;
    all others are told of it.
    """
    start = recipients_at(lines)
    if start is None:
        return ()
    column = lines[start].column
    items: list[list[Passage]] = []
    rest = lines[start].cut(_RECIPIENTS.match(lines[start].text).end())  # type: ignore[union-attr]
    for line in [rest, *lines[start + 1 : start + _MOST_LINES]]:
        if line.column != column or line.is_blank:
            continue
        if is_signature_line(line):
            break
        if BULLET.match(line.text) or not items or _FILE.match(line.text) or line.text.endswith(":"):
            items.append([_without_bullet(line)])
        elif not items[-1][-1].text.endswith((";", ".", ":")):
            items[-1].append(line)
        else:
            break
    proposed = [_recipient(joined(item)) for item in items if not joined(item).text.endswith(":")]
    return tuple(recipient for recipient in proposed if recipient.value.name)


def _recipient(line: Passage) -> Proposed[Recipient]:
    if match := _FILE.match(line.text):
        # What follows the full stop are the typist's initials.
        name = line.text[match.end() :].split(".")[0].strip(" ;,")
        return Proposed(Recipient(name, Purpose.FILE), line.span())
    name = re.sub(r"\s*\([^)]*\)", "", line.text).strip(" .;,")
    refers_to = _refers_to(name)
    for mark, purpose in _PURPOSES:
        if mark.search(line.text):
            return Proposed(Recipient(name, purpose, refers_to), line.span())
    if refers_to:
        return Proposed(Recipient(name, Purpose.ACTION, refers_to), line.span(), Confidence.MEDIUM, (Doubt.UNMARKED,))
    return Proposed(Recipient(name, Purpose.INFORMATION), line.span(), Confidence.MEDIUM, (Doubt.UNMARKED,))


def _refers_to(name: str) -> str | None:
    if _AS_ADDRESSED.match(name) or folded_ocr(fold(name)).startswith(("nhu kinh gui", "nhu tren")):
        return "addressees"
    if match := _AS_ARTICLE.match(name):
        return f"article {match[1]}"
    return None
