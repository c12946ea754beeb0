# SPDX-License-Identifier: Apache-2.0
"""What every report leaves as: a document in administrative layout (DOCX, PDF) and tables (XLSX)."""

from bluezone.rollout.reports.document import (
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
from bluezone.rollout.reports.printed import PdfUnavailable, write_html, write_pdf
from bluezone.rollout.reports.spreadsheet import write_xlsx
from bluezone.rollout.reports.worddocument import write_docx

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
