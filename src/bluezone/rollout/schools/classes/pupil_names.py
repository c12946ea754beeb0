# SPDX-License-Identifier: Apache-2.0
"""Distinguish a table of counts from a list of children: by headings that announce names or other personal data, and
cells that look like them.

A table that looks like a list of children is refused as a whole and never stored; the refusal asks the school to leave
these columns out. A false alarm is better than the stored name of a child.
Source: docs/rollout.md A5 (counts only, no record of a child).
"""

import itertools
import re
from collections.abc import Callable, Iterable, Sequence

from bluezone.directory.imports.heading_rows import heading_key
from bluezone.refusal import Refused
from bluezone.vietnamese.legacy_fonts import TextEncoding, to_unicode
from bluezone.vietnamese.spelling import fold

_HEADINGS = re.compile(
    r"\b("
    r"ho va ten|ho ten|ho dem|ten hoc sinh|ten hs|ten em|ten chau|ten phu huynh|ten cha|ten me|phu huynh"
    r"|ho lot|ngay sinh|nam sinh|sinh ngay|gioi tinh|nam nu|dan toc|dia chi|noi o|thon to"
    r"|so dien thoai(?! thong minh)|dien thoai lien he|sdt|zalo|email|cccd|cmnd|ma hoc sinh|ma hs"
    r"|ma dinh danh|so dinh danh|bhyt|full name|first name|last name|surname|name of pupil|pupil name"
    r"|student name|pupil s name|date of birth|birthday|parent|address|gvcn|giao vien|teacher"
    r")\b"
)
_WHOLE_HEADINGS = frozenset({"ten", "ho", "name", "names", "hoc sinh", "pupil", "student", "dien thoai", "phone"})
# Words of titles and class names; a cell of these words alone is not a person's name.
_PLAIN_WORDS = """
lop khoi truong thcs thpt th tieu hoc mam non mau giao tong so cong nam tuan bao cao bang hoc sinh si co co the
dien thoai thong minh dang chay cai dat bluezone nguoi than da giup ghi chu tu den ngay thang stt ten va cua cac
la choi mam buoi sang chieu class classes total pupils week school grade smartphone running relatives helped with
a the of em hs may sl luong duoc nhung chua ban tru noi chuyen chat luong cao tang cuong
"""
_PLAIN = frozenset(_PLAIN_WORDS.split())
# Beginnings of titles; a name after one of these belongs to a school or place, not to a child.
_TITLES = ("truong ", "phong ", "ubnd ", "uy ban ", "lop ", "khoi ", "bieu ", "bang ", "bao cao ", "school ", "class ")
_TELEPHONE = re.compile(r"(?:\+?84|0)\d{8,10}\Z")
_DAY = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-](?:19|20)?\d{2}\Z")
_MOST_WORDS = 7
_LONGEST_CLASS = 20


class PupilsNamed(Refused):
    """A table seems to name children; nothing of it was stored."""

    code = "pupils_named"


def refuse_names(lines: Iterable[Sequence[str]], allowed: Iterable[str] = ()) -> None:
    """Raise PupilsNamed if a heading or a cell looks like a person's name, birthday or telephone number.

    lines: cells of a table. allowed: texts that are accepted even if they look like it, such as names of classes.
    """
    allowed_keys = {fold(text) for text in allowed}
    for number, cells in enumerate(lines, 1):
        for cell in cells:
            if fold(cell.strip()) not in allowed_keys and (names_a_column(cell) or looks_like_a_person(cell)):
                raise PupilsNamed(f"line {number} seems to name a person; only numbers of classes are accepted")


def refuse_children(rows: Sequence[Sequence[str]], known: Callable[[str], bool]) -> None:
    """Raise PupilsNamed if a list of classes seems to name pupils.

    It does if a heading announces them, or if it names more people than classes. rows: cells of a sheet.
    known: returns whether a list of classes may have this heading, for example that of the teachers.
    """
    for number, cells in enumerate(rows, 1):
        # Title rows, with the school's address and telephone number, have few cells.
        if sum(map(bool, cells)) > 2 and any(names_a_column(cell) and not known(cell) for cell in cells):
            raise PupilsNamed(f"line {number} seems to announce names or other personal data of pupils")
    people = 0
    classes = 0
    for column in itertools.zip_longest(*rows, fillvalue=""):
        texts = {fold(cell) for cell in column if cell and not cell.isdecimal() and not known(cell)}
        named = {text for text in texts if looks_like_a_person(text)}
        people = max(people, len(named))
        classes = max(classes, sum(len(text) <= _LONGEST_CLASS for text in texts - named))
    if people > classes:
        raise PupilsNamed(f"{people} people but only {classes} classes are named")


def names_a_column(cell: str) -> bool:
    """Whether a heading announces names or other personal data, also if it is in a legacy font."""
    keys = {heading_key(reading) for reading in _readings(cell)}
    return any(key in _WHOLE_HEADINGS or _HEADINGS.search(key) for key in keys)


def looks_like_a_person(cell: str) -> bool:
    """Whether a cell looks like a name (two to seven words without a digit), a birthday or a telephone number."""
    text = cell.strip()
    if _TELEPHONE.match(re.sub(r"[ .()-]", "", text)) or _DAY.match(text):
        return True
    words = re.split(r"[\s,;._-]+", text)
    if any(char.isdigit() for char in text) or not 2 <= len(words) <= _MOST_WORDS:
        return False
    return not any(_is_plain(reading) for reading in _readings(text))


def _is_plain(text: str) -> bool:
    words = heading_key(text).split()
    title = f"{' '.join(words)} ".startswith(_TITLES)
    return title or (bool(words) and all(word in _PLAIN or len(word) == 1 for word in words))


def _readings(text: str) -> tuple[str, ...]:
    """The text itself, and if all its characters are of Latin-1, the texts that it would be in the legacy fonts."""
    if any(ord(char) > 0xFF for char in text):
        return (text,)
    return text, to_unicode(text, TextEncoding.TCVN3), to_unicode(text, TextEncoding.VNI)
