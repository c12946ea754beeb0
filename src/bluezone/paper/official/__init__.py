# SPDX-License-Identifier: Apache-2.0
"""What every report leaves as: a document in administrative layout (DOCX, PDF) and tables (XLSX)."""

import datetime
from collections.abc import Sequence

from bluezone.paper.official.document import (
    Bullets,
    Column,
    DocumentInvalid,
    Heading,
    Letterhead,
    OfficialDocument,
    Paragraph,
    SignatureBlock,
    Table,
)
from bluezone.paper.official.pdf_file import document_pdf, write_html

__all__ = [
    "Bullets",
    "Column",
    "DocumentInvalid",
    "Heading",
    "Letterhead",
    "OfficialDocument",
    "Paragraph",
    "SignatureBlock",
    "Table",
    "document_pdf",
    "write_docx",
    "write_html",
    "write_xlsx",
]


# Their libraries take a fifth of the office's start, so whoever writes such a file loads them.
def write_docx(document: OfficialDocument, *, zone: datetime.tzinfo) -> bytes:
    """`docx_file.write_docx`: the document as DOCX; the same document gives the same bytes."""
    from bluezone.paper.official import docx_file

    return docx_file.write_docx(document, zone=zone)


def write_xlsx(tables: Sequence[Table], *, zone: datetime.tzinfo, heading: Sequence[str] = ()) -> bytes:
    """`xlsx_file.write_xlsx`: a workbook with one sheet per table. Raises DocumentInvalid."""
    from bluezone.paper.official import xlsx_file

    return xlsx_file.write_xlsx(tables, zone=zone, heading=heading)
