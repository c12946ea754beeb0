# SPDX-License-Identifier: Apache-2.0
"""The page at a venue's till: its address, and its counts of people, which contain no personal data."""

import datetime
import hashlib
import re
import secrets

from django.db import connection

from bluezone.devices.refusals import DeviceRefused
from bluezone.rollout.venues.models import TillCount, Venue, VenueState

MOST_PEOPLE = 20_000
_TABLET = re.compile(r"[0-9a-f]{16}")


class TillUnknown(DeviceRefused):
    """The address belongs to no till, or is no longer valid; nothing was stored."""

    code = "till_unknown"
    status = 404


class TillCountInvalid(DeviceRefused):
    """The body from the till is not a count of a day; nothing was stored."""

    code = "till_count_invalid"


def issue_till_token(venue: Venue) -> str:
    """Issue a token for the till's page; the previous token becomes invalid. Only its SHA-256 is stored."""
    token = secrets.token_urlsafe(16)
    Venue.objects.filter(pk=venue.pk).update(till_digest=_digest(token))
    return token


def venue_of_till(token: str) -> Venue | None:
    """The registered venue of the till with this token, None if the token is not valid."""
    venues = Venue.everything.filter(till_digest=_digest(token), state=VenueState.APPROVED)
    return venues.select_related("unit").first()


def store_till_count(venue: Venue, tablet: str, day: datetime.date, people: int, today: datetime.date) -> int:
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
