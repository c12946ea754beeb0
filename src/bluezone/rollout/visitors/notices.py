# SPDX-License-Identifier: Apache-2.0
"""Send the notice to a guest, or to many from a CSV or XLSX list: only with their yes, numbers never kept; rows go
after 30 days.
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
from bluezone.messaging.sms.destinations import DestinationInvalid, language_of, masked, read_destination
from bluezone.messaging.sms.models import OPEN_STATES, Purpose, State
from bluezone.messaging.sms.outbox import OnceFor, queue
from bluezone.messaging.sms.wording import arrival_notice
from bluezone.office_secrets import SealBroken, seal, unseal
from bluezone.refusal import Refused
from bluezone.rollout.visitors.models import Channel, Notice, NoticeDay
from bluezone.rollout.visitors.queries import House
from bluezone.training import practising
from bluezone.vietnamese.contact_cells import phone_of_number
from bluezone.vietnamese.spelling import fold

NOTICE = "arrival"


class ConsentMissing(Refused):
    """The guest was not asked, or did not say yes; nothing was queued."""

    code = "visitor_consent_missing"


@dataclass(frozen=True)
class Guest:
    """Whom to tell. phone: as typed. language: "vi", "en", or "" for what the number's prefix suggests."""

    phone: str
    language: str = ""
    consent: bool = False


@dataclass(frozen=True)
class ListSent:
    """What became of a list: queued, and by code how many were refused."""

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
    """Queue the notice for a list; who is refused is counted and holds nobody else up."""
    queued, refused = 0, dict[str, int]()
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
        message = queue(number, text, language, Purpose.ARRIVAL, once=once, now=now)
    return Notice.objects.create(
        house=house.key, unit_id=house.unit_id, channel=channel, language=language, consent=True, made_at=now,
        day=timezone.localdate(now), made_by=actor, message=message,
    )  # fmt: skip


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
        phone = phone_of_number(cell)
        return phone if phone.startswith("0") else f"+{phone}"
    return str(cell).strip() if cell is not None else ""


def _agreed(cell: Any) -> bool:
    return cell is True or fold(str(cell if cell is not None else "")).strip() in _YES


KEPT_DAYS = 30


def purge(now: datetime.datetime) -> None:
    """Count rows of days over 30 days ago into sums and delete them, a day at a time."""
    bound = timezone.localdate(now) - datetime.timedelta(days=KEPT_DAYS)
    days = list(Notice.objects.filter(day__lt=bound).values_list("day", flat=True).distinct().order_by("day"))
    for day in days:
        with transaction.atomic():
            rows = list(Notice.objects.select_for_update(of=("self",)).filter(day=day).select_related("message"))
            counts = Counter((row.house, row.unit_id, _end(row)) for row in rows)
            for (house, unit_id, state), count in counts.items():
                kept, _made = NoticeDay.objects.get_or_create(
                    house=house, unit_id=unit_id, day=day, state=state, defaults={"count": 0}
                )
                kept.count += count
                kept.save(update_fields=["count"])
            Notice.objects.filter(pk__in=[row.pk for row in rows]).delete()


def _end(row: Notice) -> State:
    """A row whose message was forgotten first, or never came to an end, is counted as not known."""
    return State.UNKNOWN if row.state is None or row.state in OPEN_STATES else row.state
