# SPDX-License-Identifier: Apache-2.0
"""What every report leaves as: a document in administrative layout (DOCX, PDF) and tables (XLSX)."""

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
from bluezone.paper.official.docx_file import write_docx
from bluezone.paper.official.pdf_file import PdfUnavailable, write_html, write_pdf
from bluezone.paper.official.xlsx_file import write_xlsx

__all__ = [
    "Bullets",
    "Column",
    "DocumentInvalid",
    "Heading",
    "Letterhead",
    "OfficialDocument",
    "Paragraph",
    "PdfUnavailable",
    "SignatureBlock",
    "Table",
    "write_docx",
    "write_html",
    "write_pdf",
    "write_xlsx",
]
