# SPDX-License-Identifier: Apache-2.0
"""The list of guests of a house, as CSV or XLSX: read, shown with its numbers masked, and kept nowhere in between.

What was read travels to the confirming click in the page itself, sealed under the office's key for 15 minutes.
"""

import base64
import json
import time
from dataclasses import dataclass
from typing import Any, BinaryIO

from bluezone.accounts.sealing import SealBroken, seal, unseal
from bluezone.agencies.folding import fold
from bluezone.agencies.headings import Column
from bluezone.agencies.spreadsheets import read_table
from bluezone.messaging.sms.destinations import DestinationInvalid, language_of, masked, read_destination
from bluezone.refusal import Refused
from bluezone.rollout.visitors.telling import Guest

MOST_ROWS = 500
KEPT_SECONDS = 900
COLUMNS = (
    Column("phone", ("Số điện thoại", "Điện thoại", "SĐT", "Di động", "Phone", "Mobile", "Telephone"), required=True),
    Column("consent", ("Đồng ý", "Đồng ý nhận tin", "Consent", "Agreed"), required=True),
    Column("language", ("Ngôn ngữ", "Tiếng", "Language")),
)
_YES = {"x", "co", "dong y", "yes", "y", "1", "true", "v", "✓", "✔"}
_LANGUAGES = {"vi": "vi", "viet": "vi", "tieng viet": "vi", "vietnamese": "vi", "en": "en", "anh": "en",
              "tieng anh": "en", "english": "en"}  # fmt: skip


class ListTooLong(Refused):
    """A list has more rows than are taken at once; nothing was queued."""

    code = "visitor_list_too_long"


class ListExpired(Refused):
    """The preview was left open too long, or belongs to another account; nothing was queued."""

    code = "visitor_list_expired"


@dataclass(frozen=True)
class ListRow:
    """One row as shown. shown: the number but for its last two digits. refusal: "" where it may be sent."""

    number: int
    shown: str
    language: str
    refusal: str


@dataclass(frozen=True)
class ReadList:
    """A list as read: what is shown of each row, and the guests who may be told."""

    rows: list[ListRow]
    guests: list[Guest]


def read_list(source: BinaryIO) -> ReadList:
    """Read a list; a row that cannot be sent says why. Raises ListTooLong and what `read_table` raises."""
    table = read_table(source, COLUMNS).left_as_is()
    if len(table.rows) > MOST_ROWS:
        raise ListTooLong(f"the list has {len(table.rows)} rows, expected at most {MOST_ROWS}; send it in parts")
    rows, guests, seen = [], [], set[str]()
    for row in table.rows:
        typed = _typed(row.cells.get("phone"))
        language = _LANGUAGES.get(fold(str(row.cells.get("language") or "")).strip(), "")
        shown, refusal, number = "•" * 6, "", ""
        try:
            number = read_destination(typed)
        except DestinationInvalid:
            refusal = "number" if typed else "empty"
        else:
            shown = masked(number)
            if number in seen:
                refusal = "twice"
            elif not _agreed(row.cells.get("consent")):
                refusal = "consent"
        if not refusal:
            seen.add(number)
            guests.append(Guest(number, language or language_of(number), consent=True))
        rows.append(ListRow(row.number, shown, language or (language_of(number) if number else ""), refusal))
    return ReadList(rows, guests)


def sealed_list(guests: list[Guest], actor: str, house: str) -> str:
    """The guests for the confirming click, readable by this server for this account and house alone."""
    content = json.dumps([int(time.time()), [[guest.phone, guest.language] for guest in guests]]).encode()
    return base64.urlsafe_b64encode(seal(content, f"visitor list {actor} {house}")).decode()


def opened_list(text: str, actor: str, house: str) -> list[Guest]:
    """The guests again. Raises ListExpired."""
    expired = ListExpired("the preview is over a quarter of an hour old; read the list in again")
    try:
        made, guests = json.loads(unseal(base64.urlsafe_b64decode(text), f"visitor list {actor} {house}"))
    except (SealBroken, ValueError):
        raise expired from None
    if time.time() - made > KEPT_SECONDS:
        raise expired
    return [Guest(phone, language, consent=True) for phone, language in guests]


def _typed(cell: Any) -> str:
    """A number cell has lost its leading zero or plus: spreadsheet programs do that to telephone numbers."""
    if isinstance(cell, int) and not isinstance(cell, bool):
        digits = str(cell)
        return f"0{digits}" if len(digits) == 9 else f"+{digits}"
    return str(cell).strip() if cell is not None else ""


def _agreed(cell: Any) -> bool:
    return cell is True or fold(str(cell if cell is not None else "")).strip() in _YES
