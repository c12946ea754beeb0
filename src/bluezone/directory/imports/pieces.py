# SPDX-License-Identifier: Apache-2.0
"""A list that was accepted is stored some rows at a time, so that nobody else who writes waits long.

What is new is seen by nobody until the last of it is stored, and until then the list can be taken back. A short list is
stored at once, a long one by the worker; one that was cut off goes on where it was.
"""

import contextlib
import datetime
import time
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from django.db import connection

from bluezone.directory.models import SentList
from bluezone.refusal import Refused

# So few that whoever else writes never waits long.
ROWS_A_TRANSACTION = 200
# More are stored by the worker, so many transactions a round that its other work is not late.
MOST_AT_ONCE = 500
TRANSACTIONS_A_ROUND = 25
# On a slow or busy machine a transaction takes seconds, and whoever writes waits at most LOCK_WAIT_SECONDS.
LONGEST_PAUSE_SECONDS = 5.0
# The page that says how far a list is.
LOOK_AGAIN_SECONDS = 5
State = SentList.State
RUNNING = (State.STORING, State.CHANGING, State.SETTLING, State.TAKING_BACK)

List = TypeVar("List", bound=SentList)
Accepted = Mapping[str, Any]
Step = Callable[[List, Accepted, datetime.datetime], None]


class ImportStored(Refused):
    """The list is stored, or so far that it can no longer be taken back."""

    code = "import_stored"


class Pieces(Generic[List]):
    """Stores lists of one model.

    steps: for each state in which something is left to do, what does some of it: it takes the list, what was accepted
           (SentList.accepted) and the present moment, and is one transaction, begun with `moved_on`.
    within: in what a list is stored, such as practice.
    """

    def __init__(
        self,
        model: type[List],
        steps: Mapping[str, Step[List]],
        within: Callable[[List], contextlib.AbstractContextManager[object]] = lambda _held: contextlib.nullcontext(),
    ) -> None:
        self._model, self._steps, self._within = model, steps, within

    def carry_out(self, held: List, now: datetime.datetime, transactions: int | None = None) -> int:
        """Go on with an accepted list, or with taking it back, until it is done; how many transactions that took.

        transactions: at most so many. Safe to repeat, and beside another process that does the same.
        """
        accepted = self._rows.values_list("accepted", flat=True).filter(pk=held.pk).first() or {}
        made = 0
        while transactions is None or made < transactions:
            now_held = self._rows.filter(pk=held.pk).values_list("state", "done").first()
            if now_held is None or now_held[0] not in self._steps:
                break
            held.state, held.done = now_held
            begun = time.monotonic()
            self._steps[held.state](held, accepted, now)
            made += 1
            if connection.vendor == "sqlite" and not connection.in_atomic_block:
                # Who waits for SQLite only looks now and then; one that is always back at once would keep them out.
                time.sleep(min(time.monotonic() - begun, LONGEST_PAUSE_SECONDS))
        return made

    def go_on(self, now: datetime.datetime) -> None:
        """Store more of the lists that were accepted, oldest first: called by the worker in every round."""
        left = TRANSACTIONS_A_ROUND
        running = self._rows.filter(state__in=RUNNING).defer("content", "accepted").order_by("made_at", "pk")
        for held in running.select_related():
            with self._within(held):
                left -= self.carry_out(held, now, left)

    def moved_on(self, held: List, **fields: object) -> bool:
        """Write how far the list is, unless somebody else did meanwhile; in a transaction it is held from here on."""
        return bool(self._rows.filter(pk=held.pk, state=held.state, done=held.done).update(**fields))

    def take_back(self, waiting: List) -> None:
        """Discard a list; the worker deletes what is stored of it, which nobody has seen. Raises ImportStored."""
        mine = self._rows.filter(pk=waiting.pk)
        if mine.filter(state__in=[State.STORING, State.TAKING_BACK]).update(state=State.TAKING_BACK, accepted={}):
            return
        if not mine.filter(state__in=[State.LOOKED_AT, State.DONE]).delete()[0]:
            raise ImportStored("what it says is seen already")

    def forget(self, until: datetime.datetime) -> None:
        """Delete lists that came by then, but none that is being stored or taken back."""
        self._rows.filter(made_at__lte=until).exclude(state__in=RUNNING).delete()

    @property
    def _rows(self) -> Any:
        """Also those of practice."""
        return self._model._base_manager.all()


def progress(held: SentList) -> tuple[int, int]:
    """How many rows of an accepted list are stored, and of how many."""
    rows = held.added + held.changed
    return {State.STORING: held.done, State.CHANGING: held.added + held.done}.get(State(held.state), rows), rows
