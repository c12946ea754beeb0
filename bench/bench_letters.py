# SPDX-License-Identifier: Apache-2.0
"""How well letters are read: docs/letters.md.

The letters of bench/letters, invented for this, as text, DOCX, PDF and scan are read as a clerk's upload is, and each
field is compared with the truth. The figure is the share of fields that are right in typed text; its baseline is what
is asked of it.
"""

import dataclasses
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from bench.letters.corpus import HELD_BACK, Letter, TrueTask, read_letters
from bench.letters.rendering import as_docx, as_pdf, as_scan, as_text
from rapidfuzz import fuzz

from bluezone.letters.letter import SCAN_PACKAGES, can_read_scans
from bluezone.letters.letter import Letter as Upload
from bluezone.letters.letter_text import LetterText
from bluezone.letters.proposal import Due, PartyRole, Proposal, ProposedTask
from bluezone.letters.reader import propose
from bluezone.refusal import Refused
from bluezone.vietnamese.legacy_fonts import TextEncoding, from_unicode
from bluezone.vietnamese.spelling import fold

Progress = Callable[[str], None]
# Every so manieth letter is also read as a scan, which takes some seconds each.
SCANNED = 8
# Of 100 fields as many must be right.
ASKED = {"text": 98.0, "docx": 98.0, "pdf": 95.0, "scan": 85.0}


@dataclasses.dataclass
class Score:
    """Right and all, by field; tasks that nobody ordered."""

    right: Counter[str] = dataclasses.field(default_factory=Counter)
    all: Counter[str] = dataclasses.field(default_factory=Counter)
    invented: int = 0

    def add(self, field: str, is_right: bool) -> None:
        self.all[field] += 1
        self.right[field] += is_right

    def take(self, other: "Score") -> None:
        self.right.update(other.right)
        self.all.update(other.all)
        self.invented += other.invented

    def share(self, *fields: str) -> float:
        """The share that is right of these fields, of all without any, in percent."""
        chosen = fields or tuple(self.all)
        whole = sum(self.all[field] for field in chosen)
        return round(100 * sum(self.right[field] for field in chosen) / whole, 1) if whole else 100.0


def run(progress: Progress) -> dict[str, Any]:
    """Read every letter as text, DOCX and PDF, and the held-back ones, with which the reader was not made, too; some of
    both as scans, where Tesseract is installed.
    """
    letters = list(read_letters())
    result = {form: _figures(letters, form, progress) for form in ("text", "docx", "pdf")}
    held_back = list(read_letters(HELD_BACK))
    result |= {f"held_back_{form}": _figures(held_back, form, progress) for form in ("text", "docx", "pdf")}
    if can_read_scans():
        result["scan"] = _figures(letters[::SCANNED], "scan", progress)
        result["held_back_scan"] = _figures(held_back[:: SCANNED // 4], "scan", progress)
    else:
        progress(f"no scans are read: {SCAN_PACKAGES} are not installed")
    return {
        "name": f"fields of {len(letters)} invented letters read right as typed text",
        "value": result["text"]["fields"],
        "unit": "%",
        "baseline": ASKED["text"],
        "ratio": round(result["text"]["fields"] / ASKED["text"], 3),
        **result,
    }


def _figures(letters: list[Letter], form: str, progress: Progress) -> dict[str, Any]:
    whole, by_feature = judge(letters, form, progress)
    fields = sum(whole.all.values())
    progress(f"{form}, {len(letters)} letters: {whole.share()} % of {fields} fields, tasks {whole.share('task')} %,")
    progress(f"  duties invented: {whole.invented}")
    return {
        "fields": whole.share(),
        "tasks_found": whole.share("task"),
        "invented": whole.invented,
        "by_field": {field: whole.share(field) for field in sorted(whole.all)},
        "by_kind": {feature: score.share() for feature, score in sorted(by_feature.items())},
    }


def judge(letters: Iterable[Letter], form: str, progress: Progress) -> tuple[Score, dict[str, Score]]:
    """Read the letters in one format and compare; wrong fields are told to `progress`."""
    whole, by_feature = Score(), defaultdict[str, Score](Score)
    for letter in letters:
        for feature, text in rendered(letter, form):
            try:
                proposal = propose(text())
            except Refused as refused:
                progress(f"  {letter.name} {form}: refused, {refused.message}")
                proposal = None
            score, wrong = compare(letter, proposal, by_ear=form == "scan")
            for line in wrong:
                progress(f"  {letter.name} {form}{' ' + feature if feature else ''}: {line}")
            whole.take(score)
            for name in (*letter.features, *([feature] if feature else [])):
                by_feature[name].take(score)
    return whole, by_feature


def rendered(letter: Letter, form: str) -> Iterator[tuple[str, Callable[[], str]]]:
    """The letter in a format, as what reads its text; some as typed text are typed in an old font too."""
    if form == "text":
        yield "", lambda: as_text(letter)
        if letter.style % 6 == 0:
            yield "old font TCVN3", lambda: in_old_font(as_text(letter), TextEncoding.TCVN3)
        if letter.style % 6 == 3:
            yield "old font VNI", lambda: in_old_font(as_text(letter), TextEncoding.VNI)
    elif form == "docx":
        yield "", lambda: _text(as_docx(letter)).text
    elif form == "pdf":
        yield "", lambda: _text(as_pdf(letter)).text
    else:
        yield "", lambda: Upload(as_scan(letter)).read_scan().text


def _text(data: bytes) -> LetterText:
    return Upload(data).read()


def in_old_font(text: str, encoding: TextEncoding) -> str:
    """The text as typed in fonts of that encoding; TCVN3 has capitals with a tone in fonts of their own alone."""
    return "".join(_one(sign, encoding) for sign in text.replace("Ủy", "Uỷ"))


def _one(sign: str, encoding: TextEncoding) -> str:
    try:
        return from_unicode(sign, encoding)
    except Refused:
        if sign != sign.lower():
            # A capital with a tone is typed as the small letter; the font draws it as it can.
            return _one(sign.lower(), encoding)
        return {"–": "-", "—": "-", "…": "..."}.get(sign, "")


def compare(letter: Letter, read: Proposal | None, *, by_ear: bool = False) -> tuple[Score, list[str]]:
    """Compare what was read of a letter with what is true of it; the second value says what was wrong.

    by_ear: an order counts as found though a few of its letters are misread, as in a scan; every field stays exact.
    """
    score, wrong = Score(), list[str]()

    def check(field: str, is_right: bool, said: object) -> None:
        score.add(field, is_right)
        if not is_right:
            wrong.append(f"{field}: {said}")

    number = read.number.value if read and read.number else None
    check("number", read is not None and (number.number if number else None) == letter.number, number)
    check("notation", number is not None and number.notation == letter.notation, number)
    check("date", read is not None and (read.date.value if read.date else None) == letter.date, read and read.date)
    check("kind", read is not None and str(read.kind.value) == letter.kind, read and read.kind.value)
    urgency = str(read.urgency.value) if read and read.urgency else None
    check("urgency", read is not None and urgency == letter.urgency, urgency)
    subject = read.subject.value if read and read.subject else ""
    check("subject", _said(subject) == _said(letter.subject), subject)
    issuer = read.issuer.value if read and read.issuer else ""
    check("issuer", _said(issuer) == _said(letter.issuer), issuer)
    to = [one.value.name for one in read.addressees] if read else []
    check("addressees", list(map(_said, to)) == list(map(_said, letter.addressees)), to)
    basis = {f"{one.value.kind} {one.value.number} {one.value.date}" for one in read.basis} if read else set()
    check("basis", basis == letter.basis, basis)
    told = [(_said(one.value.name), str(one.value.purpose)) for one in read.recipients] if read else []
    check("recipients", told == [(_said(name), purpose) for name, purpose in letter.recipients], told)
    signers = [one.value for one in read.signers] if read else []
    names = [(_said(one.name or ""), _said(one.position or "")) for one in signers]
    check("signer", names == [(_said(name), _said(position)) for _, position, name in letter.signers], names)
    authority = [[_said(f"{line.authority} {line.of}") for line in one.authorities] for one in signers]
    expected = [
        [_said(line.replace("T/M", "TM.").replace(".", "", 1)) for line in lines] for lines, _, _ in letter.signers
    ]
    check("authority", authority == expected, authority)
    _compare_tasks(letter, list(read.tasks) if read else [], check, score, wrong, by_ear)
    return score, wrong


def _compare_tasks(
    letter: Letter,
    tasks: list[ProposedTask],
    check: Callable[[str, bool, object], None],
    score: Score,
    wrong: list[str],
    by_ear: bool,
) -> None:
    left = list(tasks)
    for true in letter.tasks:
        task = next((one for one in left if _says(_whole(one), true.what, by_ear)), None)
        check("task", task is not None, true.what)
        if task is None:
            continue
        left.remove(task)
        leads = letter.addressees if true.leads == ("@",) else true.leads
        for field, role, names in (("lead", PartyRole.LEAD, leads), ("helpers", PartyRole.COOPERATING, true.helpers)):
            check(
                field, sorted(map(_said, task.names(role))) == sorted(map(_said, names)), (true.what, task.names(role))
            )
        due = spelled(task.due.value) if task.due else ""
        expected = true.due
        if letter.date is None and due == "" and _year_open(true, letter):
            expected = ""
        check("due", due == expected, (true.what, due, expected))
    for task in left:
        score.invented += 1
        wrong.append(f"invented: {task.label} {task.text.value[:80]}")


def _says(text: str, what: str, by_ear: bool) -> bool:
    if _said(what) in _said(text):
        return True
    return by_ear and fuzz.partial_ratio(fold(what), fold(text)) >= 90


def _year_open(true: TrueTask, letter: Letter) -> bool:
    """Whether the letter names the day without its year, which an open date leaves unknown."""
    year, month, day = f"{true.due.split(' ')[0]}--".split("-")[:3]
    return year.isdecimal() and not any(
        f"{int(day)}/{int(month)}/{year}" in line or f"năm {year}" in line for line in letter.body
    )


def _whole(task: ProposedTask) -> str:
    return " ".join([task.text.value, *(point.value for point in task.points)])


def spelled(due: Due) -> str:
    """A due day as the truth spells it: "2020-08-15 17:00 <", "week 5 10:00 <"."""
    words = [str(due.date)] if due.date else []
    if due.every:
        words = [str(due.every), *(str(one) for one in (due.weekday, due.day_of_month) if one)]
    if due.time:
        words.append(f"{due.time:%H:%M}")
    return " ".join([*words, *([] if due.inclusive else ["<"])])


def _said(text: str) -> str:
    """The text as compared: one spelling of tones and blanks, no capitals, no marks at its end."""
    text = unicodedata.normalize("NFC", text).casefold()
    for one, other in (
        ("oà", "òa"),
        ("oá", "óa"),
        ("oả", "ỏa"),
        ("oạ", "ọa"),
        ("uỷ", "ủy"),
        ("uý", "úy"),
        ("uỳ", "ùy"),
        ("oè", "òe"),
    ):
        text = text.replace(one, other)
    return " ".join(text.replace("–", "-").split()).strip(" .,;:").removeprefix("về việc ").removeprefix("về ")
