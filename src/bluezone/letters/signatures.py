# SPDX-License-Identifier: Apache-2.0
"""Read who signs a letter, in whose name, and in which position.

TM. (thay mặt) on behalf of a body, KT. (ký thay) for a superior, TL. (thừa lệnh) by order, TUQ. (thừa ủy quyền) by
delegation, Q. (quyền) acting. Source: Decree 30/2020/NĐ-CP, annex I (from memory); Công văn 458/UBND-VP.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bluezone.letters.letter_text import Passage, joined
from bluezone.letters.proposal import Authority, AuthorityLine, Confidence, Doubt, Proposed, Signer, Span
from bluezone.vietnamese.spelling import fold

_AUTHORITY = re.compile(
    r"^(?P<authority>TUQ|T\.U\.Q|TM|T[./]M|KT|K[./]T|TL|T[./]L|Q)(?:\s*[.,]\s*|(?<=/[MTL])\s+|(?<=KT|TM|TL"
    r"|UQ)\s+(?=[A-ZĐ]{2}|ỦY))(?P<of>[A-ZÀ-ỸĐ]\S*(?:\s.*)?)$"
)
_POSITIONS = (
    "chu tich",
    "pho chu tich",
    "chanh van phong",
    "pho chanh van phong",
    "truong phong",
    "pho truong phong",
    "giam doc",
    "pho giam doc",
    "bi thu",
    "pho bi thu",
    "hieu truong",
    "pho hieu truong",
    "truong ban",
    "pho truong ban",
    "bo truong",
    "thu truong",
    "thu tuong",
    "pho thu tuong",
    "cuc truong",
    "pho cuc truong",
    "chi cuc truong",
    "tram truong",
    "vien truong",
    "truong cong an",
    "pho truong cong an",
    "to truong",
    "truong thon",
    "chanh thanh tra",
    "chi huy truong",
    "doi truong",
    "tong giam doc",
    "pho tong giam doc",
    "ke toan truong",
    "vu truong",
    "thuong truc",
    "phu trach",
    "truong tram",
    "chanh ",
    "pho chanh",
    "pho ban",
    "pho vien truong",
    "pho thu truong",
    "chinh tri vien",
    "chinh uy",
    "tu lenh",
    "pho chi huy",
    "hat truong",
    "pho hat truong",
    "chu nhiem",
    "pho chu nhiem",
    "truong tieu ban",
    "pho truong",
    "pho chi cuc",
    "pho giam",
    "truong doan",
    "tham phan",
    "uy vien",
    "truong",
    "cong chuc",
    "chuyen vien",
    "khoa truong",
    "tong bien tap",
    "to pho",
    "doi pho",
    "tham muu truong",
    "pho tham muu truong",
    "chinh uy",
    "don truong",
    "tieu doan truong",
    "quyen ",
    "tong thu ky",
    "tong thanh tra",
    "vien pho",
    "thu ky",
    "chu toa",
    "dai dien ben",
    "ben giao",
    "ben nhan",
)
_WORD = r"[A-ZÀ-ỸĐ](?:['’][A-Z])?[a-zà-ỹđ]*"
_RANKS = (
    r"PGS|GS|TS|Th\.?[Ss]|B[Ss]\.?\s?CK\s?[I12]{1,2}|B[Ss]|CK\s?[I12]{1,2}"
    r"|BS\.?\s?CKII|BS\.?\s?CKI|BSCKII|BSCKI|BSNT|BS|DSCKI|DSCKII|DS|CNYTCC|CN|KS|CKII|CKI|Luật sư"
    r"|Thiếu tá|Trung tá|Thượng tá|Đại tá|Thiếu úy|Trung úy|Thượng úy|Đại úy|Thiếu tướng|NGƯT|NGND|TTƯT|TTND"
)
_NAME = re.compile(rf"^(?:(?:{_RANKS})\.?,?\s*)*(?P<name>{_WORD}(?:\s+{_WORD}){{1,5}})$")
_ALL_CAPITALS_NAME = re.compile(r"^[A-ZÀ-ỸĐ]{2,}(?:\s+[A-ZÀ-ỸĐ]+){1,4}$")

# A joint letter is signed by two or three bodies side by side.
_MOST_COLUMNS = 5


@dataclass
class _Block:
    """One signature while its lines are read."""

    authorities: list[AuthorityLine] = field(default_factory=list)
    position: str | None = None
    name: str | None = None
    lines: list[Passage] = field(default_factory=list)


def is_signature_line(line: Passage) -> bool:
    """Return whether the line opens a signature: an authority, or a position in capitals."""
    return bool(_AUTHORITY.match(line.text)) or _is_position(line)


def _is_position(line: Passage) -> bool:
    letters = [sign for sign in line.text if sign.isalpha()]
    if not letters or sum(sign.isupper() for sign in letters) < 0.9 * len(letters) or len(line.text) > 60:
        return False
    return fold(line.text).lstrip("q. ").startswith(_POSITIONS)


def read_signers(lines: Sequence[Passage]) -> tuple[Proposed[Signer], ...]:
    """Propose the signers from the lines below the body; several stand side by side or one under another."""
    signers: list[tuple[int, int, Proposed[Signer]]] = []
    for column in range(_MOST_COLUMNS):
        for block in _blocks(line for line in lines if line.column == column):
            whole = joined(block.lines)
            if block.position or block.authorities:
                span = whole.span()
                signers.append((span.start, column, _proposed(block, span)))
    return tuple(signer for _, _, signer in sorted(signers, key=lambda found: found[:2]))


def _blocks(lines: Iterable[Passage]) -> list[_Block]:
    blocks: list[_Block] = []
    for line in lines:
        if line.is_blank:
            continue
        if is_signature_line(line):
            if not blocks or blocks[-1].name or _opens_another(blocks[-1], line):
                blocks.append(_Block())
            _add_standing(blocks[-1], line)
        elif blocks and (name := _name_in(line)):
            # A later name replaces an earlier one: above it stands what was read from the pen's stroke, or, in
            # capitals, the rest of a long office.
            earlier = blocks[-1].name
            if earlier and blocks[-1].position and earlier.isupper() and not name.isupper():
                blocks[-1].position = f"{blocks[-1].position} {earlier}"
            blocks[-1].name = name
            blocks[-1].lines.append(line)
        elif (
            blocks
            and not blocks[-1].name
            and blocks[-1].authorities
            and not blocks[-1].position
            and line.text.isupper()
        ):
            # The name of the body runs on in the next line.
            last = blocks[-1].authorities[-1]
            blocks[-1].authorities[-1] = AuthorityLine(last.authority, f"{last.of} {line.text}")
            blocks[-1].lines.append(line)
        elif blocks and not blocks[-1].name and _wraps(blocks[-1].position, line):
            # A long office runs on in the next line.
            blocks[-1].position = f"{blocks[-1].position} {line.text}"
            blocks[-1].lines.append(line)
    return blocks


def _wraps(position: str | None, line: Passage) -> bool:
    """Return whether the line carries on a position too long for its column."""
    if position is not None and line.text.isupper() and line.text.isalpha():
        return True  # no name is a word alone
    return (
        position is not None
        and len(position) >= (10 if "&" in line.text else 20)
        and line.text.isupper()
        and line.text.replace(" ", "").replace("&", "").isalpha()
        and len(line.text) < 40
    )


def _opens_another(block: _Block, line: Passage) -> bool:
    """Return whether a second TM. begins another signature, whose name is left open above."""
    match = _AUTHORITY.match(line.text)
    return bool(match and match["authority"].startswith("T") and block.position)


def _add_standing(block: _Block, line: Passage) -> None:
    block.lines.append(line)
    match = _AUTHORITY.match(line.text)
    if match is None:
        if block.position and fold(line.text).startswith(("thuong truc", "chuyen trach")):
            block.position = f"{block.position} {line.text}"
            return
        # A second office below ("TRƯỞNG BAN", "PHÓ CHỦ TỊCH UBND TỈNH") belongs to the same signer.
        block.position = line.text
        return
    authority = Authority(re.sub(r"[./]", "", match["authority"]))
    block.authorities.append(AuthorityLine(authority, match["of"].strip()))
    if authority is Authority.Q:
        block.position = line.text


def _name_in(line: Passage) -> str | None:
    if re.match(r"(?:Ký|Người|Ngày|Thời|Cơ quan|Nơi|Như)\b|Lưu\s*(?::|[A-ZĐ]{2})", line.text):
        return None
    if match := _NAME.match(line.text):
        return match["name"]
    return line.text if _ALL_CAPITALS_NAME.match(line.text) and len(line.text.split()) >= 3 else None


def _proposed(block: _Block, span: Span) -> Proposed[Signer]:
    signer = Signer(tuple(block.authorities), block.position, block.name)
    doubts = () if block.name and block.position else (Doubt.INCOMPLETE,)
    return Proposed(signer, span, Confidence.LOW if doubts else Confidence.HIGH, doubts)
