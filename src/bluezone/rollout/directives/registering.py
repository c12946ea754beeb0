# SPDX-License-Identifier: Apache-2.0
"""The registers of documents in and out of an agency, from what is stored."""

import datetime

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


def incoming(agency: Agency, year: int) -> Table:
    """Documents that the agency received in a year, by its own running number."""
    received = Dispatch.objects.filter(agency=agency, incoming_year=year).select_related("directive__issuer")
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
        for one in received
    ]
    return incoming_register(entries, agency.name, year)


def outgoing(agency: Agency, year: int) -> Table:
    """Documents that the agency issued in a year, by number."""
    sent = Directive.objects.filter(issuer=agency, date__year=year, issued_at__isnull=False, from_file=False).defer(
        "text", "proposal"
    )
    entries = [
        OutgoingEntry(
            number=int(one.number) if one.number.isascii() and one.number.isdigit() else 0,
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


def _day(moment: datetime.datetime) -> datetime.date:
    return timezone.localtime(moment).date()
