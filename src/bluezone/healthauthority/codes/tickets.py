# SPDX-License-Identifier: Apache-2.0
"""Tickets, with which a browser queries the state of a code and revokes it."""

from django.core import signing

from bluezone.healthauthority.models import IssuedCode
from bluezone.refusal import Refused


class TicketInvalid(Refused):
    """This is not a ticket of this code, or this account may not see the code."""

    code = "code_ticket_invalid"


_TICKETS = signing.Signer(salt="ticket of a code")


def sign_ticket(record: IssuedCode, row_id: str) -> str:
    return _TICKETS.sign(f"{record.pk}.{row_id}")


def verify_ticket(record: IssuedCode, ticket: str) -> str:
    """The key server's id of a code's row (32 hex digits), from its ticket. Raises TicketInvalid."""
    try:
        pk, _dot, row_id = _TICKETS.unsign(ticket).partition(".")
    except signing.BadSignature:
        raise TicketInvalid("this office did not make this ticket") from None
    if pk != str(record.pk):
        raise TicketInvalid("this ticket is of another code")
    return row_id
