# SPDX-License-Identifier: Apache-2.0
"""Posters of a venue: the poster and table card as PDF, and counts without personal data (page openings, people at the
till).
"""

import datetime
import hashlib
import re
import secrets
from collections.abc import Mapping
from types import MappingProxyType

from django.db import connection, transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.utils import translation

from bluezone.devices.refusals import DeviceRefused
from bluezone.paper.pdf import write_pdf
from bluezone.paper.phrases import facts
from bluezone.paper.qr_codes import poster_qr
from bluezone.rollout.venues.models import PosterCode, ScanCount, TillCount, Venue, VenueState

# Millimetres, type sizes in points; the large code has a white margin of four modules.
_A4: Mapping[str, str] = MappingProxyType({
    "width": "210", "height": "297", "side": "16", "pad": "10", "head": "50", "title": "25", "text": "11",
    "code": "152", "code_left": "29", "code_top": "61", "foot": "72", "foot_pad": "6", "small": "27",
})  # fmt: skip
_A3: Mapping[str, str] = MappingProxyType({
    "width": "297", "height": "420", "side": "23", "pad": "14", "head": "70", "title": "36", "text": "15.5",
    "code": "215", "code_left": "41", "code_top": "86", "foot": "101", "foot_pad": "9", "small": "38",
})  # fmt: skip
PAPERS: Mapping[str, Mapping[str, str]] = MappingProxyType({"a4": _A4, "a3": _A3})
CARD_CODE_MM = 54


def poster_pdf(code: PosterCode, paper: str) -> bytes:
    """The poster at the door. paper: a key of PAPERS. Raises PdfUnavailable."""
    return _in_vietnamese("poster", {**_context(code), **PAPERS[paper]})


def card_pdf(code: PosterCode) -> bytes:
    """An A6 card for tables and the counter. Raises PdfUnavailable."""
    return _in_vietnamese("card", {**_context(code), "code_mm": CARD_CODE_MM})


def poster_link(code: PosterCode) -> str:
    """The address of the poster's own page."""
    return f"{facts('vi').address}/p/{code.short}"


def _in_vietnamese(name: str, context: dict[str, object]) -> bytes:
    """Render a sheet in Vietnamese in every language of the page; its text is in both languages."""
    with translation.override("vi"):
        return write_pdf(render_to_string(f"venues/print/{name}.html", context))


def _context(code: PosterCode) -> dict[str, object]:
    link = poster_link(code)
    return {
        "code_": code,
        "venue": code.venue,
        "city": facts("vi"),
        "qr": poster_qr(code.link),
        "small_qr": poster_qr(link),
        "address": link.partition("://")[2],
    }


MOST_PEOPLE = 20_000
_TABLET = re.compile(r"[0-9a-f]{16}")


class TillUnknown(DeviceRefused):
    """No till has this address (any more); nothing was stored."""

    code = "till_unknown"
    status = 404


class TillCountInvalid(DeviceRefused):
    """The body from the till is not a count of a day; nothing was stored."""

    code = "till_count_invalid"


def page_opened(code: PosterCode, day: datetime.date) -> None:
    """Count an opening of a poster's page on a local day."""
    if code.training:
        return
    changed = ScanCount.objects.filter(code=code, day=day).update(count=F("count") + 1)
    if not changed:
        with transaction.atomic():
            _count, created = ScanCount.objects.get_or_create(code=code, day=day, defaults={"count": 1})
        if not created:
            ScanCount.objects.filter(code=code, day=day).update(count=F("count") + 1)


def new_till(venue: Venue) -> str:
    """Make a token for the till's page; the previous one stops working. Shown once: only its SHA-256 is stored."""
    token = secrets.token_urlsafe(16)
    Venue.objects.filter(pk=venue.pk).update(till_digest=_digest(token))
    return token


def till_of(token: str) -> Venue | None:
    """The registered venue to which the till's page with this token belongs."""
    venues = Venue.everything.filter(till_digest=_digest(token), state=VenueState.APPROVED)
    return venues.select_related("unit").first()


def people_at_till(venue: Venue, tablet: str, day: datetime.date, people: int, today: datetime.date) -> int:
    """Store the count of a tablet for a day unless a larger one is stored; safe to repeat. Returns the day's sum.

    tablet: 16 hex digits. day: today or one of the six days before. Raises TillCountInvalid.
    """
    days_ago = (today - day).days
    if not _TABLET.fullmatch(tablet) or not 0 <= days_ago <= 6 or not 0 <= people <= MOST_PEOPLE:
        raise TillCountInvalid("expected a tablet's number, one of the last seven days and a count")
    if not venue.training:
        table = TillCount._meta.db_table
        sql = (
            f"INSERT INTO {table} (venue_id, tablet, day, people) VALUES (%s, %s, %s, %s)"  # noqa: S608 - our table
            " ON CONFLICT (venue_id, tablet, day) DO UPDATE SET people = excluded.people"
            f" WHERE excluded.people > {table}.people"
        )
        with connection.cursor() as cursor:
            cursor.execute(sql, [venue.pk, tablet, str(day), people])
    return sum(TillCount.objects.filter(venue=venue, day=day).values_list("people", flat=True))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
