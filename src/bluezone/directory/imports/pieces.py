# SPDX-License-Identifier: Apache-2.0
"""Store an accepted list in transactions of a few rows, so that other writers never wait long.

New rows stay hidden until the last of them is stored; until then the list can be withdrawn. A short list is stored at
once, a long one by the worker. After an interruption, the work continues where it stopped.
"""

import contextlib
import datetime
import time
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from django.db import connection

from bluezone.directory.models import SentList
from bluezone.refusal import Refused

# Few enough that other writers never wait long.
ROWS_A_TRANSACTION = 200
# Rows: the worker stores longer lists. Transactions: more in one round would delay the worker's other work.
MOST_AT_ONCE = 500
TRANSACTIONS_A_ROUND = 25
# On a slow or busy machine a transaction takes seconds, and other writers wait at most LOCK_WAIT_SECONDS.
LONGEST_PAUSE_SECONDS = 5.0
# Refresh interval of the progress page.
LOOK_AGAIN_SECONDS = 5
State = SentList.State
RUNNING = (State.STORING, State.CHANGING, State.SETTLING, State.TAKING_BACK)

List = TypeVar("List", bound=SentList)
Accepted = Mapping[str, Any]
Step = Callable[[List, Accepted, datetime.datetime], None]


class ImportStored(Refused):
    """The list is stored, or visible in part, so that it can no longer be taken back."""

    code = "import_stored"


class Pieces(Generic[List]):
    """Stores lists of one model.

    steps:  the function that does a piece of the work, for each state with work to do. Its arguments are the list,
            SentList.accepted and the present moment; it runs one transaction, which starts with `save_progress`.
    within: the context in which a list is stored, such as practice.
    """

    def __init__(
        self,
        model: type[List],
        steps: Mapping[str, Step[List]],
        within: Callable[[List], contextlib.AbstractContextManager[object]] = lambda _list: contextlib.nullcontext(),
    ) -> None:
        self._model = model
        self._steps = steps
        self._within = within

    def finish(self, sent_list: List, now: datetime.datetime, transactions: int | None = None) -> int:
        """Continue to store an accepted list, or to withdraw it. Returns the number of transactions used.

        transactions: stop after this many; None: continue until it is done. A repeated or simultaneous call is safe.
        """
        accepted = self._rows.values_list("accepted", flat=True).filter(pk=sent_list.pk).first() or {}
        count = 0
        while transactions is None or count < transactions:
            present = self._rows.filter(pk=sent_list.pk).values_list("state", "done").first()
            if present is None or present[0] not in self._steps:
                break
            sent_list.state, sent_list.done = present
            start = time.monotonic()
            self._steps[sent_list.state](sent_list, accepted, now)
            count += 1
            if connection.vendor == "sqlite" and not connection.in_atomic_block:
                # Writers that wait for SQLite try only now and then; without a pause they would never get their turn.
                time.sleep(min(time.monotonic() - start, LONGEST_PAUSE_SECONDS))
        return count

    def store_more(self, now: datetime.datetime) -> None:
        """Store more of the accepted lists, oldest first; the worker calls this in every round."""
        remaining = TRANSACTIONS_A_ROUND
        running = self._rows.filter(state__in=RUNNING).defer("content", "accepted").order_by("made_at", "pk")
        for sent_list in running.select_related():
            with self._within(sent_list):
                remaining -= self.finish(sent_list, now, remaining)

    def save_progress(self, sent_list: List, **fields: object) -> bool:
        """Update the list and lock its row until the transaction ends; False if another process has changed it."""
        return bool(self._rows.filter(pk=sent_list.pk, state=sent_list.state, done=sent_list.done).update(**fields))

    def withdraw(self, waiting: List) -> None:
        """Discard a list; the worker deletes its rows, which are still hidden. Raises ImportStored."""
        mine = self._rows.filter(pk=waiting.pk)
        if mine.filter(state__in=[State.STORING, State.TAKING_BACK]).update(state=State.TAKING_BACK, accepted={}):
            return
        if not mine.filter(state__in=[State.LOOKED_AT, State.DONE]).delete()[0]:
            raise ImportStored("its rows are visible already")

    def delete_older(self, until: datetime.datetime) -> None:
        """Delete lists uploaded by `until`, except those that are being stored or taken back."""
        self._rows.filter(made_at__lte=until).exclude(state__in=RUNNING).delete()

    @property
    def _rows(self) -> Any:
        """All lists, including those of practice."""
        return self._model._base_manager.all()


def progress(sent_list: SentList) -> tuple[int, int]:
    """How many rows of an accepted list are stored, and how many it has."""
    rows = sent_list.added + sent_list.changed
    if sent_list.state == State.STORING:
        return sent_list.done, rows
    if sent_list.state == State.CHANGING:
        return sent_list.added + sent_list.done, rows
    return rows, rows
