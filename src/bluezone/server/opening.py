# SPDX-License-Identifier: Apache-2.0
"""Open stores at a start: if the database drops a connection meanwhile, try again."""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from bluezone.logs import event_fields
from bluezone.refusal import Refused

logger = logging.getLogger(__name__)

Opened = TypeVar("Opened")

ATTEMPTS = 3
PAUSE_SECONDS = 1.0
# The codes of refusals that may be of one dropped connection.
UNREACHABLE = frozenset({"store_unreachable", "office_unavailable"})


def open_stores(opening: Callable[[], Opened]) -> Opened:
    """Call a function that opens stores or prepares them; if a database does not answer, call it again.

    opening: must be safe to repeat. Raises what it raises at the last attempt.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return opening()
        except Refused as refused:
            if refused.code not in UNREACHABLE:
                raise
            logger.warning(
                "%s: %s; trying again", refused.code, refused.message,
                extra=event_fields("store_opened_again", code=refused.code),
            )  # fmt: skip
        _close_office()
        time.sleep(PAUSE_SECONDS)
    return opening()


def _close_office() -> None:
    """Forget this process's connections to the office store, if it has any.

    They are replaced and not only closed: one that was lost in the middle of a transaction stays lost.
    """
    from django.conf import settings

    if not settings.configured:
        return
    from django.db import connections

    for connection in connections.all(initialized_only=True):
        with suppress(Exception):
            connection.close()
        del connections[connection.alias]
