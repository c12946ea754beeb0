# SPDX-License-Identifier: Apache-2.0
"""The class link and its PIN: a school makes them and sees them once; only their keyed hashes are stored.

Link, PIN and teacher are purged when the school year is over.
"""

import datetime
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Case, DateTimeField, F, Q, Value, When
from django.utils import timezone

from bluezone.audit import hash_chain
from bluezone.directory.models import Agency
from bluezone.identity.models import User
from bluezone.office_secrets import keyed_digest
from bluezone.paper.phrases import facts
from bluezone.refusal import Refused
from bluezone.rollout.schools.models import SchoolClass
from bluezone.rollout.schools.school_calendar import year_of
from bluezone.vietnamese.typed import digits_typed

PIN_DIGITS = 6
# Five tries in a quarter of an hour and twenty in all: a guesser finds the PIN with a chance of 1 in 50,000.
TRIES_AT_ONCE = 5
MOST_TRIES = 20
LOCKED = datetime.timedelta(minutes=15)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16}")


class ClassPinWrong(Refused):
    """The PIN does not belong to this class link; nothing was stored."""

    code = "class_pin_wrong"


class ClassLinkLocked(Refused):
    """Too many wrong PINs. until: when a PIN is accepted again; None if never, so that the class needs a new link."""

    code = "class_link_locked"

    def __init__(self, until: datetime.datetime | None) -> None:
        advice = f", try again after {until:%H:%M} UTC" if until else ""
        super().__init__(f"too many wrong PINs{advice}")
        self.until = until


@dataclass(frozen=True)
class ClassLink:
    """The link and PIN of a class, to be printed once. address: on the public origin."""

    school_class: SchoolClass
    address: str
    pin: str

    @property
    def spoken_pin(self) -> str:
        """The PIN in groups of three digits."""
        return f"{self.pin[:3]} {self.pin[3:]}"


def issue_class_links(
    school: Agency, classes: Iterable[SchoolClass], by: User, now: datetime.datetime
) -> list[ClassLink]:
    """Make new links for classes of a school; the old ones open nothing from now on."""
    links = []
    with transaction.atomic():
        for school_class in classes:
            token = secrets.token_urlsafe(12)
            pin = "".join(secrets.choice("0123456789") for _ in range(PIN_DIGITS))
            school_class.link_digest = _link_digest(token)
            school_class.pin_digest = _pin_digest(school_class, pin)
            school_class.link_made_at = now
            school_class.wrong_tries = 0
            school_class.locked_until = None
            school_class.save(
                update_fields=["link_digest", "pin_digest", "link_made_at", "wrong_tries", "locked_until"]
            )
            links.append(ClassLink(school_class, link_address(token), pin))
        hash_chain.record(by.username, "class_links_made", school.key, now=now, classes=len(links))
    return links


def link_address(token: str) -> str:
    """The address of a class link on the public origin."""
    return f"{facts('vi').address}/c/{token}/"


def find_class(token: str, now: datetime.datetime) -> SchoolClass | None:
    """The class of a link, real or of training mode; None if the link is unknown or no longer valid."""
    if not _TOKEN.fullmatch(token):
        return None
    matches = SchoolClass.everything.filter(link_digest=_link_digest(token), ended_on=None)
    school_class = matches.select_related("school__unit").first()
    if school_class is None or school_class.year < year_of(timezone.localdate(now)):
        return None
    return school_class


def check_pin(school_class: SchoolClass, pin: str, now: datetime.datetime) -> None:
    """Check the PIN of a class link. Raises ClassPinWrong, or ClassLinkLocked whatever the PIN is.

    The try is counted before the PIN is compared, in one statement, so that simultaneous tries count separately.
    """
    digits = digits_typed(pin)
    accepts_tries = Q(wrong_tries__lt=MOST_TRIES) & (Q(locked_until__isnull=True) | Q(locked_until__lte=now))
    last_at_once = range(TRIES_AT_ONCE - 1, MOST_TRIES, TRIES_AT_ONCE)
    lock = When(wrong_tries__in=list(last_at_once), then=Value(now + LOCKED))
    counted = SchoolClass.everything.filter(accepts_tries, pk=school_class.pk).update(
        wrong_tries=F("wrong_tries") + 1,
        locked_until=Case(lock, default=Value(None), output_field=DateTimeField()),
    )
    if not counted:
        stored = SchoolClass.everything.get(pk=school_class.pk)
        raise ClassLinkLocked(stored.locked_until if stored.wrong_tries < MOST_TRIES else None)
    pin_digest = school_class.pin_digest
    if not pin_digest or not secrets.compare_digest(_pin_digest(school_class, digits), pin_digest):
        raise ClassPinWrong("the PIN does not belong to this link")
    SchoolClass.everything.filter(pk=school_class.pk).update(wrong_tries=0, locked_until=None)


def _link_digest(token: str) -> str:
    return keyed_digest("class link", token)


def _pin_digest(school_class: SchoolClass, pin: str) -> str:
    return keyed_digest(f"class pin {school_class.pk}", pin)


def purge(now: datetime.datetime) -> None:
    """Purge link, PIN and teacher of the classes of past years. `bluezone.training` erases rows of training mode."""
    past = SchoolClass.everything.filter(year__lt=year_of(timezone.localdate(now)))
    past.exclude(link_digest=None, pin_digest="", teacher=None).update(
        link_digest=None, pin_digest="", teacher=None, wrong_tries=0, locked_until=None
    )
