# SPDX-License-Identifier: Apache-2.0
"""Cut the body of a letter into preamble, clauses and closing: clauses numbered in any of the usual ways, articles, or
dashes where nothing is numbered.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bluezone.letters.agency_names import STARTS_AS_AGENCY, heads_as_agency
from bluezone.letters.letter_text import Passage
from bluezone.letters.recipients import BULLET, recipients_at
from bluezone.letters.signatures import is_signature_line
from bluezone.vietnamese.spelling import fold

_NUMBERED = re.compile(r"^(?P<label>\d{1,2})\s*(?:[.)/]\s*(?=[^\W\d])|[.)/]\s+|[-–]\s+(?=[^\W\d_])|,\s+(?=[A-ZĐ]))")
_ARTICLE = re.compile(r"^(?P<label>Điều\s+\d{1,2})\s*[.:]\s*")
_ROMAN = re.compile(
    r"^(?:(?:PHẦN|Phần|MỤC|Mục)\s+)?(?P<label>[IVX]{1,5})\s*[.:)/-](?:\s+|(?=[A-ZĐỦ]\w))(?P<title>\S.*)$"
)
_LETTERED = re.compile(r"^(?P<label>[a-zđ])\s*[.)]\s+")
_ORDINAL = re.compile(
    r"^(?P<label>(?:Thứ\s+(?:nhất|hai|ba|tư|năm|sáu|bảy)|(?:Một|Hai|Ba|Bốn|Năm|Sáu"
    r"|Bảy)\s+là))\s*[,:]\s*",
    re.IGNORECASE,
)
_ORDINALS = {
    "nhất": 1, "một": 1, "hai": 2, "ba": 3, "tư": 4, "bốn": 4, "năm": 5, "sáu": 6, "bảy": 7,
}  # fmt: skip
# "Bước 1: Ban quản lý chợ lập danh sách"
STEP = r"Bước\s+\d{1,2}\s*[.:]\s*"
_POINT = re.compile(rf"^(?:[a-zđ]\s*[).]\s+|{STEP}|\d{{1,2}}\.\d{{1,2}}\.?(?:\d{{1,2}}\.?)?\s+)")
_SUBNUMBERED = re.compile(r"^\d{1,2}\.\d{1,2}\.?(?:\d{1,2}\.?)?\s+")
_CLOSING = (
    "voi noi dung tren",
    "tren day la",
    "can cu noi dung",
    "nhan duoc",
    "yeu cau cac",
    "de nghi cac",
    "trong qua trinh",
    "cac co quan, don vi",
    "uy ban nhan dan thanh pho yeu cau",
    "tren co so",
    "kinh de nghi",
    "ket qua thuc hien",
    "van ban nay thay the",
    "tran trong",
    "rat mong",
    "moi vuong mac",
    "yeu cau thu truong",
    "de nghi thu truong",
    "cong dien nay",
    "giay moi nay",
    "huong dan nay",
    "ke hoach nay",
    "chi thi nay",
    "thong bao nay",
    "cong van nay",
)
_CLOSING_BODY = re.compile(
    r"^(?:Ủy ban nhân dân|UBND|Ủy ban|Chủ tịch|Văn phòng|Sở|Phòng|Trung tâm|Ban Chỉ đạo|Ban|Bộ)\b[^,;:.]{0,60}\s"
    r"(?:yêu cầu|đề nghị|thông báo|trân trọng|giao|biểu dương|ghi nhận|đánh giá cao|tin tưởng|cảm ơn|chúc"
    r"|hoan nghênh|chia buồn)\b"
)
# "Các đơn vị gửi báo cáo về Phòng Y tế trước ngày 23/02/2024", below the last clause.
_CLOSING_REPORT = re.compile(
    r"(?:(?:Đề nghị|Yêu cầu|Giao) )?(?:(?:Thủ trưởng )?(?:[Cc]ác|[Tt]ất cả các) (?:cơ quan|đơn vị"
    r"|địa phương|sở|phòng|ban|ngành|khoa|trường)"
    r"|Định kỳ|Hằng tuần|Hàng tuần|Hằng tháng|Hàng tháng|Kết quả|Báo cáo|Văn bản|Danh sách|Số liệu)\b[^.;:]*"
    r"\b(?:báo cáo|gửi|gửi về|nộp|trình)\b[^;:]*\b(?:trước|chậm nhất|hạn|hằng|hàng|ngày \d)"
)
# "V. Đề nghị Hội Nông dân xã vận động hội viên tiêm phòng." is an order, and heads nothing.
_GIVES_ITSELF = re.compile(r"(?:Đề nghị|Yêu cầu|Giao)\s.*[.;/]$")
# A plan's other sections (purpose, requirements, budget) hold numbered paragraphs that are nobody's task.
SHARING_SECTIONS = ("to chuc thuc hien", "phan cong", "trach nhiem")
TASK_SECTIONS = ("to chuc thuc hien", "phan cong", "nhiem vu", "trach nhiem", "noi dung thuc hien")
ASIDE_SECTIONS = (
    "muc dich", "yeu cau", "muc tieu", "kinh phi", "tinh hinh", "ket qua", "danh gia", "quan diem", "can cu",
    "pham vi",
    "doi tuong", "thoi gian", "dia diem", "thanh phan", "nguon kinh phi", "kien nghi", "ton tai", "han che", "du bao",
    "nguyen tac", "phuong cham", "co so phap ly", "dac diem", "thuc trang", "khai niem", "bai hoc", "nguyen nhan",
    "uu diem", "khuyet diem", "danh gia chung", "che do chinh sach", "lich trinh", "hieu luc",
    "hinh thuc phoi hop", "co che phoi hop", "dien bien", "y kien",
)  # fmt: skip


@dataclass
class Clause:
    """One clause: label, its own lines, and its points (each a list of lines).

    section: the folded title of the section it stands in, "" for none; heading: that title itself.
    dashed: it has no label of its own. aside: its section gives no tasks, so that it is one only where it names who.
    """

    label: str
    lines: list[Passage]
    points: list[list[Passage]] = field(default_factory=list)
    section: str = ""
    dashed: bool = False
    heading: Passage | None = None
    aside: bool = False


@dataclass(frozen=True)
class Body:
    """preamble: before the first clause; closing: after the last; tail: from Nơi nhận or the first signature on.

    lines: all before the tail, headings of sections too.
    """

    preamble: list[Passage]
    clauses: list[Clause]
    closing: list[Passage]
    tail: list[Passage]
    lines: list[Passage]


def read_body(lines: Sequence[Passage], start: int) -> Body:
    """Cut the lines from `start` (after the head and the addressees) into the parts of the body."""
    end = body_end(lines, start)
    whole = [line for line in lines[start:end] if line.column == 0 or not line.is_blank]
    last = max((at for at, line in enumerate(whole) if STARTS_AS_AGENCY.match(line.text)), default=-1)
    body = [piece for at, line in enumerate(whole) for piece in (_enumerated(line) if at >= last else [line])]
    reader = _Reader(_numbering(body))
    for index, line in enumerate(body):
        if not line.is_blank:
            reader.take(line, after_blank=index > 0 and body[index - 1].is_blank)
    return Body(reader.preamble, reader.chosen(), reader.closing, list(lines[end:]), body)


_ITEM = re.compile(
    r"(?:(?<=:)|(?<=;)|(?<=\.)|(?<=,))\s*\(?(?P<item>(?P<number>\d)\s*\)\s+|(?P<word>một|hai|ba|bốn|năm|sáu) là,?\s+)"
)


def _enumerated(line: Passage) -> list[Passage]:
    """The pieces of a paragraph that counts its orders: "… yêu cầu: (1) Ban Chỉ huy …; (2) Trung tâm Y tế …".

    Where a line below begins with an agency, too, it is running text that goes on, and is not asked here.
    """
    items = list(_ITEM.finditer(line.text))
    counted = [_ORDINALS[item["word"]] if item["word"] else int(item["number"]) for item in items]
    if len(items) < 2 or counted != list(range(1, len(items) + 1)) or not line.text[: items[0].start()].endswith(":"):
        return [line]
    starts = [item.start("item") for item in items]
    ends = [item.start() for item in items[1:]]
    return [line.cut(0, items[0].start()), *map(line.cut, starts, [*ends, len(line.text)])]


def body_end(lines: Sequence[Passage], start: int) -> int:
    """Return the index where Nơi nhận or the signature begins, whichever is first.

    A decision names who decides above its body, in the words of a signature; what text still follows is no signature.
    """
    recipients = recipients_at(lines)
    limit = recipients if recipients is not None and recipients >= start else len(lines)
    text = max((index for index in range(start, limit) if _is_text(lines[index])), default=start - 1)
    signature = next((index for index in range(text + 1, limit) if is_signature_line(lines[index])), limit)
    return min(signature, limit)


_LONGEST_SIGNATURE_LINE = 70
# A line that wraps is longer.
_SHORTEST_WRAPPED = 55


def _is_text(line: Passage) -> bool:
    numbered = _NUMBERED.match(line.text) or _ARTICLE.match(line.text) or BULLET.match(line.text)
    return bool(numbered) or len(line.text) > _LONGEST_SIGNATURE_LINE or fold(line.text).startswith("can cu")


@dataclass(frozen=True)
class _Numbering:
    """How the clauses of a body are told: by which pattern, and whether Roman numbers head sections.

    plus: there are no dashes, so that a plus begins a clause as they do. bullet: which sign begins a clause, where
    another stands below it.
    """

    label: re.Pattern[str] | None
    sections: bool
    plus: bool = False
    bullet: str = ""


def _numbering(body: Sequence[Passage]) -> _Numbering:
    def count(pattern: re.Pattern[str]) -> int:
        return sum(bool(pattern.match(line.text)) for line in body)

    if count(_ARTICLE) >= 2:
        return _Numbering(_ARTICLE, False)
    roman = count(_ROMAN)
    if any(_NUMBERED.match(line.text) for line in body):
        return _Numbering(_NUMBERED, roman >= 1)
    if roman >= 2:
        titles = [found["title"] for line in body if (found := _ROMAN.match(line.text))]
        if count(_LETTERED) >= 2 and all(heads_as_agency(title.rstrip(":. ")) for title in titles):
            return _Numbering(_LETTERED, True)
        return _Numbering(_ROMAN, False)
    if count(_ORDINAL) >= 2:
        return _Numbering(_ORDINAL, False)
    if count(_LETTERED) >= 2:
        return _Numbering(_LETTERED, False)
    signs = [line.text[0] for line in body if BULLET.match(line.text)]
    if len(set(signs)) == 2 and "+" not in signs and 1 < signs.count(signs[0]) < len(signs):
        return _Numbering(None, False, bullet=signs[0])
    return _Numbering(None, False, plus=not any(line.text.startswith(("-", "–", "•", "*")) for line in body))


class _Reader:
    """Takes the lines of a body in order."""

    def __init__(self, numbering: _Numbering) -> None:
        self.numbering = numbering
        self.preamble: list[Passage] = []
        self.clauses: list[Clause] = []
        self.closing: list[Passage] = []
        self.section, self.sections = "", dict[str, str]()
        self.heading: Passage | None = None
        self.part: Passage | None = None
        self.named = set[str]()  # the sections that are headed by whom they are for
        self.bulleted = False  # dashes below the heading of the section are its clauses
        self.opened = False  # a section was headed, and nothing stands below it yet

    def take(self, line: Passage, *, after_blank: bool) -> None:
        if self.numbering.sections and (title := _ROMAN.match(line.text)) and self._is_heading(title):
            self.section = title["label"]
            self.sections[self.section] = fold(title["title"]).removeprefix("ve ")
            if heads_as_agency(title["title"]):
                self.named.add(self.section)
            self.heading = line.cut(title.start("title"))
            self.preamble += self.closing if not self.clauses else []
            self.closing = []
            self.bulleted = False
            self.opened = not _GIVES_ITSELF.match(title["title"])
            if not self.opened:
                self.named.add(self.section)
                self.clauses.append(Clause(self.section, [self.heading], section=self.sections[self.section]))
            return
        opened, self.opened = self.opened, False
        if self._parts_dashes(line):
            self.clauses[-1].points += [[more] for more in self.closing]
            self.closing, self.part = [], line
            return
        self.bulleted = self.bulleted or (opened and self.section in self.named)
        if self.bulleted and (bullet := BULLET.match(line.text)):
            # Dashes below "II. Trạm Y tế xã" are orders, as numbers there are.
            number = sum(one.label.startswith(f"{self.section}.") for one in self.clauses) + 1
            self.clauses.append(
                Clause(
                    f"{self.section}.{number}",
                    [line.cut(bullet.end())],
                    section=self.sections[self.section],
                    heading=self.heading,
                )
            )
            return
        self.bulleted = False
        found = self._label(line)
        if found is not None:
            label, end = found
            if self.clauses:
                for more in self.closing:  # what seemed to close stands between two clauses
                    self._add(self.clauses[-1], more, after_blank=True)
            self.preamble += self.closing if not self.clauses else []
            whole = f"{self.section}.{label}" if self.section else label
            self.clauses.append(
                Clause(
                    whole,
                    [_in_sentences(line.cut(end))],
                    section=fold(self.part.text).removeprefix("ve ")
                    if self.part
                    else self.sections.get(self.section, ""),
                    dashed=label.startswith("Ý "),
                    heading=self.part or self.heading,
                )
            )
            self.closing = []
        elif opened and not BULLET.match(line.text) and self.sections[self.section]:
            # A section without numbers is one clause.
            self.clauses.append(Clause(self.section, [line], section=self.sections[self.section], heading=self.heading))
        elif not self.clauses:
            self.preamble.append(line)
        elif self.closing or self._closes(line, after_blank):
            self.closing.append(line)
        else:
            self._add(self.clauses[-1], line, after_blank)

    def _parts_dashes(self, line: Passage) -> bool:
        """Whether the line heads the dashes below it: "Về phân công:", "Đối với Sở Y tế:"."""
        short = len(line.text) < _LONGEST_SIGNATURE_LINE and line.text.endswith(":") and line.text[:1].isupper()
        return self.numbering.label is None and bool(self.clauses) and short and not BULLET.match(line.text)

    def _is_heading(self, title: re.Match[str]) -> bool:
        text = title["title"]
        following = _roman(title["label"]) == len(self.sections) + 1
        return text.isupper() or fold(text).startswith(TASK_SECTIONS) or (following and len(text) < 160)

    def _label(self, line: Passage) -> tuple[str, int] | None:
        """Return the clause's label and where its text begins if the line opens the next one.

        Numbers that do not follow on are text.
        """
        pattern = self.numbering.label
        if pattern is None:
            bullet = BULLET.match(line.text)
            if (
                not bullet
                or not line.text.startswith(self.numbering.bullet)
                or (line.text.startswith(("+", "·")) and not self.numbering.plus)
                or (self.section and not bullet)
            ):
                return None
            return f"Ý {len(self.clauses) + 1}", bullet.end()
        match = pattern.match(line.text)
        if match is None:
            return None
        label = re.sub(r"\s+", " ", match["label"])
        prefix = f"{self.section}." if self.section else ""
        same = [clause for clause in self.clauses if clause.label.startswith(prefix)] if prefix else self.clauses
        previous = _value(same[-1].label.removeprefix(prefix)) if same else 0
        end = match.start("title") if "title" in pattern.groupindex else match.end()
        return (label, end) if _value(label) == previous + 1 else None

    def _closes(self, line: Passage, after_blank: bool) -> bool:
        if BULLET.match(line.text) or _POINT.match(line.text):
            return False
        if self.clauses[-1].dashed:
            # A paragraph without a dash ends the list of dashes.
            last = self.clauses[-1].points[-1] if self.clauses[-1].points else self.clauses[-1].lines
            return line.text[:1].isupper() and (after_blank or last[-1].text.endswith((".", ";")))
        gives = self.numbering.label is not _ARTICLE and line.text.startswith("Giao ")
        last = self.clauses[-1].points[-1] if self.clauses[-1].points else self.clauses[-1].lines
        ended = last[-1].text.endswith((".", ";", "/"))
        if ended and _CLOSING_REPORT.match(line.text) and self.numbering.label is not _ARTICLE:
            return True
        opens = gives or fold(line.text).startswith(_CLOSING) or bool(_CLOSING_BODY.match(line.text))
        return opens and (after_blank or line.text[0].isupper())

    def _add(self, clause: Clause, line: Passage, after_blank: bool) -> None:
        """Add a line to a clause: as a new point, or as the rest of what stands above it."""
        bullet = BULLET.match(line.text)
        if bullet and clause.points and _heads_dashes(clause.points[-1]):
            clause.points[-1].append(line.cut(bullet.end()))  # below "2.1. Các cơ sở giáo dục:"
        elif bullet:
            clause.points.append([line.cut(bullet.end())])
        elif self._is_point(line) or (after_blank and (clause.points or line.text[:1].isupper())):
            clause.points.append([line])
        elif clause.points:
            clause.points[-1].append(line)
        elif line.text[:1].isupper() and len(clause.lines[-1].text) < _SHORTEST_WRAPPED:
            clause.points.append([line])  # below a line that ends early, as "2. Sở Y tế" does
        else:
            clause.lines.append(line)

    def _is_point(self, line: Passage) -> bool:
        """Whether the line is a point by its mark; within an article a number is one."""
        in_article = self.numbering.label is _ARTICLE and _NUMBERED.match(line.text)
        return bool(in_article or _POINT.match(line.text))

    def chosen(self) -> list[Clause]:
        """The clauses of the sections that give tasks, or all where no section does."""
        giving = {
            label
            for label, title in self.sections.items()
            if title.startswith(TASK_SECTIONS) or ", phan cong" in title or label in self.named
        }
        if any(self.sections[label].startswith(SHARING_SECTIONS) for label in giving):
            for clause in self.clauses:
                clause.aside = clause.label.split(".")[0] not in giving
        return [
            clause
            for clause in self.clauses
            if clause.label.split(".")[0] in giving
            or not (clause.section.startswith(ASIDE_SECTIONS) if clause.section else _is_aside(clause))
        ]


def _heads_dashes(point: Sequence[Passage]) -> bool:
    """Whether a point with a number of its own ends with a colon, or has dashes below it already."""
    return bool(_SUBNUMBERED.match(point[0].text)) and point[0].text.endswith(":")


def _is_aside(clause: Clause) -> bool:
    """Return whether a clause is only headed "MỤC ĐÍCH" and the like, without an order in its line."""
    title = clause.lines[0].text
    heads = bool(clause.points) and len(title) < 90 and title[-1:] not in ".;:,"
    if heads and re.search(r"\bđã\b", title):
        return True  # "3. Biện pháp đã thực hiện"
    if not fold(title).startswith(ASIDE_SECTIONS):
        return False
    return title.isupper() or len(title) < 25 or heads


def _in_sentences(line: Passage) -> Passage:
    """A clause typed in capitals throughout, as it would be written; shorter capitals are a heading."""
    if not line.text.isupper() or len(line.text) < _SHORTEST_WRAPPED:
        return line
    text = re.sub(r"(?:^|(?<=[.;:]\s))\w", lambda first: first.group().upper(), line.text.lower())
    return replace(line, text=text) if len(text) == len(line.text) else line


def _roman(label: str) -> int:
    values = {"I": 1, "V": 5, "X": 10}
    total = 0
    for sign, following in zip(label, [*label[1:], ""], strict=True):
        value = values[sign]
        total += -value if following and values[following] > value else value
    return total


def _value(label: str) -> int:
    last = label.split()[-1]
    if last.isdecimal():
        return int(last)
    if re.fullmatch(r"[IVX]+", last):
        return _roman(last)
    for word in reversed(label.lower().split()):
        if word in _ORDINALS:
            return _ORDINALS[word]
    return "abcdđeghiklmnopqrstuvxy".find(last) + 1
