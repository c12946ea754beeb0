# SPDX-License-Identifier: Apache-2.0
"""Lots of whole letters, each with head, foot and truth of its own, as letters of the bench.

A block of whole/X.txt: `=== name`, facts, `---`, body (one paragraph a line, `@@annex` before an annex), `---`, truth.
Facts: left (lines apart by ` // `), issuer, number (`123/UBND-VX`, or `…/UBND-VX` when left open), dateline (as
printed), date (ISO, or none), urgency (`KHẨN left`), subject (` // ` where the title wraps), to, addressing (printed
lines, when not the usual), basis (`Kế hoạch | 5/KH-UBND | 2020-08-01 ; …`), notes (`Như trên=a; UBND tỉnh (b/c)=i;
Lưu: VT=f`), sign (`TM. … / KT. … / POSITION / Rank. Name`, two apart by ` || `).
Truth, one line an order: words of it | leads; … + helpers; … | due as the bench spells it (`2020-09-05 16:00 <`,
`week 5`, `month 20 <`) | R when it holds a duty to report. `@` stands for the addressees.
"""

import datetime
import re
from pathlib import Path

from bench.letters.corpus import KINDS_OF_BASIS, Letter, TrueTask

FOLDER = Path(__file__).parent / "whole"
# Those that are learnt from; CC and EE only measure, and DD was looked at.
LOTS = (*"IJKLMNOPQRSTUVWX123456", "AA", "BB", "Y", "Z")
TITLES = {
    "decision": "QUYẾT ĐỊNH",
    "plan": "KẾ HOẠCH",
    "notice": "THÔNG BÁO",
    "invitation": "GIẤY MỜI",
    "telegram": "CÔNG ĐIỆN",
    "instruction": "CHỈ THỊ",
    "guidance": "HƯỚNG DẪN",
    "programme": "CHƯƠNG TRÌNH",
    "report": "BÁO CÁO",
    "submission": "TỜ TRÌNH",
    "resolution": "NGHỊ QUYẾT",
}
URGENCY = {"KHẨN": "urgent", "THƯỢNG KHẨN": "very_urgent", "HỎA TỐC": "express"}
_PURPOSE = re.compile(r"\s*\((?:để |b/c|t/h|đưa tin|thực hiện|báo cáo|theo dõi|biết)[^)]*\)")
_RANKS = re.compile(r"^(?:(?:PGS|TS|ThS|DS|CN|KS|BSCKII|BSCKI|CKII|CKI|BS|Đại tá|Thượng tá|Trung tá)\.? ?)+")
PURPOSE = {"a": "action", "i": "information", "f": "file"}
# No layouts in old fonts: those would count a letter twice.
STYLES = [style for style in range(1, 200) if style % 6 not in (0, 3)]
NATION = ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc")
KINDS = {"official_letter", "other", *TITLES}


def read_lot(lot: str) -> list[Letter]:
    """The letters of whole/X.txt."""
    text = (FOLDER / f"{lot}.txt").read_text()
    blocks = re.split(r"^=== ", text, flags=re.MULTILINE)[1:]
    return [_letter(block, STYLES[at]) for at, block in enumerate(blocks)]


def _list(text: str, by: str = ";") -> list[str]:
    return [one.strip() for one in text.split(by) if one.strip()]


def _letter(block: str, style: int) -> Letter:
    head, middle, *rest = block.split("\n---\n")
    if head.endswith("\n---"):
        raise ValueError(head)
    name, *lines = head.split("\n")
    fact = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines if line)}
    kind = fact["kind"]
    assert kind in KINDS, (name, kind)
    date = datetime.date.fromisoformat(fact["date"]) if fact["date"] != "none" else None
    day = date or datetime.date.fromisoformat(fact["day"])
    number, _, notation = fact["number"].partition("/")
    party = re.match(r"(?:\d+|…|\S+(?=-CV))-[^/]+/(?:TU|HU|TĐTN|ĐU|ĐUK|ĐTN|BTG|MTTQ|ThU)$", fact["number"])
    if party:
        number, _, notation = fact["number"].partition("-")
    digits = fact.get("printed", f"Số: {fact['number']}")
    left = [*_list(fact["left"], " // "), digits]
    subject = _list(fact["subject"], " // ")
    if kind in TITLES or "title" in fact:
        first = f"Về việc {subject[0]}" if kind == "decision" else subject[0]
        title = [fact.get("title") or TITLES[kind], first, *subject[1:]]
    else:
        title = []
        left.append(f"{fact.get('vv', 'V/v')} {' '.join(subject)}")
    right = [*(_list(fact["right"], " // ") if "right" in fact else NATION), fact["dateline"]]
    urgency = None
    if "urgency" in fact:
        word, _, side = fact["urgency"].rpartition(" ")
        urgency = URGENCY[word]
        (left if side == "left" else right).append(word)
    to = _list(fact.get("to", ""))
    if "addressing" in fact:
        addressing = _list(fact["addressing"], " // ")
    elif not to:
        addressing = []
    elif len(to) == 1:
        addressing = [f"Kính gửi: {to[0]}"]
    else:
        addressing = ["Kính gửi:", *(f"- {one};" for one in to[:-1]), f"- {to[-1]}."]
    recipients, notes = [], []
    for one in _list(fact["notes"]):
        printed, _, purpose = one.rpartition("=")
        printed = printed.strip()
        bare = re.sub(
            r"^Lưu:? ", "", re.sub(r"\s*\((?:để |b/c|t/h|đưa tin|thực hiện|báo cáo|theo dõi|biết)[^)]*\)", "", printed)
        )
        recipients.append((bare, PURPOSE[purpose]))
        notes.append(f"- {printed}{'.' if purpose == 'f' else ';'}")
    signatures, signers = [], []
    for one in _list(fact["sign"], " || "):
        *way, person = _list(one, " / ")
        signed = person.startswith("(Đã ký)")
        person = person.removeprefix("(Đã ký)").strip()
        signatures.append((*way, "(Đã ký)" if signed else "", person))
        bare = re.sub(
            r"^(?:(?:PGS|TS|ThS|DS|CN|KS|BSCKII|BSCKI|CKII|CKI|BS|Đại tá|Thượng tá|Trung tá)\.? ?)+", "", person
        )
        signers.append((tuple(way[:-1]), way[-1], bare))
    basis = set()
    for one in _list(fact.get("basis", "")):
        what, of, when = (part.strip() for part in one.split("|"))
        basis.add(f"{KINDS_OF_BASIS[what]} {of} {when}")
    body, _, annex = middle.partition("@@annex\n")
    tasks = [_task(line) for line in "\n".join(rest).strip().split("\n") if line.strip()]
    form = fact.get("form", kind)
    return Letter(
        name=name.strip(),
        features=(form,),
        style=style,
        kind=kind,
        left=tuple(left),
        right=tuple(right),
        title=tuple(title),
        addressing=tuple(addressing),
        body=tuple(body.strip().split("\n")),
        annex=tuple(line for line in annex.strip().split("\n") if line),
        notes=tuple(notes),
        signatures=tuple(signatures),
        number=number if number.strip(". …~") else None,
        notation=notation,
        date=date,
        day=day,
        urgency=urgency,
        subject=" ".join(subject),
        issuer=fact["issuer"],
        superior=fact.get("superior"),
        addressees=tuple(to),
        basis=frozenset(basis),
        recipients=tuple(recipients),
        signers=tuple(signers),
        tasks=tuple(tasks),
    )


def _task(line: str) -> TrueTask:
    what, who, *more = (part.strip() for part in line.split("|"))
    leads, _, helpers = who.partition(" + ")
    return TrueTask(what, tuple(_list(leads)), tuple(_list(helpers)), more[0] if more else "")
