# SPDX-License-Identifier: Apache-2.0
"""The refusals of the directory as sentences in the reader's language: what happened, and what to do next.

The modules that refuse write English for programs and logs; this one turns their stable codes into text for officials.
"""

from collections.abc import Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from bluezone.directory.imports.files.raw_sheets import split_row_number
from bluezone.refusal import Refused

SENTENCES: dict[str, Promise] = {
    "agency_cycle": _("This agency would report to itself. Choose another agency that it reports to."),
    "cell_not_a_count": _("Enter a whole number, such as 45036 or 45.036."),
    "cell_not_a_day": _("Enter a day, such as 07/8/2020."),
    "entry_code_repeated": _("Another entry has this code on the same days. Correct the code or the days."),
    "entry_key_repeated": _("Another entry already uses this code. Correct the code."),
    "entry_parent_unknown": _(
        "The unit above is missing, has the wrong level or is not valid on the same days. Correct it or the days."
    ),
    "entry_successor_unknown": _("A successor must be another entry of the directory. Correct the successor."),
    "entry_validity_inconsistent": _(
        "The days are not consistent. An entry must end after it starts. An entry with a successor needs a last "
        "day, and the successor must start by then. Correct the days."
    ),
    "figure_refused": _("A figure needs a source and a day that is not in the future."),
    "group_member_unknown": _("A recipient group names an agency that does not exist."),
    "import_figure_without_source": _(
        "Figures need a source and the day they apply to, which cannot be in the future. Fill in both columns."
    ),
    "import_kind_unknown": _(
        "The kind is missing or not one of the known words. Units: phường, xã, tổ; agencies: UBND, phòng, y tế."
    ),
    "import_name_ambiguous": _("Several entries have this name. Write the code, or the unit it belongs to."),
    "import_not_ready": _("Some rows were refused. Correct them or leave them out. Nothing was stored."),
    "import_outdated": _(
        "The stored data has changed since this preview was created, so nothing was stored. The new preview is below."
    ),
    "import_email_invalid": _("This is not an e-mail address. Enter one, or leave the cell empty."),
    "import_phone_invalid": _("This is not a telephone number. Enter one, or leave the cell empty."),
    "import_phone_missing": _("The telephone number is missing. Enter it, or leave the row out."),
    "import_reference_unknown": _(
        "No current entry has the code or name in this cell, or several have it. Correct it."
    ),
    "import_stored": _("The list has already been stored and can no longer be undone."),
    "import_under_way": _(
        "A list of units or agencies is being stored, so nothing else was stored. Wait until that is "
        "finished, then try again."
    ),
    "import_row_refused": _("This row cannot be used. Correct the cell."),
    "import_row_repeated": _("Another row is about the same entry. Delete one of the two."),
    "import_text_invalid": _("The code or name is missing, too long or not on one line. Correct the cell."),
    "import_value_invalid": _("A day or a number cannot be read. Write days as 07/8/2020 and numbers as 45036."),
    "spreadsheet_cell_unreadable": _(
        "A cell contains an error, a formula without a stored result, or characters that are not text. "
        "Replace it with its value."
    ),
    "spreadsheet_columns_missing": _("A required column is missing. Give it the same heading as in the empty list."),
    "spreadsheet_damaged": _("The file is damaged or incomplete. Open it, save it again and send it again."),
    "spreadsheet_empty": _("There are no rows below the headings. Fill the list in and send it again."),
    "spreadsheet_encoding_mixed": _(
        "Some cells use a different font encoding from the rest of their column. Convert the whole list to Unicode "
        "and send it again."
    ),
    "spreadsheet_encoding_unknown": _("The text of the file cannot be read. Save the list as .xlsx and send it again."),
    "spreadsheet_has_macros": _("The workbook contains macros. Save it as .xlsx, which has none."),
    "spreadsheet_header_missing": _("No row near the top has the expected headings. Give each column one heading."),
    "spreadsheet_heading_merged": _(
        "A column has values but no heading, for example under a merged cell. Give each column one heading."
    ),
    "spreadsheet_heading_repeated": _("Two columns seem to mean the same. Only one of them can count."),
    "spreadsheet_of_people": _(
        "This seems to be a list of people: the telephone numbers are theirs, not the agencies’. Nothing was "
        "stored. Import the list under “Accounts from a list”. If it is a list of agencies, say below which column "
        "is which."
    ),
    "spreadsheet_refused": _("This file cannot be used as a list."),
    "spreadsheet_too_large": _("The file is too large: at most 10 MB, 20,000 rows and 64 columns. Split the list."),
    "spreadsheet_type_unknown": _(
        "This is not a list in XLSX, XLS, ODS or CSV (a file with a password, a PDF or a picture?). Save it as "
        ".xlsx without a password, or as .csv."
    ),
    "unit_cycle": _("This unit would be under itself. Choose another unit above it."),
}
# The form field that a refusal of the directory is about; other refusals concern the whole form.
FIELDS = {
    "agency_cycle": "parent",
    "entry_code_repeated": "code",
    "entry_parent_unknown": "parent",
    "entry_successor_unknown": "successors",
    "entry_validity_inconsistent": "valid_to",
    "unit_cycle": "parent",
}
_ROWS_NAMED = 8


def sentence_for_code(code: str) -> str:
    """The sentence for a refusal's code; without one, a sentence with the code, so that it can be looked up."""
    text = SENTENCES.get(code)
    if text is not None:
        return str(text)
    return gettext("This was refused (%(code)s); nothing was stored.") % {"code": code}


def sentence_with_place(code: str, row: int | None, column: str | None) -> str:
    """The sentence, preceded by its row and column as a spreadsheet program counts them."""
    if row is None:
        return sentence_for_code(code)
    return f"{cell_name(row, column)}: {sentence_for_code(code)}"


def cell_name(row: int, column: str | None) -> str:
    """A row of a list in words, with the letter of its column if there is one."""
    row_text = row_name(row)
    if column:
        return gettext("%(row)s, column %(column)s") % {"row": row_text, "column": column}
    return row_text


def row_name(row: int) -> str:
    """A row of a list in words, with its sheet unless that is the first."""
    sheet, number = split_row_number(row)
    if sheet == 1:
        return gettext("Row %(row)s") % {"row": number}
    return gettext("Sheet %(sheet)s, row %(row)s") % {"sheet": sheet, "row": number}


def row_names(rows: Sequence[int]) -> str:
    """Rows of a list in words; of many rows, the first ones and the number of the others."""
    listing = ", ".join(map(row_name, rows[:_ROWS_NAMED]))
    more = len(rows) - _ROWS_NAMED
    if more > 0:
        return gettext("%(rows)s and %(count)s more") % {"rows": listing, "count": more}
    return listing


def sentence_of(refusal: Refused) -> str:
    """The sentence for a refusal, with its place in the file if the refusal has one."""
    return sentence_with_place(refusal.code, getattr(refusal, "row", None), getattr(refusal, "letter", None))
