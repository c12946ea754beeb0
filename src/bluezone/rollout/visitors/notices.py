# SPDX-License-Identifier: Apache-2.0
"""Queue the arrival notice for one guest, or for a CSV or XLSX list of guests, only with their consent.

Telephone numbers are not stored here. Rows are deleted after 30 days, and only daily sums remain.
"""

import base64
import datetime
import json
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any, BinaryIO

from django.db import transaction
from django.utils import timezone

from bluezone.audit.hash_chain import record
from bluezone.directory.imports.headings import Column
from bluezone.directory.imports.tables import read_table
from bluezone.messaging.present_city import present_city
from bluezone.messaging.sms.destinations import DestinationInvalid, language_of, mask, read_destination
from bluezone.messaging.sms.models import OPEN_STATES, Purpose, State
from bluezone.messaging.sms.outbox import OnceFor, queue_sms
from bluezone.messaging.sms.wording import arrival_notice
from bluezone.office_secrets import SealBroken, seal, unseal
from bluezone.refusal import Refused
from bluezone.rollout.visitors.models import Channel, Notice, NoticeDay
from bluezone.rollout.visitors.queries import House
from bluezone.training import practising
from bluezone.vietnamese.contact_cells import phone_of_number
from bluezone.vietnamese.spelling import fold

NOTICE = "arrival"
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
KEPT_DAYS = 30


class ConsentMissing(Refused):
    """The guest has not given consent; nothing was queued."""

    code = "visitor_consent_missing"


@dataclass(frozen=True)
class Guest:
    """A guest to notify. phone: as typed. language: "vi", "en", or "" to choose by the prefix of the number."""

    phone: str
    language: str = ""
    consent: bool = False


@dataclass(frozen=True)
class ListSent:
    """The result of sending to a list. queued: how many notices. refused: how many rows, by code of the refusal."""

    queued: int
    refused: dict[str, int]


def send_notice(actor: str, house: House, guest: Guest, now: datetime.datetime) -> Notice:
    """Queue the notice for one guest at the desk.

    Raises ConsentMissing, DestinationInvalid, SmsNotSet, SmsAlreadySent, SmsOptedOut, BudgetSpent; nothing is stored.
    """
    with transaction.atomic():
        notice = _send(actor, house, guest, Channel.DESK, now)
        record(actor, "visitor_told", house.audited)
    return notice


def send_notices(actor: str, house: House, guests: list[Guest], now: datetime.datetime) -> ListSent:
    """Queue the notice for a list. A refused guest is counted and does not stop the others."""
    queued = 0
    refused: dict[str, int] = {}
    for guest in guests:
        try:
            with transaction.atomic():
                _send(actor, house, guest, Channel.LIST, now)
        except Refused as refusal:
            refused[refusal.code] = refused.get(refusal.code, 0) + 1
        else:
            queued += 1
    record(actor, "visitors_listed", house.audited, queued=queued, refused=sum(refused.values()))
    return ListSent(queued, refused)


def _send(actor: str, house: House, guest: Guest, channel: Channel, now: datetime.datetime) -> Notice:
    if not guest.consent:
        raise ConsentMissing("the guest has not said yes; nothing was queued")
    number = read_destination(guest.phone)
    language = guest.language or language_of(number)
    message = None
    if not practising():
        city = present_city()
        text = arrival_notice(city, language).measured.text
        once = OnceFor(NOTICE, city.sms_stay_days)
        message = queue_sms(number, text, language, Purpose.ARRIVAL, once=once, now=now)
    return Notice.objects.create(
        house=house.key, unit_id=house.unit_id, channel=channel, language=language, consent=True, made_at=now,
        day=timezone.localdate(now), made_by=actor, message=message,
    )  # fmt: skip


class ListTooLong(Refused):
    """The list has more than MOST_ROWS rows; nothing was queued."""

    code = "visitor_list_too_long"


class ListExpired(Refused):
    """The preview is too old, or belongs to another account; nothing was queued."""

    code = "visitor_list_expired"


@dataclass(frozen=True)
class ListRow:
    """One row of the preview. masked_phone: made by `mask`. refusal: "" if a notice can be sent."""

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
    """Parse a list; a row that gets no notice says why in `refusal`. Raises ListTooLong and as `read_table` does."""
    table = read_table(source, COLUMNS).without_conversion()
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
            elif not _agreed(row.cells.get("consent")):
                refusal = "consent"
            language = language or language_of(number)
        if not refusal:
            seen.add(number)
            guests.append(Guest(number, language, consent=True))
        rows.append(ListRow(row.number, masked_number, language, refusal))
    return ReadList(rows, guests)


def seal_list(guests: list[Guest], actor: str, house: str) -> str:
    """Encrypt the guests for the form of the preview; only this server can open it, for the same account and house."""
    content = json.dumps([int(time.time()), [[guest.phone, guest.language] for guest in guests]]).encode()
    return base64.urlsafe_b64encode(seal(content, f"visitor list {actor} {house}")).decode()


def open_list(text: str, actor: str, house: str) -> list[Guest]:
    """Open a list that `seal_list` made. Raises ListExpired."""
    expired = ListExpired("the preview is over a quarter of an hour old; read the list in again")
    try:
        made, guests = json.loads(unseal(base64.urlsafe_b64decode(text), f"visitor list {actor} {house}"))
    except (SealBroken, ValueError):
        raise expired from None
    if time.time() - made > KEPT_SECONDS:
        raise expired
    return [Guest(phone, language, consent=True) for phone, language in guests]


def _phone_text(cell: Any) -> str:
    """The text of a phone cell. Spreadsheet programs drop the leading zero or plus of a number; it is put back."""
    if isinstance(cell, int) and not isinstance(cell, bool):
        phone = phone_of_number(cell)
        return phone if phone.startswith("0") else f"+{phone}"
    return _text(cell).strip()


def _agreed(cell: Any) -> bool:
    return cell is True or fold(_text(cell)).strip() in _YES


def _text(cell: Any) -> str:
    return "" if cell is None else str(cell)


def purge(now: datetime.datetime) -> None:
    """Add the rows of days more than 30 days ago to the daily sums and delete them, one day in each transaction."""
    bound = timezone.localdate(now) - datetime.timedelta(days=KEPT_DAYS)
    days = list(Notice.objects.filter(day__lt=bound).values_list("day", flat=True).distinct().order_by("day"))
    for day in days:
        with transaction.atomic():
            rows = list(Notice.objects.select_for_update(of=("self",)).filter(day=day).select_related("message"))
            counts = Counter((row.house, row.unit_id, _final_state(row)) for row in rows)
            for (house, unit_id, state), count in counts.items():
                notice_day, _created = NoticeDay.objects.get_or_create(
                    house=house, unit_id=unit_id, day=day, state=state, defaults={"count": 0}
                )
                notice_day.count += count
                notice_day.save(update_fields=["count"])
            Notice.objects.filter(pk__in=[row.pk for row in rows]).delete()


def _final_state(row: Notice) -> State:
    """The state of a row for the sums: unknown if the message was purged first, or is still open."""
    if row.state is None or row.state in OPEN_STATES:
        return State.UNKNOWN
    return row.state
