# SPDX-License-Identifier: Apache-2.0
"""Ending a message: number and text go in the same moment as its state stops being open."""

import datetime

from bluezone.messaging.sms.models import OPEN_STATES, Message, Once, State

# After these the same number may get its one notice later: nothing has reached it, or nothing ever will.
_RELEASES = {State.FAILED, State.EXPIRED, State.SUPPRESSED, State.NOT_SENT}


def close(messages: list[Message], state: State, now: datetime.datetime, trouble: str = "") -> None:
    """Close open messages with a state that is not open; forgets number, its hash and the text of each."""
    if not messages:
        return
    released = [message.once_key for message in messages if message.once_key and state in _RELEASES]
    if released:
        Once.objects.filter(key__in=released).delete()
    changed: dict[str, object] = {"trouble": trouble} if trouble else {}
    Message.objects.filter(pk__in=[message.pk for message in messages], state__in=OPEN_STATES).update(
        state=state, closed_at=now, sealed=None, destination_hash="", once_key="", lease="", lease_until=None, **changed
    )
