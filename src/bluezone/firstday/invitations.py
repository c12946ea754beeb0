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

from bluezone.authority import account_acts, reach, two_persons
from bluezone.authority.models import WaitingAct
from bluezone.authority.people import accounts, people_lists
from bluezone.authority.people.people_views import invitation_text
from bluezone.directory.kinds import AgencyKind
from bluezone.directory.models import Agency
from bluezone.firstday.city_setup import DEMO_KEYS
from bluezone.identity import account_links
from bluezone.identity.models import Role, RoleGrant, User
from bluezone.messaging.email import outbox as email_outbox
from bluezone.messaging.sms import outbox as sms_outbox
from bluezone.messaging.sms.models import Purpose
from bluezone.refusal import Refused
from bluezone.vietnamese.spelling import fold

# A person with one of these roles for an agency, or for the unit that it serves, receives letters for it.
RECEIVING = (Role.CLERK, Role.LEAD, Role.OFFICER)
_SUFFIXES = {Role.CLERK: ".van-thu", Role.ISSUER: ".nguoi-ky"}
_LONGEST = 40 - len(".nguoi-ky") - len("-999")


@dataclass(frozen=True)
class Seat:
    """A role at an agency that needs a holder."""

    agency: Agency
    role: Role


@dataclass(frozen=True)
class Invitation:
    """An account with its one-time link. token: displayed once."""

    account: User
    seat: Seat
    token: str


@dataclass(frozen=True)
class Seats:
    """The seats of all valid agencies. empty: without a holder. waiting: with a holder who has not signed in yet."""

    count: int
    empty: list[Seat]
    waiting: list[tuple[Seat, User]]


def seats_on(today: datetime.date) -> Seats:
    """The seats of a day: a recipient at every agency, and a signatory at each committee that others answer to."""
    valid = Agency.objects.valid_on(today).exclude(key__startswith=DEMO_KEYS)
    agencies = list(valid.select_related("unit").order_by("path"))
    leading = {agency.parent_id for agency in agencies}
    grants = RoleGrant.objects.valid_on(today).filter(user__is_active=True, role__in=[*RECEIVING, Role.ISSUER])
    holders: dict[tuple[str, bool, int], User] = {}
    for grant in grants.select_related("user", "agency__unit", "unit").order_by("user__username"):
        kind = "signs" if grant.role == Role.ISSUER else "receives"
        if grant.scope is not None:
            holders[kind, grant.agency_id is not None, grant.agency_id or grant.unit_id or 0] = grant.user
    seats = [Seat(agency, Role.CLERK) for agency in agencies]
    seats += [
        Seat(agency, Role.ISSUER) for agency in agencies if agency.kind == AgencyKind.COMMITTEE and agency.pk in leading
    ]
    empty = []
    waiting = []
    for seat in seats:
        kind = "signs" if seat.role == Role.ISSUER else "receives"
        holder = holders.get((kind, True, seat.agency.pk)) or holders.get((kind, False, seat.agency.unit_id))
        if holder is None:
            empty.append(seat)
        elif not holder.has_usable_password():
            waiting.append((seat, holder))
    return Seats(len(seats), empty, waiting)


def invite(actor: str, seats: Iterable[Seat], now: datetime.datetime) -> list[Invitation]:
    """Make an account for each seat; its holder enters their name when they open the link.

    Returns invitations for roles that one person may grant; a signatory's link takes a second person.
    """
    usernames = set(User.objects.values_list("username", flat=True))
    invited = []
    with transaction.atomic():
        for seat in seats:
            username = _free_name(seat, usernames)
            account = accounts.create_account(
                actor, username, "", seat.agency.name[:120], seat.role, now, within=seat.agency
            )
            if seat.role not in reach.TAKING_TWO:
                invited.append(Invitation(account, seat, account_links.issue_account_link(actor, account, now)))
    return invited


def renew_links(actor: str, waiting: Iterable[tuple[Seat, User]], now: datetime.datetime) -> list[Invitation]:
    """Make a new link for each holder who has not signed in and may get one from one person; revokes earlier links."""
    with transaction.atomic():
        return [
            Invitation(account, seat, account_links.issue_account_link(actor, account, now))
            for seat, account in waiting
            if not account_acts.needs_two_people(account)
        ]


def request_links(by: User, now: datetime.datetime) -> list[WaitingAct]:
    """Ask a second person to confirm links for holders who have not signed in, have no valid link, and may not get one
    from one person alone.
    """
    waiting = [account for _seat, account in seats_on(timezone.localdate(now)).waiting]
    return [
        two_persons.request_act("account-linked", by, {"account": account.pk}, now)
        for account in waiting
        if account_acts.needs_two_people(account) and not account.links.filter(expires_at__gt=now).exists()
    ]


def invite_everybody(actor: str, now: datetime.datetime) -> list[Invitation]:
    """Make an account for every empty seat, and a new link for all who have not signed in yet, except signatories."""
    seats = seats_on(timezone.localdate(now))
    return [*invite(actor, seats.empty, now), *renew_links(actor, seats.waiting, now)]


@dataclass(frozen=True)
class InvitationsSent:
    """How many invitations were sent by mail and by text message, and who could not be reached."""

    mailed: int
    texted: int
    unreached: list[User]


def invite_by_message(
    by: User, accounts: Iterable[User], address: Callable[[str], str], now: datetime.datetime
) -> InvitationsSent:
    """Send each of these people a new one-time link by mail, otherwise by text message.

    accounts: people that `by` may invite. address: token of a link -> address of its page. Telephone and e-mail come
    from the lists that `by` uploaded within the last day. A person with neither keeps the earlier link.
    """
    reach = people_lists.contact_details(by)
    mailed = texted = 0
    unreached = []
    for account in accounts:
        phone, email = reach.get(account.username, ["", ""])
        try:
            with transaction.atomic():
                link = address(account_links.issue_account_link(by.username, account, now))
                if email and settings.SMTP is not None:
                    email_outbox.queue_mail(
                        email, _("Bluezone: your account of the office"), invitation_text(account, link), now=now
                    )
                    mailed += 1
                else:
                    hours = int(account_links.LINK_LIFE.total_seconds() // 3600)
                    text = _("Bluezone: your account. Open in a browser, once, within %(hours)d hours: %(link)s")
                    sms_text = text % {"hours": hours, "link": link}
                    sms_outbox.queue_sms(phone, sms_text, get_language() or "vi", Purpose.CODE, now=now)
                    texted += 1
        except Refused:
            unreached.append(account)
    return InvitationsSent(mailed, texted, unreached)


def _free_name(seat: Seat, usernames: set[str]) -> str:
    words = seat.agency.short_name or seat.agency.name
    base = re.sub(r"[^a-z0-9]+", "-", fold(words)).strip("-")[:_LONGEST].strip("-").rjust(3, "x")
    ending = _SUFFIXES[seat.role] if seat.agency.kind == AgencyKind.COMMITTEE else ""
    name = f"{base}{ending}"
    number = 1
    while name in usernames:
        number += 1
        name = f"{base}-{number}{ending}"
    usernames.add(name)
    return name
