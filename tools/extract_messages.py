# SPDX-License-Identifier: Apache-2.0
"""Read the texts of Django templates and Python sources, update the catalogues, compile them. Called by messages.sh."""

import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.template.base import Lexer, TokenType
from django.utils.translation import trim_whitespace

REPOSITORY = Path(__file__).parents[1]
PACKAGE = REPOSITORY / "src" / "bluezone"
LOCALE = PACKAGE / "web" / "locale"
FOLDERS = [
    "web",
    "identity",
    "authority",
    "directory",
    "firstday",
    "healthauthority",
    "devices",
    "rollout",
    "portal",
    "publicpages",
    "paper",
    "messaging",
    "desk",
    "twin",
]
LANGUAGE = "vi"
KEYWORDS = {"_": None, "gettext": None, "gettext_lazy": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}

_TRANS = re.compile(r"""^(?:trans|translate)\s+("([^"]+)"|'([^']+)')""")
_CONSTANT = re.compile(r"""_\(("([^"]+)"|'([^']+)')\)""")


def template_messages(fileobj, keywords, comment_tags, options) -> Iterator[tuple]:
    """Babel extraction method for Django templates: trans, blocktrans with plural, and _("...") in tags."""
    lexer = Lexer(fileobj.read().decode())
    block: list[str] | None = None
    singular: list[str] = []
    trimmed = False
    for token in lexer.tokenize():
        contents = token.contents
        if token.token_type == TokenType.BLOCK and contents.startswith(("blocktrans", "blocktranslate")):
            block, singular, trimmed, line = [], [], "trimmed" in contents.split(), token.lineno
        elif token.token_type == TokenType.BLOCK and contents == "plural":
            singular, block = block or [], []
        elif token.token_type == TokenType.BLOCK and contents.startswith("endblocktrans"):
            texts = [_joined(part, trimmed) for part in (singular, block or []) if part]
            yield line, "ngettext" if len(texts) == 2 else "gettext", tuple(texts) if len(texts) == 2 else texts[0], []
            block = None
        elif block is not None:
            name = contents.split("|")[0].strip()
            block.append(f"%({name})s" if token.token_type == TokenType.VAR else contents.replace("%", "%%"))
        elif token.token_type in (TokenType.BLOCK, TokenType.VAR):
            found = _TRANS.match(contents)
            if found:
                # As the tag looks it up: it doubles every percent sign of its text.
                yield token.lineno, "gettext", (found[2] or found[3]).replace("%", "%%"), []
            for constant in _CONSTANT.finditer(contents):
                yield token.lineno, "gettext", constant[2] or constant[3], []


def _joined(parts: list[str], trimmed: bool) -> str:
    text = "".join(parts)
    return trim_whitespace(text) if trimmed else text


def extracted() -> Catalog:
    """Every text of the sources, as a catalogue without translations."""
    catalog = Catalog(project="Bluezone", charset="utf-8", fuzzy=False)
    methods = [("**/migrations/**", "ignore"), ("**.py", "python"), ("**/templates/**.html", template_messages)]
    for folder in FOLDERS:
        found = extract_from_dir(PACKAGE / folder, methods, keywords=KEYWORDS)
        for name, _line, message, comments, context in found:
            # No line numbers: a catalogue changes only when a text does.
            catalog.add(message, None, [(f"{folder}/{name}", None)], auto_comments=comments, context=context)
    return catalog


def updated(language: str) -> Catalog:
    """The catalogue of a language with every text of the sources; new ones are empty, vanished ones dropped."""
    path = LOCALE / language / "LC_MESSAGES" / "django.po"
    if path.exists():
        catalog = read_po(BytesIO(path.read_bytes()), locale=language)
    else:
        catalog = Catalog(locale=language, project="Bluezone", charset="utf-8")
    catalog.update(extracted(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    catalog.fuzzy = False
    catalog.project, catalog.version = "Bluezone", "1"
    catalog.msgid_bugs_address = catalog.last_translator = catalog.language_team = ""
    return catalog


def as_po(catalog: Catalog) -> bytes:
    """The text of a catalogue file, the same for the same messages."""
    # One line per reference with no date: regenerating an unchanged catalogue changes no byte.
    catalog.header_comment = "# SPDX-License-Identifier: Apache-2.0\n# Vietnamese texts; msgid is the English text."
    buffer = BytesIO()
    write_po(buffer, catalog, width=120, sort_by_file=True, omit_header=False, ignore_obsolete=True)
    return b"\n".join(
        row for row in buffer.getvalue().split(b"\n") if b"-Date:" not in row and b"Generated-By" not in row
    )


def as_mo(po: bytes, language: str) -> bytes:
    """The compiled catalogue, the same for the same text."""
    catalog = read_po(BytesIO(po), locale=language)
    # Babel would write the present time into the header.
    catalog.creation_date = catalog.revision_date = datetime(2026, 1, 1, tzinfo=UTC)
    buffer = BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def missing(catalog: Catalog) -> list[str]:
    """Texts without a translation."""
    return [str(message.id) for message in catalog if message.id and not all(_strings(message.string))]


def _strings(value) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,)


def main() -> int:
    """Update and compile; exit 1 and name what is untranslated."""
    catalog = updated(LANGUAGE)
    folder = LOCALE / LANGUAGE / "LC_MESSAGES"
    po = as_po(catalog)
    (folder / "django.po").write_bytes(po)
    (folder / "django.mo").write_bytes(as_mo(po, LANGUAGE))
    absent = missing(catalog)
    for text in absent:
        print(f"untranslated: {text}", file=sys.stderr)
    print(f"{len(catalog)} texts, {len(absent)} untranslated", file=sys.stderr)
    return 1 if absent else 0


if __name__ == "__main__":
    sys.exit(main())
