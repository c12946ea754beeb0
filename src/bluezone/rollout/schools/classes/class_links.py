# SPDX-License-Identifier: Apache-2.0
"""The class link and its PIN: made by the school, shown once, stored as keyed hashes; forgotten with the teacher when
the school year is over.
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
# With five tries in a quarter of an hour and twenty in all, one in fifty thousand guesses right.
TRIES_AT_ONCE = 5
MOST_TRIES = 20
LOCKED = datetime.timedelta(minutes=15)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16}")


class ClassPinWrong(Refused):
    """The PIN is not the one of this class link; nothing was stored."""

    code = "class_pin_wrong"


class ClassLinkLocked(Refused):
    """Too many wrong PINs; `until` says when the next is looked at, None when only a new link helps."""

    code = "class_link_locked"

    def __init__(self, until: datetime.datetime | None) -> None:
        super().__init__("too many wrong PINs" + (f", try again after {until:%H:%M} UTC" if until else ""))
        self.until = until


@dataclass(frozen=True)
class ClassLink:
    """What is printed once for a class. address: on the public origin."""

    school_class: SchoolClass
    address: str
    pin: str

    @property
    def spoken_pin(self) -> str:
        """The PIN in threes."""
        return f"{self.pin[:3]} {self.pin[3:]}"


def make(school: Agency, classes: Iterable[SchoolClass], by: User, now: datetime.datetime) -> list[ClassLink]:
    """New links for classes of a school; the old ones open nothing from now on."""
    made = []
    with transaction.atomic():
        for one in classes:
            token = secrets.token_urlsafe(12)
            pin = "".join(secrets.choice("0123456789") for _ in range(PIN_DIGITS))
            one.link_digest, one.pin_digest = _link(token), _pin(one, pin)
            one.link_made_at, one.wrong_tries, one.locked_until = now, 0, None
            one.save(update_fields=["link_digest", "pin_digest", "link_made_at", "wrong_tries", "locked_until"])
            made.append(ClassLink(one, address_of(token), pin))
        hash_chain.record(by.username, "class_links_made", school.key, now=now, classes=len(made))
    return made


def address_of(token: str) -> str:
    """The address of a class link on the public origin."""
    return f"{facts('vi').address}/c/{token}/"


def find(token: str, now: datetime.datetime) -> SchoolClass | None:
    """The class of a link, practice or real; None where it opens nothing (any more)."""
    if not _TOKEN.fullmatch(token):
        return None
    found = SchoolClass.everything.filter(link_digest=_link(token), ended_on=None)
    one = found.select_related("school__unit").first()
    return one if one is not None and one.year >= year_of(timezone.localdate(now)) else None


def check_pin(one: SchoolClass, pin: str, now: datetime.datetime) -> None:
    """Go on only with the right PIN. Raises ClassLinkLocked before it is looked at, ClassPinWrong.

    The try is counted before the PIN is compared, in one statement, so that many at once are not counted as one.
    """
    digits = digits_typed(pin)
    looked_at = Q(wrong_tries__lt=MOST_TRIES) & (Q(locked_until__isnull=True) | Q(locked_until__lte=now))
    last_at_once = range(TRIES_AT_ONCE - 1, MOST_TRIES, TRIES_AT_ONCE)
    locked = When(wrong_tries__in=list(last_at_once), then=Value(now + LOCKED))
    counted = SchoolClass.everything.filter(looked_at, pk=one.pk).update(
        wrong_tries=F("wrong_tries") + 1,
        locked_until=Case(locked, default=Value(None), output_field=DateTimeField()),
    )
    if not counted:
        held = SchoolClass.everything.get(pk=one.pk)
        raise ClassLinkLocked(held.locked_until if held.wrong_tries < MOST_TRIES else None)
    if not one.pin_digest or not secrets.compare_digest(_pin(one, digits), one.pin_digest):
        raise ClassPinWrong("the PIN is not the one of this link")
    SchoolClass.everything.filter(pk=one.pk).update(wrong_tries=0, locked_until=None)


def _link(token: str) -> str:
    return keyed_digest("class link", token)


def _pin(one: SchoolClass, pin: str) -> str:
    return keyed_digest(f"class pin {one.pk}", pin)


def purge(now: datetime.datetime) -> None:
    """Forget link, PIN and teacher of classes of past years; training is erased by bluezone.training."""
    past = SchoolClass.everything.filter(year__lt=year_of(timezone.localdate(now)))
    past.exclude(link_digest=None, pin_digest="", teacher=None).update(
        link_digest=None, pin_digest="", teacher=None, wrong_tries=0, locked_until=None
    )
