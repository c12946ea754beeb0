# SPDX-License-Identifier: Apache-2.0
"""An account for every agency that has none, in one act, each with a one-time link for a slip of paper."""

import datetime
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from bluezone.authority import account_acts, people_lists, role_grants, two_persons
from bluezone.authority.models import WaitingAct
from bluezone.authority.people_views import invitation_text
from bluezone.directory.kinds import AgencyKind
from bluezone.directory.models import Agency
from bluezone.firstday.city_setup import DEMO_KEYS
from bluezone.identity import signin
from bluezone.identity.models import Role, RoleGrant, User
from bluezone.messaging.email import outbox as email_outbox
from bluezone.messaging.sms import outbox as sms_outbox
from bluezone.messaging.sms.models import Purpose
from bluezone.refusal import Refused
from bluezone.vietnamese.spelling import fold

# Whoever holds one of these for an agency, or for the unit that it serves, receives letters for it.
RECEIVING = (Role.CLERK, Role.LEAD, Role.OFFICER)
_SUFFIXES = {Role.CLERK: ".van-thu", Role.ISSUER: ".nguoi-ky"}
_LONGEST = 40 - len(".nguoi-ky") - len("-999")


@dataclass(frozen=True)
class Seat:
    """A role at an agency that somebody has to hold."""

    agency: Agency
    role: Role


@dataclass(frozen=True)
class Invitation:
    """An account with its one-time link. token: shown once."""

    account: User
    seat: Seat
    token: str


@dataclass(frozen=True)
class Seats:
    """The seats of all agencies in force: how many there are, which are empty, and whose holder has not come in yet."""

    count: int
    empty: list[Seat]
    waiting: list[tuple[Seat, User]]


def seats_on(today: datetime.date) -> Seats:
    """One who receives for every agency, and one who signs at each committee that others answer to."""
    of_a_city = Agency.objects.in_force(today).exclude(key__startswith=DEMO_KEYS)
    agencies = list(of_a_city.select_related("unit").order_by("path"))
    leading = {agency.parent_id for agency in agencies}
    held = RoleGrant.objects.in_force(today).filter(user__is_active=True, role__in=[*RECEIVING, Role.ISSUER])
    holders: dict[tuple[str, bool, int], User] = {}
    for grant in held.select_related("user", "agency__unit", "unit").order_by("user__username"):
        kind = "signs" if grant.role == Role.ISSUER else "receives"
        if grant.scope is not None:
            holders[kind, grant.agency_id is not None, grant.agency_id or grant.unit_id or 0] = grant.user
    wanted = [Seat(agency, Role.CLERK) for agency in agencies]
    wanted += [
        Seat(agency, Role.ISSUER) for agency in agencies if agency.kind == AgencyKind.COMMITTEE and agency.pk in leading
    ]
    empty, waiting = [], []
    for seat in wanted:
        kind = "signs" if seat.role == Role.ISSUER else "receives"
        holder = holders.get((kind, True, seat.agency.pk)) or holders.get((kind, False, seat.agency.unit_id))
        if holder is None:
            empty.append(seat)
        elif not holder.has_usable_password():
            waiting.append((seat, holder))
    return Seats(len(wanted), empty, waiting)


def invite(actor: str, seats: Iterable[Seat], now: datetime.datetime) -> list[Invitation]:
    """Make an account for each seat; the person writes the own name when the link is opened.

    Only seats whose role one person may give have an invitation: a signatory's link takes a second person.
    """
    taken = set(User.objects.values_list("username", flat=True))
    made = []
    with transaction.atomic():
        for seat in seats:
            username = _free_name(seat, taken)
            account = role_grants.enter_account(
                actor, username, "", seat.agency.name[:120], seat.role, now, within=seat.agency
            )
            if seat.role not in role_grants.TAKING_TWO:
                made.append(Invitation(account, seat, signin.make_link(actor, account, now)))
    return made


def link_anew(actor: str, waiting: Iterable[tuple[Seat, User]], now: datetime.datetime) -> list[Invitation]:
    """A new link for everybody who has not come in yet and may have one from one person; earlier ones stop working."""
    with transaction.atomic():
        return [
            Invitation(account, seat, signin.make_link(actor, account, now))
            for seat, account in waiting
            if not account_acts.is_weighty(account)
        ]


def ask_for_links(by: User, now: datetime.datetime) -> list[WaitingAct]:
    """Ask a second person for the links of those who have not come in, have none that works, and may not have one from
    one person alone.
    """
    waiting = [account for _seat, account in seats_on(timezone.localdate(now)).waiting]
    return [
        two_persons.ask("account-linked", by, {"account": account.pk}, now)
        for account in waiting
        if account_acts.is_weighty(account) and not account.links.filter(expires_at__gt=now).exists()
    ]


def invite_everybody(actor: str, now: datetime.datetime) -> list[Invitation]:
    """An account for every empty seat, and a new link for everybody who has not come in yet, but for signatories."""
    seats = seats_on(timezone.localdate(now))
    return [*invite(actor, seats.empty, now), *link_anew(actor, seats.waiting, now)]


@dataclass(frozen=True)
class Sent:
    """How many invitations went by mail and by text message, and to whom none could go."""

    mailed: int
    texted: int
    unreached: list[User]


def invite_by_message(
    by: User, accounts: Iterable[User], address: Callable[[str], str], now: datetime.datetime
) -> Sent:
    """Send each of these people a new one-time link by mail, else by text message.

    accounts: whom `by` may invite. address: of the page behind a link's token. Telephone and e-mail are those of the
    lists that `by` sent in within the last day. Who has neither keeps the earlier link.
    """
    reach = people_lists.reach_of(by)
    mailed = texted = 0
    unreached = []
    for account in accounts:
        phone, email = reach.get(account.username, ["", ""])
        try:
            with transaction.atomic():
                link = address(signin.make_link(by.username, account, now))
                if email and settings.SMTP is not None:
                    email_outbox.send(
                        email, _("Bluezone: your account of the office"), invitation_text(account, link), now=now
                    )
                    mailed += 1
                else:
                    hours = int(signin.LINK_LIFE.total_seconds() // 3600)
                    text = _("Bluezone: your account. Open in a browser, once, within %(hours)d hours: %(link)s")
                    said = text % {"hours": hours, "link": link}
                    sms_outbox.queue(phone, said, get_language() or "vi", Purpose.CODE, now=now)
                    texted += 1
        except Refused:
            unreached.append(account)
    return Sent(mailed, texted, unreached)


def _free_name(seat: Seat, taken: set[str]) -> str:
    said = seat.agency.short_name or seat.agency.name
    base = re.sub(r"[^a-z0-9]+", "-", fold(said)).strip("-")[:_LONGEST].strip("-").rjust(3, "x")
    ending = _SUFFIXES[seat.role] if seat.agency.kind == AgencyKind.COMMITTEE else ""
    name, number = f"{base}{ending}", 1
    while name in taken:
        number += 1
        name = f"{base}-{number}{ending}"
    taken.add(name)
    return name
