# SPDX-License-Identifier: Apache-2.0
"""Lists of guests in CSV or XLSX: parse a list, and seal it into the form of the preview until the desk sends it."""

import base64
import json
import time
from dataclasses import dataclass
from typing import Any, BinaryIO

from bluezone.directory.imports.heading_rows import Column
from bluezone.directory.imports.tables import read_table
from bluezone.messaging.sms.destinations import DestinationInvalid, language_of, mask, read_destination
from bluezone.office_secrets import SealBroken, seal, unseal
from bluezone.refusal import Refused
from bluezone.rollout.visitors.notices import Guest
from bluezone.vietnamese.contact_cells import phone_of_number
from bluezone.vietnamese.spelling import fold

MOST_ROWS = 500
PREVIEW_SECONDS = 900
LIST_COLUMNS = (
    Column("phone", ("Số điện thoại", "Điện thoại", "SĐT", "Di động", "Phone", "Mobile", "Telephone"), required=True),
    Column("consent", ("Đồng ý", "Đồng ý nhận tin", "Consent", "Agreed"), required=True),
    Column("language", ("Ngôn ngữ", "Tiếng", "Language")),
)
_YES = {"x", "co", "dong y", "yes", "y", "1", "true", "v", "✓", "✔"}
_LANGUAGES = {"vi": "vi", "viet": "vi", "tieng viet": "vi", "vietnamese": "vi", "en": "en", "anh": "en",
              "tieng anh": "en", "english": "en"}  # fmt: skip


class ListTooLong(Refused):
    """The list has more than MOST_ROWS rows; nothing was queued."""

    code = "visitor_list_too_long"


class ListExpired(Refused):
    """The preview is too old, or was not made here for this account and house; nothing was queued."""

    code = "visitor_list_expired"


@dataclass(frozen=True)
class ListRow:
    """One row of the preview. masked_phone: as `mask` shows it. refusal: a key of views.ROWS, "" if it can be sent."""

    number: int
    masked_phone: str
    language: str
    refusal: str


@dataclass(frozen=True)
class ReadList:
    """A parsed list: the rows of the preview, and the guests who can be notified."""

    rows: list[ListRow]
    guests: list[Guest]


def read_list(source: BinaryIO) -> ReadList:
    """Parse a list; a row that gets no notice has the reason in `refusal`.

    Raises ListTooLong, and what `read_table` raises.
    """
    table = read_table(source, LIST_COLUMNS).without_conversion()
    if len(table.rows) > MOST_ROWS:
        raise ListTooLong(f"the list has {len(table.rows)} rows, expected at most {MOST_ROWS}; send it in parts")
    rows = []
    guests = []
    seen: set[str] = set()
    for row in table.rows:
        typed = _phone_text(row.cells.get("phone"))
        language = _LANGUAGES.get(fold(str(row.cells.get("language") or "")).strip(), "")
        masked_number = "•" * 6
        refusal = ""
        number = ""
        try:
            number = read_destination(typed)
        except DestinationInvalid:
            refusal = "number" if typed else "empty"
        else:
            masked_number = mask(number)
            if number in seen:
                refusal = "twice"
            elif not _is_consent(row.cells.get("consent")):
                refusal = "consent"
            language = language or language_of(number)
        if not refusal:
            seen.add(number)
            guests.append(Guest(number, language, consent=True))
        rows.append(ListRow(row.number, masked_number, language, refusal))
    return ReadList(rows, guests)


def seal_list(guests: list[Guest], actor: str, house: str) -> str:
    """Seal the guests for the form of the preview; only this server can open them, for the same account and house."""
    content = json.dumps([int(time.time()), [[guest.phone, guest.language] for guest in guests]]).encode()
    return base64.urlsafe_b64encode(seal(content, f"visitor list {actor} {house}")).decode()


def open_list(text: str, actor: str, house: str) -> list[Guest]:
    """Open a list that `seal_list` made for this account and house at most PREVIEW_SECONDS ago. Raises ListExpired."""
    try:
        made, guests = json.loads(unseal(base64.urlsafe_b64decode(text), f"visitor list {actor} {house}"))
    except (SealBroken, ValueError):
        raise ListExpired("the preview was not made here for this account and house; choose the file again") from None
    if time.time() - made > PREVIEW_SECONDS:
        raise ListExpired("the preview is over a quarter of an hour old; choose the file again")
    return [Guest(phone, language, consent=True) for phone, language in guests]


def _phone_text(cell: Any) -> str:
    """The text of a phone cell, with the leading zero or plus that spreadsheet programs drop from numbers."""
    if isinstance(cell, int) and not isinstance(cell, bool):
        phone = phone_of_number(cell)
        return phone if phone.startswith("0") else f"+{phone}"
    return _cell_text(cell).strip()


def _is_consent(cell: Any) -> bool:
    return cell is True or fold(_cell_text(cell)).strip() in _YES


def _cell_text(cell: Any) -> str:
    if cell is None:
        return ""
    return str(cell)
