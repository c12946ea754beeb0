# SPDX-License-Identifier: Apache-2.0
"""Read whom a letter addresses (Kính gửi) and who receives it for what (Nơi nhận)."""

import re
from collections.abc import Sequence

from bluezone.letters.agency_names import STARTS_AS_AGENCY, is_collective
from bluezone.letters.letter_text import Passage, folded_ocr, joined
from bluezone.letters.letterhead import TELEGRAPHING
from bluezone.letters.proposal import Addressee, Confidence, Doubt, Proposed, Purpose, Recipient
from bluezone.letters.signatures import is_signature_line
from bluezone.vietnamese.spelling import fold

BULLET = re.compile(r"^(?:[-–—+•●▪·*]\s*)")
_ADDRESSING = re.compile(r"^(?:Trân trọng\s+)?[KkЌ][íiìĩ]nh\s*(?:[gG][ửưuừ][ỉií1l]?|mời)\s*[:;.]?\s*", re.IGNORECASE)
_RECIPIENTS = re.compile(r"^N[ơoợờ][iíl1]\s*(?:nh[ậaâạ]n|g[ửu]i)\s*[:;.]\s*|^N[ơoợờ]i\s*nh[ậaâạ]n$", re.IGNORECASE)
_FILE = re.compile(r"^L[ưuứ]u\s*[:;.]?\s*(?=[A-ZĐ]|$)", re.IGNORECASE)
_ACTION = r"t\s*/\s*h|th\b|thực hiện|triển khai|(?:phối hợp|p\s*/\s*h) (?:thực hiện|triển khai|t/h)|thi hành|t/hiện"
# Who is sent a copy to cooperate is given a duty, if any, in the body.
_INFORMATION = r"b\s*/\s*c|báo cáo|biết|chỉ đạo|theo dõi|tham khảo|đưa tin|giám sát|phối hợp|p\s*/\s*h|p/hợp"
_PURPOSES = (
    (re.compile(rf"\(\s*(?:để\s+)?(?:{_ACTION})[^)]*\)", re.IGNORECASE), Purpose.ACTION),
    (re.compile(rf"\(\s*(?:để\s+)?(?:{_INFORMATION})[^)]*\)", re.IGNORECASE), Purpose.INFORMATION),
)
_AS_ADDRESSED = re.compile(r"^như\s+(?:kính gửi|kính mời|thành phần|trên|kg)", re.IGNORECASE)
_AS_ARTICLE = re.compile(r"^như\s+điều\s+(\d+(?:\s*,\s*\d+)*)", re.IGNORECASE)

# A list of recipients goes on for a page at most.
_MOST_LINES = 80
# "Kính gửi" stands above the body; in a long letter the words may come again.
_LAST_ADDRESSING = 80


def _opens_addressing(line: Passage) -> re.Match[str] | None:
    return _ADDRESSING.match(line.text) or TELEGRAPHING.match(line.text)


def addressing_at(lines: Sequence[Passage]) -> int | None:
    """Return the index of the line "Kính gửi:", or None; a telegram says "CHỦ TỊCH UBND TỈNH ĐIỆN:"."""
    return next((index for index, line in enumerate(lines[:_LAST_ADDRESSING]) if _opens_addressing(line)), None)


def is_recipients_line(line: Passage) -> bool:
    """Return whether the line begins with "Nơi nhận:"."""
    return bool(_RECIPIENTS.match(line.text))


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
    first = lines[start].cut(_opens_addressing(lines[start]).end())  # type: ignore[union-attr]
    if not first.is_blank:
        items.append([_without_bullet(first)])
    index = start + 1
    while index < min(len(lines), start + _MOST_LINES):
        line = lines[index]
        bulleted = bool(BULLET.match(line.text))
        ended = bool(items) and items[-1][-1].text.endswith((".", "./."))
        if _body_begins(line) or (
            items
            and not line.is_blank
            and not bulleted
            and (ended or (lines[index - 1].is_blank and not _ends_list(line)))
        ):
            break
        if bulleted:
            items.append([_without_bullet(line)])
        elif not line.is_blank and items and not _ends_item(items[-1][-1]):
            items[-1].append(line)
        elif not line.is_blank:
            items.append([line])
        index += 1
    names = [name for item in items for name in _apart(joined(item))]
    return tuple(
        Proposed(Addressee(name.text, is_collective(name.text)), name.span()) for name in names if name.text
    ), index


def _ends_item(line: Passage) -> bool:
    return line.text.endswith(";")


def _ends_list(line: Passage) -> bool:
    """Return whether the line is the rest of a list that wrapped: a few words and the full stop."""
    return len(line.text) < 30 and line.text.endswith(".")


def _body_begins(line: Passage) -> bool:
    """Return whether the line is the letter's first sentence, which no blank line need part from the addressees."""
    return bool(
        re.match(
            r"(?:Căn cứ|Thực hiện|Theo|Để|Nhằm|Tiếp theo|Ngày|Triển khai|Sau khi|Trước|Qua|\d{1,2}[.)])\s", line.text
        )
    ) and (len(line.text) > 60 or line.text.endswith(":"))


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
    apart = False
    for line in [rest, *lines[start + 1 : start + _MOST_LINES]]:
        if line.column != column or line.is_blank:
            continue
        if is_signature_line(line):
            if any(_FILE.match(item[0].text) for item in items):
                break
            # Over the end of a page, or copied out of one, the list goes on below the signature.
            apart = True
            continue
        if apart and not (BULLET.match(line.text) or line.text.startswith("Lưu:") or _is_open(items)):
            continue
        if BULLET.match(line.text) or not items or _FILE.match(line.text) or line.text.endswith(":"):
            items.append([_without_bullet(line)])
        elif not items[-1][-1].text.endswith((";", ".", ":")) and not _FILE.match(items[-1][0].text):
            items[-1].append(line)
        elif items[-1][-1].text.endswith((";", ":")) and STARTS_AS_AGENCY.match(line.text):
            items.append([line])
        elif not apart:
            break
    if not any(_FILE.match(item[0].text) for item in items):
        # Over the end of a page the last line stands below the signature.
        rest_of_letter = (_without_bullet(line) for line in lines[start + 1 :])
        items += [[line] for line in rest_of_letter if re.match(r"Lưu\s*:", line.text)][:1]
    pieces = [piece for item in items if not joined(item).text.endswith(":") for piece in _pieces(joined(item))]
    return tuple(recipient for recipient in map(_recipient, pieces) if recipient.value.name)


def _is_open(items: list[list[Passage]]) -> bool:
    """Return whether a bracket of the last line is still to be closed."""
    return bool(items) and (text := items[-1][-1].text).count("(") > text.count(")")


def _pieces(item: Passage) -> list[Passage]:
    """Cut "Như trên; UBND tỉnh (b/c); Lưu: VT" where all stand on one line."""
    cuts = [match.span() for match in re.finditer(r"[^;]+", item.text)]
    return [_without_bullet(item.cut(*cut)) for cut in cuts if item.text[slice(*cut)].strip(" .;")]


def _recipient(line: Passage) -> Proposed[Recipient]:
    if match := _FILE.match(line.text):
        # What follows the full stop are the typist's initials.
        name = re.sub(r"\s*\([^()]*\)\s*$", "", re.split(r"\.(?!\d)", line.text[match.end() :])[0].strip(" ;,"))
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
