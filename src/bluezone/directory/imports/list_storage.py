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
# Rows of a list that is stored at once; the worker stores longer ones.
MOST_AT_ONCE = 500
# More transactions in one round would delay the worker's other work.
TRANSACTIONS_A_ROUND = 25
# After each transaction on SQLite the worker pauses as long as it took, but no longer than this.
LONGEST_PAUSE_SECONDS = 5.0
# The progress page is loaded again after this time.
LOOK_AGAIN_SECONDS = 5
State = SentList.State
RUNNING = (State.STORING, State.CHANGING, State.SETTLING, State.WITHDRAWING)

List = TypeVar("List", bound=SentList)
Accepted = Mapping[str, Any]
Step = Callable[[List, Accepted, datetime.datetime], None]


class ImportStored(Refused):
    """The list is stored, or visible in part, so that it can no longer be withdrawn."""

    code = "import_stored"


class ListStorage(Generic[List]):
    """Stores the lists of one model.

    steps:  for each state with work to do, the function that does some of it in one transaction, which starts with
            `save_progress`. Its arguments are the list, SentList.accepted and the present moment.
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

    def continue_list(self, sent_list: List, now: datetime.datetime, transactions: int | None = None) -> int:
        """Continue to store an accepted list, or to delete a withdrawn one. Returns the number of transactions.

        transactions: stop after this many; None: continue to the end. Safe to repeat, also at the same moment.
        """
        accepted = self._rows.values_list("accepted", flat=True).filter(pk=sent_list.pk).first() or {}
        count = 0
        while transactions is None or count < transactions:
            row = self._rows.filter(pk=sent_list.pk).values("state", "done").first()
            if row is None or row["state"] not in self._steps:
                break
            sent_list.state = row["state"]
            sent_list.done = row["done"]
            start = time.monotonic()
            self._steps[sent_list.state](sent_list, accepted, now)
            count += 1
            if connection.vendor == "sqlite" and not connection.in_atomic_block:
                # On SQLite, waiting writers retry only at intervals: without a pause they would never get the lock.
                time.sleep(min(time.monotonic() - start, LONGEST_PAUSE_SECONDS))
        return count

    def continue_all(self, now: datetime.datetime) -> None:
        """Continue with all accepted and withdrawn lists, oldest first; the worker calls this in every round."""
        remaining = TRANSACTIONS_A_ROUND
        running = self._rows.filter(state__in=RUNNING).defer("content", "accepted").order_by("made_at", "pk")
        for sent_list in running.select_related():
            with self._within(sent_list):
                remaining -= self.continue_list(sent_list, now, remaining)

    def save_progress(self, sent_list: List, **fields: object) -> bool:
        """Update the list and lock its row until the transaction ends. False if another process has changed it."""
        return bool(self._rows.filter(pk=sent_list.pk, state=sent_list.state, done=sent_list.done).update(**fields))

    def withdraw(self, sent_list: List) -> None:
        """Discard a list; the worker deletes its rows, which are still hidden. Raises ImportStored."""
        row = self._rows.filter(pk=sent_list.pk)
        with_hidden_rows = row.filter(state__in=[State.STORING, State.WITHDRAWING])
        if with_hidden_rows.update(state=State.WITHDRAWING, accepted={}):
            return
        not_being_stored = row.filter(state__in=[State.PREVIEWED, State.DONE])
        if not not_being_stored.delete()[0]:
            raise ImportStored("its rows are visible already")

    def delete_older(self, until: datetime.datetime) -> None:
        """Delete lists uploaded by `until`, except those that are being stored or withdrawn."""
        self._rows.filter(made_at__lte=until).exclude(state__in=RUNNING).delete()

    @property
    def _rows(self) -> Any:
        """All lists, including those of practice."""
        return self._model._base_manager.all()


def progress(sent_list: SentList) -> tuple[int, int]:
    """(number of stored rows, number of rows) of an accepted list."""
    rows = sent_list.added + sent_list.changed
    if sent_list.state == State.STORING:
        return sent_list.done, rows
    if sent_list.state == State.CHANGING:
        return sent_list.added + sent_list.done, rows
    return rows, rows
