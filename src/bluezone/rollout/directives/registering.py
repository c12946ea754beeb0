# SPDX-License-Identifier: Apache-2.0
"""The registers of documents in and out of an agency, from what is stored."""

import datetime
from collections.abc import Sequence

from django.db.models import QuerySet
from django.utils import timezone

from bluezone.agencies.models import Agency
from bluezone.rollout.directives.models import Directive, DirectiveState, Dispatch
from bluezone.rollout.directives.register import IncomingEntry, OutgoingEntry, incoming_register, outgoing_register
from bluezone.rollout.reports import Table

# Vietnamese in every language, like the columns: a register is a form of the office.
KIND_NAMES = {
    "official_letter": "Công văn",
    "decision": "Quyết định",
    "plan": "Kế hoạch",
    "instruction": "Chỉ thị",
    "notice": "Thông báo",
    "report": "Báo cáo",
    "telegram": "Công điện",
    "guidance": "Hướng dẫn",
    "submission": "Tờ trình",
    "resolution": "Nghị quyết",
    "decree": "Nghị định",
    "circular": "Thông tư",
    "law": "Luật",
    "programme": "Chương trình",
    "invitation": "Giấy mời",
    "other": "",
}


def incoming_numbers(agency: Agency, year: int) -> dict[int, int]:
    """Every running number (số đến) of an agency's year, in order, and the primary key of what carries it."""
    received = Dispatch.objects.filter(agency=agency, incoming_year=year).order_by("incoming_number")
    return {number or 0: pk for number, pk in received.values_list("incoming_number", "pk")}


def outgoing_order(agency: Agency, year: int) -> list[int]:
    """Primary keys of what an agency issued in a year, by number as a number, then notation."""
    sent = _sent(agency, year).values_list("number", "notation", "pk")
    return [
        pk for _number, _notation, pk in sorted((_as_number(number), notation, pk) for number, notation, pk in sent)
    ]


def incoming(agency: Agency, year: int, numbers: Sequence[int] | None = None) -> Table:
    """Documents that the agency received in a year, by its own running number.

    numbers: of the page that is shown; None for the whole register. The note below tells of the whole either way.
    """
    received = Dispatch.objects.filter(agency=agency, incoming_year=year).select_related("directive__issuer")
    if numbers is not None:
        received = received.filter(incoming_number__in=numbers)
    entries = [
        IncomingEntry(
            number=one.incoming_number or 0,
            arrived=_day(one.received_at or one.arrived_at),
            issuer=one.directive.issuer.name,
            document_number=one.directive.code,
            document_date=one.directive.date,
            kind=KIND_NAMES[one.directive.kind],
            subject=one.directive.subject,
            handed_to=one.assigned_to,
            note="Đã thu hồi" if one.directive.state == DirectiveState.REVOKED else "",
        )
        for one in received.defer("directive__text", "directive__proposal")
    ]
    whole = None if numbers is None else list(incoming_numbers(agency, year))
    return incoming_register(entries, agency.name, year, whole)


def outgoing(agency: Agency, year: int, keys: Sequence[int] | None = None) -> Table:
    """Documents that the agency issued in a year, by number. keys: of the page that is shown; None for all."""
    sent = _sent(agency, year).defer("text", "proposal")
    if keys is not None:
        sent = sent.filter(pk__in=keys)
    entries = [
        OutgoingEntry(
            number=_as_number(one.number),
            notation=one.notation,
            date=one.date or _day(one.made_at),
            kind=KIND_NAMES[one.kind],
            subject=one.subject,
            signer=one.signer_name,
            recipients=tuple(
                name for name in (one.recipients_action + "\n" + one.recipients_information).splitlines() if name
            ),
            kept_by=one.recipients_file.replace("\n", "; "),
            sent_on=_day(one.issued_at) if one.issued_at else None,
            note={"revoked": "Đã thu hồi", "replaced": "Đã thay thế"}.get(one.state, ""),
        )
        for one in sent
    ]
    return outgoing_register(entries, agency.name, year)


def _sent(agency: Agency, year: int) -> QuerySet[Directive]:
    return Directive.objects.filter(issuer=agency, date__year=year, issued_at__isnull=False, from_file=False)


def _as_number(number: str) -> int:
    return int(number) if number.isascii() and number.isdigit() else 0


def _day(moment: datetime.datetime) -> datetime.date:
    return timezone.localtime(moment).date()
