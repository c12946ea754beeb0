# SPDX-License-Identifier: Apache-2.0
"""The letters of the bench: bodies written by hand, each set into three heads, with what is true of each.

A body in bodies.txt has three parts, apart by `---`: facts of the head; the text, one paragraph a line; one line for
each order: words that only it has | leads; … + helpers; … | when. In the text `{+8}` is the day eight days after the
letter's as 9/8/2020, `{+8L}` in words, `{+8S}` without the year, `{+30M}` the month alone, `{Y+30}` the year; `{T}`,
`{C}` and `{X}` are the province, the city and the ward. When: `+8 17:00 <` (`<`: before), `y9-30` (in the letter's
year), `end+30` (the last day of that month), `q2+30` (of that quarter), `day`, `week5`, `month25`, `quarter`. A lead
`@` stands for the addressees.
"""

import calendar
import dataclasses
import datetime
import random
import re
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent
VARIANTS = 3
HELD_BACK = FOLDER / "heldback.txt"

_PROVINCES = ("Hà Mây", "Lam Trạch", "Vân Lĩnh", "Đông Sa", "Quế Hà")
_CITIES = ("Khe Vàng", "Suối Ngàn", "Bình Sa", "Thạch Lũng", "Phú Khê")
_WARDS = ("Nậm Lừ", "Bến Thảo", "Gò Mây", "Đồi Chè", "Lũng Cát")
_NAMES = (
    "Nguyễn Văn Hoành", "Trần Thị Mai Hoa", "Lê Quang Thới", "Phạm Thu Trà", "Hoàng Đức Vịnh", "Nông Thị Lanh",
    "Sùng A Chớ", "Đặng Minh Khuê", "Vi Văn Thẳng", "Lý Thị Xuyến", "Bùi Ngọc Ánh", "Ma Thế Vinh", "Đỗ Hữu Ước",
    "H'Mai Niê", "Triệu Sinh Phúc", "Vũ Thị Ngọc Diễm",
)  # fmt: skip
_RANKS = ("", "", "", "BS. ", "ThS. ", "TS. ")
_TITLES = {
    "decision": "QUYẾT ĐỊNH", "plan": "KẾ HOẠCH", "notice": "THÔNG BÁO", "invitation": "GIẤY MỜI",
    "telegram": "CÔNG ĐIỆN", "instruction": "CHỈ THỊ", "guidance": "HƯỚNG DẪN", "programme": "CHƯƠNG TRÌNH",
}  # fmt: skip
_MARKS = {
    "decision": "QĐ", "plan": "KH", "notice": "TB", "invitation": "GM", "telegram": "CĐ", "instruction": "CT",
    "guidance": "HD", "programme": "CTr",
}  # fmt: skip
_URGENCIES = {"urgent": "KHẨN", "very_urgent": "THƯỢNG KHẨN", "express": "HỎA TỐC"}
KINDS_OF_BASIS = {
    "Công văn": "official_letter", "Chỉ thị": "instruction", "Kế hoạch": "plan", "Quyết định": "decision",
    "Công điện": "telegram", "Tờ trình": "submission", "Báo cáo": "report", "Nghị quyết": "resolution",
    "Thông báo": "notice", "Nghị định": "decree", "Thông tư": "circular", "Luật": "law",
    "Hướng dẫn": "guidance",
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class TrueTask:
    """One order: words of its text, leads and helpers, and when (see the module; "" for never)."""

    what: str
    leads: tuple[str, ...]
    helpers: tuple[str, ...]
    due: str


@dataclasses.dataclass(frozen=True)
class Letter:
    """A letter and what is true of it. features: what is special about it, its form first.

    head and foot: lines of the left and right columns. body and annex: one paragraph a line.
    authority: lines such as "KT. CHỦ TỊCH". recipients: name and purpose.
    """

    name: str
    features: tuple[str, ...]
    style: int
    kind: str
    left: tuple[str, ...]
    right: tuple[str, ...]
    title: tuple[str, ...]
    addressing: tuple[str, ...]
    body: tuple[str, ...]
    annex: tuple[str, ...]
    notes: tuple[str, ...]
    signatures: tuple[tuple[str, ...], ...]
    number: str | None
    notation: str
    date: datetime.date | None
    day: datetime.date
    urgency: str | None
    subject: str
    issuer: str
    superior: str | None
    addressees: tuple[str, ...]
    basis: frozenset[str]
    recipients: tuple[tuple[str, str], ...]
    signers: tuple[tuple[tuple[str, ...], str, str], ...]
    tasks: tuple[TrueTask, ...]


def read_letters(path: Path = FOLDER / "bodies.txt", variants: int = VARIANTS) -> Iterator[Letter]:
    """The letters of a file of bodies, each body in so many heads; always the same."""
    blocks = re.split(r"^=== ", path.read_text(), flags=re.MULTILINE)[1:]
    for number, block in enumerate(blocks):
        for variant in range(variants):
            yield _letter(block, number, variant)


def _letter(block: str, number: int, variant: int) -> Letter:
    parts = block.split("\n---\n")
    name, *facts = parts[0].split("\n")
    fact = dict(_fact(one) for line in facts for one in (line.split(" | ") if _many(line) else [line]) if ":" in one)
    chance = random.Random(f"{name}/{variant}")
    day = datetime.date(2020 + variant * 2, 1, 6) + datetime.timedelta(chance.randrange(0, 300))
    place = {"T": chance.choice(_PROVINCES), "C": chance.choice(_CITIES), "X": chance.choice(_WARDS)}

    def filled(text: str) -> str:
        return _filled(text, day, place)

    kind = fact["kind"]
    head = _Head(fact, kind, place, chance, variant)
    urgency = chance.choice(list(_URGENCIES)) if variant == 2 or kind == "telegram" else None
    opened = variant == 1 and chance.random() < 0.35
    struck = variant != 1 and chance.random() < 0.3
    digits = str(chance.randrange(3, 4800))
    left = [*head.lines, _number_line(digits, head.notation, opened, struck, chance)]
    subject = filled(fact["subject"])
    title: list[str] = []
    if kind in _TITLES:
        title = [_TITLES[kind], subject if subject.startswith("Về ") or kind != "decision" else f"Về việc {subject}"]
    else:
        left.append(f"V/v {subject}")
    right = [*head.right, _date_line(head.place, day, opened, struck, kind, chance)]
    if urgency:
        (left if chance.random() < 0.5 else right).append(_URGENCIES[urgency])
    addressees = tuple(filled(one) for one in _listed(fact.get("to", "")))
    body, _, annex = parts[1].partition("@@annex\n")
    recipients, notes = _recipients(head, kind, body, addressees, chance)
    signatures, signers = head.signatures(chance, kind)
    features = [fact["form"]]
    features += ["urgent"] * bool(urgency) + ["open head"] * opened + ["struck head"] * struck
    features += ["two-column"] * (number % 5 == variant) + ["two signatories"] * (len(signers) > 1)
    return Letter(
        name=f"{name}-{variant + 1}",
        features=tuple(features),
        style=number + variant,
        kind=kind,
        left=tuple(left),
        right=tuple(right),
        title=tuple(title),
        addressing=_addressing(addressees, kind, chance, head),
        body=tuple(filled(line) for line in body.strip().split("\n")),
        annex=tuple(filled(line) for line in annex.strip().split("\n") if line),
        notes=tuple(notes),
        signatures=tuple(tuple(one) for one in signatures),
        number=None if opened else digits,
        notation=head.notation,
        date=None if opened else day,
        day=day,
        urgency=urgency,
        subject=subject,
        issuer=head.issuer,
        superior=head.superior,
        addressees=addressees,
        basis=frozenset(_basis(fact.get("basis", ""), day)),
        recipients=tuple(recipients),
        signers=tuple(signers),
        tasks=tuple(_task(filled(line), day, opened) for line in parts[2].strip().split("\n") if line.strip())
        if len(parts) > 2
        else (),
    )


def _many(line: str) -> bool:
    return line.startswith("form:")


def _fact(text: str) -> tuple[str, str]:
    name, _, value = text.partition(":")
    return name.strip(), value.strip()


def _listed(text: str) -> list[str]:
    return [one.strip() for one in text.split(";") if one.strip()]


def _day(day: datetime.date, offset: str) -> datetime.date:
    return day + datetime.timedelta(int(offset))


def _filled(text: str, day: datetime.date, place: dict[str, str]) -> str:
    def said(match: re.Match[str]) -> str:
        if match["place"]:
            return place[match["place"]]
        if match["year"]:
            return str(_day(day, match["year"]).year)
        value = _day(day, match["offset"])
        return {
            "": f"{value.day}/{value.month}/{value.year}",
            "L": f"{value.day:02} tháng {value.month} năm {value.year}",
            "S": f"{value.day}/{value.month}",
            "M": f"{value.month}/{value.year}",
        }[match["form"]]

    pattern = r"\{(?:(?P<offset>[+-]\d+)(?P<form>[LSM]?)|Y(?P<year>[+-]\d+)|(?P<place>[TCX]))\}"
    return re.sub(pattern, said, text)


class _Head:
    """Who writes: the lines of the head, the notation, the place, and who may sign."""

    def __init__(self, fact: dict[str, str], kind: str, place: dict[str, str], chance: random.Random, variant: int):
        self.level = fact["from"]
        province, city, ward = place["T"].upper(), place["C"].upper(), place["X"].upper()
        self.place = place["T"]
        self.superior: str | None = None
        mark = _MARKS.get(kind)
        self.right = ["CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc"]
        if self.level == "province":
            self.lines = ["ỦY BAN NHÂN DÂN", f"TỈNH {province}"]
            self.issuer = f"ỦY BAN NHÂN DÂN TỈNH {province}"
            self.notation = f"{mark}-UBND" if mark else chance.choice(["UBND-KGVX", "UBND-NC", "UBND-TH"])
        elif self.level == "office":
            self.superior = f"{chance.choice(['ỦY BAN NHÂN DÂN', 'UBND'])} TỈNH {province}"
            self.lines = [self.superior, "VĂN PHÒNG"]
            self.issuer = "VĂN PHÒNG"
            self.notation = f"{mark}-VP" if mark else "VP-KGVX"
        elif self.level == "department":
            self.issuer = fact["office"]
            self.superior = f"UBND TỈNH {province}"
            words = self.issuer.split()
            half = len(words) // 2 + 1
            self.lines = [
                self.superior,
                *([self.issuer] if len(words) < 5 else [" ".join(words[:half]), " ".join(words[half:])]),
            ]
            self.notation = fact["notation"]
        elif self.level == "city":
            self.lines = ["ỦY BAN NHÂN DÂN", f"THÀNH PHỐ {city}"]
            self.issuer = f"ỦY BAN NHÂN DÂN THÀNH PHỐ {city}"
            self.notation = f"{mark}-UBND" if mark else chance.choice(["UBND-VP", "UBND-VX", "UBND-YT"])
            self.place = chance.choice([place["C"], f"Thành phố {place['C']}", f"TP. {place['C']}"])
        elif self.level == "commune":
            self.lines = [f"UBND PHƯỜNG {ward}"] if variant == 2 else ["ỦY BAN NHÂN DÂN", f"PHƯỜNG {ward}"]
            self.issuer = " ".join(self.lines)
            self.notation = f"{mark}-UBND" if mark else "UBND-VP"
            self.place = place["X"]
        elif self.level == "party":
            self.superior = f"TỈNH ỦY {province}"
            self.lines = [self.superior, f"THÀNH ỦY {city}", "*"]
            self.issuer = f"THÀNH ỦY {city}"
            self.notation = "CV/TU"
            self.right = ["ĐẢNG CỘNG SẢN VIỆT NAM"]
            self.place = place["C"]
        else:
            self.lines = [f"TỈNH ĐOÀN {province}", "SỞ Y TẾ"]
            self.issuer = f"TỈNH ĐOÀN {province}"
            self.notation = f"{mark}-TĐ-SYT"

    def signatures(
        self, chance: random.Random, kind: str
    ) -> tuple[list[list[str]], list[tuple[tuple[str, ...], str, str]]]:
        committee = "TM. ỦY BAN NHÂN DÂN"
        ways: dict[str, list[list[str]]] = {
            "province": [
                [committee, "CHỦ TỊCH"], [committee, "KT. CHỦ TỊCH", "PHÓ CHỦ TỊCH"],
                ["TUQ. CHỦ TỊCH", "GIÁM ĐỐC SỞ Y TẾ"],
                ["TL. CHỦ TỊCH", "CHÁNH VĂN PHÒNG"], ["TL. CHỦ TỊCH", "KT. CHÁNH VĂN PHÒNG", "PHÓ CHÁNH VĂN PHÒNG"],
            ],
            "office": [["CHÁNH VĂN PHÒNG"], ["KT. CHÁNH VĂN PHÒNG", "PHÓ CHÁNH VĂN PHÒNG"]],
            "department": [
                ["GIÁM ĐỐC"], ["KT. GIÁM ĐỐC", "PHÓ GIÁM ĐỐC"], ["TL. GIÁM ĐỐC", "CHÁNH VĂN PHÒNG"],
                ["TUQ. GIÁM ĐỐC", "TRƯỞNG PHÒNG NGHIỆP VỤ Y"],
            ],
            "city": [
                [committee, "CHỦ TỊCH"], [committee, "KT. CHỦ TỊCH", "PHÓ CHỦ TỊCH"],
                ["TL. CHỦ TỊCH", "CHÁNH VĂN PHÒNG"],
            ],
            "commune": [
                [committee, "CHỦ TỊCH"], [committee, "KT. CHỦ TỊCH", "PHÓ CHỦ TỊCH"], ["TM. UBND PHƯỜNG", "CHỦ TỊCH"],
            ],
            "party": [["T/M BAN THƯỜNG VỤ", "PHÓ BÍ THƯ"], ["T/M BAN THƯỜNG VỤ", "BÍ THƯ"]],
        }  # fmt: skip
        if self.level == "joint":
            chosen = [["TM. BAN THƯỜNG VỤ TỈNH ĐOÀN", "PHÓ BÍ THƯ"], ["KT. GIÁM ĐỐC SỞ Y TẾ", "PHÓ GIÁM ĐỐC"]]
        elif kind in {"decision", "telegram", "instruction"} and self.level in {"city", "province", "commune"}:
            chosen = [chance.choice([["CHỦ TỊCH"], ["KT. CHỦ TỊCH", "PHÓ CHỦ TỊCH"]])]
        else:
            chosen = [chance.choice(ways[self.level])]
        lines, signers = [], []
        for way in chosen:
            person = chance.choice(_NAMES)
            lines.append([*way, *([""] if chance.random() < 0.7 else ["(Đã ký)"]), f"{chance.choice(_RANKS)}{person}"])
            signers.append((tuple(way[:-1]), way[-1], person))
        return lines, signers


def _number_line(digits: str, notation: str, opened: bool, struck: bool, chance: random.Random) -> str:
    slash = "-" if notation.startswith("CV/") else "/"
    if opened:
        return f"Số: {chance.choice(['     ', '……', '.....'])}{slash}{notation}"
    written = f"~~{digits}~~ " if struck else digits
    return f"{chance.choice(['Số: ', 'Số: ', 'Số '])}{written}{slash}{notation}"


def _date_line(place: str, day: datetime.date, opened: bool, struck: bool, kind: str, chance: random.Random) -> str:
    if opened:
        return f"{place}, ngày {chance.choice(['    ', '…', '.....'])} tháng {day.month} năm {day.year}"
    written = f"~~{day.day:02}~~" if struck else f"{day.day:02}"
    hour = "lúc 17 giờ 30 " if kind == "telegram" and chance.random() < 0.5 else ""
    return f"{place}, {hour}ngày {written} tháng {chance.choice([f'{day.month:02}', str(day.month)])} năm {day.year}"


def _addressing(addressees: tuple[str, ...], kind: str, chance: random.Random, head: _Head) -> tuple[str, ...]:
    if not addressees:
        return ()
    opening = {"invitation": "Kính mời:", "telegram": "Kính gửi:"}.get(kind, "Kính gửi:")
    if kind == "telegram" and chance.random() < 0.4:
        opening = f"CHỦ TỊCH {head.issuer} ĐIỆN:"
    if len(addressees) == 1:
        return (f"{opening} {addressees[0]}{chance.choice(['', '.'])}",)
    return (opening, *(f"- {one};" for one in addressees[:-1]), f"- {addressees[-1]}.")


def _recipients(
    head: _Head, kind: str, body: str, addressees: tuple[str, ...], chance: random.Random
) -> tuple[list[tuple[str, str]], list[str]]:
    found: list[tuple[str, str]] = []
    notes: list[str] = []

    def add(name: str, purpose: str, mark: str = "") -> None:
        found.append((name, purpose))
        notes.append(f"- {name}{mark};")

    if kind == "decision":
        article = len(re.findall(r"^Điều", body, re.MULTILINE))
        add(f"Như Điều {article}", "action")
    elif addressees:
        add(
            *chance.choice(
                [
                    ("Như trên", "action"),
                    ("Như kính gửi", "action", " (t/h)"),
                    ("Như trên", "action", " (để thực hiện)"),
                ]
            )
        )
    else:
        add("Các đơn vị có liên quan", "action", " (t/h)")
    higher = {
        "province": "Thường trực Tỉnh ủy", "office": "CT, các PCT UBND tỉnh", "department": "UBND tỉnh",
        "city": "UBND tỉnh", "commune": "UBND thành phố",
        "party": "Thường trực Tỉnh ủy", "joint": "UBND tỉnh",
    }  # fmt: skip
    add(higher[head.level], "information", chance.choice([" (b/c)", " (để báo cáo)"]))
    if chance.random() < 0.5:
        add("Cổng Thông tin điện tử", "information", " (đưa tin)")
    keep = chance.choice(["VT", "VT, TH", "VT, KGVX", "VT, NVY"])
    found.append((keep, "file"))
    notes.append(f"- Lưu: {keep}{chance.choice(['.', '. lan', ''])}")
    return found, notes


def _basis(text: str, day: datetime.date) -> Iterator[str]:
    for one in _listed(text):
        kind, number, offset, _ = (part.strip() for part in one.split("|"))
        yield f"{KINDS_OF_BASIS[kind]} {number} {_day(day, offset) if offset[0] in '+-' else offset}"


def _task(line: str, day: datetime.date, opened: bool) -> TrueTask:
    what, who, *when = (part.strip() for part in line.split("|"))
    leads, _, helpers = who.partition("+")
    return TrueTask(what, tuple(_listed(leads)), tuple(_listed(helpers)), _when(when[0] if when else "", day))


def _when(text: str, day: datetime.date) -> str:
    """The truth in one spelling: "2020-08-15 17:00 <", "week 5 10:00 <"; see `bench_letters.spelled`."""
    if not text:
        return ""
    words = text.split()
    rest = words[1:]
    if words[0].startswith("+"):
        first = str(_day(day, words[0]))
    elif words[0].startswith("y"):
        month, _, number = words[0][1:].partition("-")
        first = str(datetime.date(day.year, int(month), int(number)))
    elif words[0].startswith("end"):
        last = _day(day, words[0][3:])
        first = str(last.replace(day=calendar.monthrange(last.year, last.month)[1]))
    elif words[0].startswith("q") and words[0] != "quarter":
        year = _day(day, words[0][2:]).year
        month_number = int(words[0][1]) * 3
        first = f"{year}-{month_number:02}-{calendar.monthrange(year, month_number)[1]}"
    else:
        match = re.fullmatch(r"(day|week|month|quarter)(\d*)", words[0])
        assert match is not None, text
        first = f"{match[1]} {match[2]}".strip()
    return " ".join([first, *rest])
