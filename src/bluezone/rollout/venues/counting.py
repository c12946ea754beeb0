# SPDX-License-Identifier: Apache-2.0
"""Counts without anybody in them: a poster's page opened, people at a till."""

import datetime
import hashlib
import re
import secrets

from django.db import connection, transaction
from django.db.models import F

from bluezone.devices.refusing import DeviceRefused
from bluezone.rollout.venues.models import PosterCode, ScanCount, TillCount, Venue, VenueState

MOST_PEOPLE = 20_000
_TABLET = re.compile(r"[0-9a-f]{16}")


class TillUnknown(DeviceRefused):
    """No till has this address now; nothing was stored."""

    code = "till_unknown"
    status = 404


class TillCountInvalid(DeviceRefused):
    """What the till said is no count of a day; nothing was stored."""

    code = "till_count_invalid"


def page_opened(code: PosterCode, day: datetime.date) -> None:
    """One more opening of a poster's page on a local day."""
    if code.training:
        return
    changed = ScanCount.objects.filter(code=code, day=day).update(count=F("count") + 1)
    if not changed:
        with transaction.atomic():
            _found, made = ScanCount.objects.get_or_create(code=code, day=day, defaults={"count": 1})
        if not made:
            ScanCount.objects.filter(code=code, day=day).update(count=F("count") + 1)


def new_till(venue: Venue) -> str:
    """A token for the till's page; the one before stops working. Shown once: only its SHA-256 is stored."""
    token = secrets.token_urlsafe(16)
    Venue.objects.filter(pk=venue.pk).update(till_digest=_digest(token))
    return token


def till_of(token: str) -> Venue | None:
    """The registered venue whose till's page this is."""
    found = Venue.everything.filter(till_digest=_digest(token), state=VenueState.APPROVED)
    return found.select_related("unit").first()


def people_at_till(venue: Venue, tablet: str, day: datetime.date, people: int, today: datetime.date) -> int:
    """Keep the larger of the stored and the told number of a tablet's day; safe to repeat. Returns the day's sum.

    tablet: 16 hex digits. day: today or one of the six days before. Raises TillCountInvalid.
    """
    past = (today - day).days
    if not _TABLET.fullmatch(tablet) or not 0 <= past <= 6 or not 0 <= people <= MOST_PEOPLE:
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
