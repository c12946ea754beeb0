# SPDX-License-Identifier: Apache-2.0
"""Columns of a list in a legacy Vietnamese font, and the proposal to convert them, which a person confirms."""

import dataclasses
from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from bluezone.directory.imports.files.raw_sheets import Cell, SpreadsheetEncodingMixed
from bluezone.vietnamese.legacy_fonts import (
    LEGACY_ENCODINGS,
    Change,
    TextEncoding,
    detect,
    first_contradiction,
    preview,
    to_unicode,
)


@dataclasses.dataclass(frozen=True)
class LegacyProposal:
    """Columns that seem to be in a legacy font, by name, and some of their texts before and after conversion."""

    encodings: Mapping[str, TextEncoding]
    changes: tuple[Change, ...]


def propose_conversion(
    texts_by_column: Mapping[str, Sequence[tuple[int, str]]],
    letters: Mapping[str, str],
    fonts: Mapping[str, TextEncoding],
) -> LegacyProposal | None:
    """Examine the columns one by one, because each has its own font; None if no column needs conversion.

    texts_by_column: (row number, text) of each cell with text, by column name. letters: column name -> letter.
    fonts: the encoding that the file's font suggests, by column name. Raises SpreadsheetEncodingMixed.
    """
    encodings: dict[str, TextEncoding] = {}
    changes: list[Change] = []
    for name, numbered_texts in texts_by_column.items():
        texts = [text for _number, text in numbered_texts]
        encoding = fonts.get(name, TextEncoding.UNKNOWN)
        if encoding is TextEncoding.UNKNOWN or first_contradiction(texts, encoding) is not None:
            encoding = detect("\n".join(texts)).encoding
        if encoding in LEGACY_ENCODINGS:
            if examples := preview(texts, encoding):
                encodings[name] = encoding
                changes.extend(examples)
            continue
        for number, text in numbered_texts:
            if detect(text).is_legacy:
                raise SpreadsheetEncodingMixed(
                    f"row {number}, column {letters[name]} is in another encoding than its column"
                )
    return LegacyProposal(encodings, tuple(changes)) if encodings else None


def join_proposals(proposals: Iterable[LegacyProposal | None]) -> LegacyProposal | None:
    """One proposal for all sheets of a list; of a column in several sheets, the first sheet's encoding counts."""
    made = [proposal for proposal in proposals if proposal is not None]
    if not made:
        return None
    encodings = ChainMap(*(dict(proposal.encodings) for proposal in made))
    return LegacyProposal(dict(encodings), tuple(chain.from_iterable(proposal.changes for proposal in made)))


def convert_cell(cell: Cell, encoding: TextEncoding | None) -> Cell:
    """The cell in Unicode; unchanged without an encoding, or if it is no text."""
    if isinstance(cell, str) and encoding is not None:
        return to_unicode(cell, encoding)
    return cell
