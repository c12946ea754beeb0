# SPDX-License-Identifier: Apache-2.0
"""Read the text of an RTF: its paragraphs, tables and the numbers that Word wrote before them; pictures, objects and
fields' instructions are passed over.
"""

import re
from dataclasses import dataclass, field, replace

from bluezone.letters.files.docx_text import table_lines
from bluezone.letters.letter_text import LetterText, LetterUnreadable

# No letter nests its groups deeper.
MOST_GROUPS = 500
_TOKEN = re.compile(
    r"\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,9})? ?|\\'(?P<byte>[0-9a-fA-F]{2})|\\(?P<sign>[^a-zA-Z])"
    r"|(?P<brace>[{}])|[\r\n]+|(?P<text>[^\\{}\r\n]+)",
    re.DOTALL,
)
_SKIPPED = frozenset({
    "fonttbl", "colortbl", "stylesheet", "info", "pict", "object", "header", "headerl", "headerr", "headerf", "footer",
    "footerl", "footerr", "footerf", "footnote", "annotation", "fldinst", "themedata", "datastore", "listtable",
    "listoverridetable", "nonshppict", "xe", "tc", "bkmkstart", "bkmkend", "nonesttables",
})  # fmt: skip
_SIGNS = {
    "tab": "\t", "line": "\n", "emdash": "—", "endash": "–", "lquote": "‘", "rquote": "’", "ldblquote": "“",
    "rdblquote": "”", "bullet": "•", "emspace": " ", "enspace": " ",
}  # fmt: skip
_CODECS = {163: "cp1258", 0: "cp1252", 238: "cp1250", 204: "cp1251"}


@dataclass
class _Group:
    """What holds inside a pair of braces. skipped: its text is none of the letter's. signs: after each `\\u`."""

    skipped: bool = False
    signs: int = 1
    struck: bool = False
    hidden: bool = False
    number: bool = False
    font: int = -1


@dataclass
class _Page:
    """The lines read so far, and the table and paragraph that are still open."""

    lines: list[str] = field(default_factory=list)
    rows: list[list[list[str]]] = field(default_factory=list)
    row: list[list[str]] = field(default_factory=list)
    cell: list[str] = field(default_factory=list)
    text: list[tuple[str, bool]] = field(default_factory=list)
    in_table: bool = False

    def take(self) -> list[str]:
        """The paragraph that ends here, a line for each that it breaks into; what was struck stands between marks."""
        whole, struck = "", False
        for piece, is_struck in self.text:
            if is_struck != struck:
                whole, struck = f"{whole}~~", is_struck
            whole += piece
        self.text.clear()
        # What lies beyond the first plane comes as two halves.
        joined = f"{whole}~~" if struck else whole
        return joined.encode("utf-16", "surrogatepass").decode("utf-16", "replace").split("\n")

    def end_paragraph(self) -> None:
        if self.in_table:
            self.cell += self.take()
            return
        self.end_table()
        self.lines += [*self.take(), ""]

    def end_table(self) -> None:
        if self.rows:
            self.lines += [*table_lines(self.rows), ""]
        self.rows, self.row, self.cell = [], [], []


def read_rtf(data: bytes) -> LetterText:
    """Return the text of an RTF. Raises LetterUnreadable for one that is no letter's."""
    page = _Page()
    _Reader(data.decode("latin-1"), page).read()
    if any(text.strip() for text, _ in page.text):
        page.end_paragraph()
    page.end_table()
    return LetterText("\n".join(page.lines), "rtf")


class _Reader:
    def __init__(self, data: str, page: _Page) -> None:
        self.data, self.page = data, page
        self.groups = [_Group()]
        self.codec = "cp1252"
        self.fonts: dict[int, str] = {}
        # Signs that stand for the last `\u` where a reader does not know it.
        self.passed = 0
        self.in_fonts = 0

    def read(self) -> None:
        at = 0
        while at < len(self.data):
            token = _TOKEN.match(self.data, at)
            if token is None:
                at += 1
                continue
            at = token.end()
            if token["word"]:
                if token["word"] == "bin":
                    at += max(0, int(token["number"] or 0))
                else:
                    self._word(token["word"], int(token["number"]) if token["number"] else None)
            elif token["brace"]:
                self._brace(token["brace"])
            elif token["byte"]:
                self._byte(bytes([int(token["byte"], 16)]))
            elif token["sign"]:
                self._sign(token["sign"])
            elif token["text"]:
                passed = min(self.passed, len(token["text"]))
                self.passed -= passed
                self._add(token["text"][passed:].encode("latin-1").decode(self._codec(), "replace"))

    def _brace(self, brace: str) -> None:
        self.passed = 0
        if brace == "}":
            if len(self.groups) > 1:
                self.groups.pop()
            self.in_fonts = min(self.in_fonts, len(self.groups))
            return
        if len(self.groups) >= MOST_GROUPS:
            raise LetterUnreadable("the RTF nests its groups deeper than any letter does")
        self.groups.append(replace(self.groups[-1]))

    def _codec(self) -> str:
        return self.fonts.get(self.groups[-1].font, self.codec)

    def _byte(self, byte: bytes) -> None:
        if self.passed:
            self.passed -= 1
            return
        self._add(byte.decode(self._codec(), "replace"))

    def _sign(self, sign: str) -> None:
        if sign == "*":
            self.groups[-1].skipped = True
        elif sign in "\r\n":
            self._end_paragraph()
        else:
            self._add({"~": "\u00a0", "_": "-", "-": ""}.get(sign, sign))

    def _add(self, text: str) -> None:
        group = self.groups[-1]
        if text and not group.skipped and not group.hidden:
            self.page.text.append((text, group.struck))

    def _end_paragraph(self) -> None:
        if not self.groups[-1].skipped:
            self.page.end_paragraph()

    def _word(self, word: str, number: int | None) -> None:
        group = self.groups[-1]
        if word == "fonttbl":
            self.in_fonts = len(self.groups)
        if word in _SKIPPED:
            group.skipped = True
        elif word == "f" and number is not None:
            group.font = number
        elif word == "fcharset" and self.in_fonts and number in _CODECS:
            self.fonts[group.font] = _CODECS[number]
        elif word == "ansicpg" and number in (1250, 1251, 1252, 1258):
            self.codec = f"cp{number}"
        elif word == "uc" and number is not None:
            group.signs = number
        elif word == "u" and number is not None:
            self._add(chr(number % 65536))
            self.passed = group.signs
        elif not group.skipped:
            self._format(word, number, group)

    def _format(self, word: str, number: int | None, group: _Group) -> None:
        page = self.page
        if word in _SIGNS:
            self._add(" " if group.number else _SIGNS[word])
        elif word in {"listtext", "pntext"}:
            group.number = True
        elif word in {"strike", "striked"}:
            group.struck = number != 0
        elif word in {"v", "deleted"}:
            group.hidden = number != 0
        elif word == "plain":
            group.struck = group.hidden = False
        elif word == "pard":
            page.in_table = False
        elif word == "intbl":
            page.in_table = True
        elif word in {"par", "sect", "page"}:
            page.end_paragraph()
        elif word == "cell":
            page.cell += page.take()
            page.row.append(page.cell)
            page.cell = []
        elif word == "row":
            page.rows.append(page.row)
            page.row = []
