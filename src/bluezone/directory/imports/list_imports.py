# SPDX-License-Identifier: Apache-2.0
"""A list of units, of agencies or of telephone numbers on its way in: kept for a day, looked at, then done exactly as
it was shown.

Until all of it is stored nothing else of the directory is changed, so what was accepted stays true. It is stored in
pieces (imports/pieces.py).
"""

import datetime
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from bluezone.audit import hash_chain
from bluezone.directory.apps import tell_followers
from bluezone.directory.imports.headings import Column
from bluezone.directory.imports.phones import PHONE_COLUMNS, plan_phones
from bluezone.directory.imports.pieces import ROWS_A_TRANSACTION, Accepted, Pieces, State
from bluezone.directory.imports.plans import Plan, plan_agencies, plan_units
from bluezone.directory.imports.rows import AGENCY_COLUMNS, UNIT_COLUMNS
from bluezone.directory.imports.sent_lists import ImportNotReady, ImportOutdated, Preview, Reading, digest_of
from bluezone.directory.models import AdminUnit, Agency, ListImport
from bluezone.directory.records.entries import AgencyEntry, Directory, UnitEntry, read_entry, written_entry
from bluezone.directory.records.store import (
    begin_change,
    directory_number,
    free_codes,
    insert,
    note_change,
    rank_of,
    state_of,
    stored_directory,
    update,
    write_parents,
    write_paths,
    write_successions,
    wrong_paths,
)
from bluezone.identity.models import User

# What a list of the directory may be about: its columns, and how it is planned.
COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "agencies": AGENCY_COLUMNS,
    "units": UNIT_COLUMNS,
    "phones": PHONE_COLUMNS,
}
# What only a list of people has: whose row it is, and what one says of somebody. Their telephone numbers would become
# those of the agencies they work for.
_OF_PEOPLE = (
    Column("person", ("Họ và tên", "Họ tên", "Họ", "Họ đệm", "Họ và đệm", "Họ và tên đệm", "Full name"),
           begins=("ho va ten", "ho ten")),
    Column("of_person", ("Chức vụ", "Chức danh", "Chức vụ, chức danh", "Chức vụ/chức danh", "Năm sinh", "Ngày sinh",
                         "Ngày, tháng, năm sinh", "Giới tính", "Số CCCD", "CCCD", "Tên đăng nhập", "Vai trò",
                         "Position"), begins=("chuc vu", "chuc danh", "nam sinh", "ngay sinh")),
)  # fmt: skip
_PLANS = {"agencies": plan_agencies, "units": plan_units, "phones": plan_phones}


def reading_of(about: str) -> Reading:
    """How a list is read. about: a key of COLUMNS."""
    return Reading(about, COLUMNS[about], of_people=_OF_PEOPLE if about == "agencies" else ())


def receive(user: User, about: str, file_name: str, content: bytes, today: datetime.date) -> ListImport:
    """Keep a list that can be read, until it is applied or discarded. Raises a SpreadsheetRefused."""
    return reading_of(about).receive(ListImport, user, file_name, content, about=about, day=today)


def preview(waiting: ListImport) -> Preview[Plan]:
    """What the list would do to the directory as it is now; the same for the same list and directory.

    Raises a SpreadsheetRefused where a person has to say first which column is which.
    """
    table, directory = reading_of(waiting.about).table(waiting), stored_directory()
    digest = digest_of(waiting, waiting.day.isoformat(), waiting.about, state_of(directory))
    if table.legacy is not None:
        return Preview(table, None, digest)
    return Preview(table, _PLANS[waiting.about](directory, table, waiting.day), digest)


def accept(waiting: ListImport, digest: str) -> ListImport:
    """Keep what the plan that was shown under `digest` would do, to be stored by `carry_out`, and forget the file.

    Raises ImportOutdated when the plan is another by now, ImportNotReady when it cannot be done, ImportUnderWay;
    nothing will be stored then.
    """
    # Reading a file and planning take seconds, and whoever else writes would wait.
    number = directory_number()
    seen = preview(waiting).accepted(digest)
    accepted = _as_json(seen, seen.accept())
    with transaction.atomic():
        begin_change()
        if directory_number() != number + 1:
            raise ImportOutdated("the directory changed since the preview was made; look at the new preview")
        # A second tap on the button waits here and then finds the list accepted.
        held = ListImport.objects.select_for_update().defer("content").filter(pk=waiting.pk, state=State.LOOKED_AT)
        if not held.update(
            state=State.STORING, accepted=accepted, content=b"", added=len(seen.added), changed=len(seen.changed)
        ):
            raise ImportNotReady("it was accepted or discarded meanwhile")
    return ListImport.objects.defer("content", "accepted").select_related("made_by").get(pk=waiting.pk)


def _as_json(plan: Plan, planned: Directory) -> dict[str, object]:
    """added: by rank, entries in their order. changed: entries as they shall be. unchanged: how many rows are so."""
    ranks: defaultdict[int, list[object]] = defaultdict(list)
    for row in plan.added:
        ranks[rank_of(row.entry, planned)].append(written_entry(row.entry))
    return {
        "added": [ranks[rank] for rank in sorted(ranks)],
        "changed": [written_entry(row.after) for row in plan.changed],
        "unchanged": len(plan.unchanged),
    }


def _model_of(held: ListImport) -> Any:
    return AdminUnit if held.about == "units" else Agency


def _store_some(held: ListImport, accepted: Accepted, _now: datetime.datetime) -> None:
    """Store new entries of one rank: those above them are stored and have their path."""
    start = held.done
    for rank in accepted["added"]:
        if start < len(rank):
            new = [read_entry(row) for row in rank[start : start + ROWS_A_TRANSACTION]]
            with transaction.atomic():
                if PIECES.moved_on(held, done=held.done + len(new)):
                    insert(_model_of(held), new, held)
            return
        start -= len(rank)
    changed = [read_entry(row) for row in accepted["changed"]]
    with transaction.atomic():
        if PIECES.moved_on(held, state=State.CHANGING, done=0):
            stored = dict(_model_of(held).objects.values_list("key", "code"))
            moved = [entry for entry in changed if entry.code != stored.get(entry.key, entry.code)]
            free_codes(_model_of(held), moved)


def _change_some(held: ListImport, accepted: Accepted, _now: datetime.datetime) -> None:
    changed = [read_entry(row) for row in accepted["changed"][held.done : held.done + ROWS_A_TRANSACTION]]
    with transaction.atomic():
        if not changed:
            PIECES.moved_on(held, state=State.SETTLING, done=0)
        elif PIECES.moved_on(held, done=held.done + len(changed)):
            # A telephone number is of an agency or of a unit.
            for model, kind in ((AdminUnit, UnitEntry), (Agency, AgencyEntry)):
                if some := [entry for entry in changed if isinstance(entry, kind)]:
                    update(model, some)


def _settle_some(held: ListImport, accepted: Accepted, now: datetime.datetime) -> None:
    """Write paths, who takes over from new entries and whom they answer to; then let everybody see them, in one
    statement.
    """
    model = _model_of(held)
    succeeded = [row for rank in accepted["added"] for row in rank if row["successors"] or row.get("answers_to")]
    some = [read_entry(row) for row in succeeded[held.done : held.done + ROWS_A_TRANSACTION]]
    wrong = [] if some else wrong_paths(model)[:ROWS_A_TRANSACTION]
    with transaction.atomic():
        if some:
            if PIECES.moved_on(held, done=held.done + len(some)):
                write_parents(model, some)
                write_successions(model, some)
        elif wrong:
            if PIECES.moved_on(held, done=held.done):
                write_paths(model, wrong)
        elif PIECES.moved_on(held, state=State.DONE, done=0, accepted={}):
            model.everything.filter(arriving=held).update(arriving=None)
            note_change()
            if held.about == "agencies":
                # Afterwards, and each letter by itself: a list may end hundreds of agencies with many letters each.
                transaction.on_commit(lambda: tell_followers([held]), robust=True)
            counts = {"added": held.added, "changed": held.changed, "unchanged": accepted["unchanged"]}
            who = held.made_by.username
            hash_chain.record(who, "list_imported", held.sha256, now=now, about=held.about, **counts)


def _take_some_back(held: ListImport, _accepted: Accepted, _now: datetime.datetime) -> None:
    """Delete from below: what hangs on nothing first."""
    everything = _model_of(held).everything
    with transaction.atomic():
        free = everything.filter(arriving=held, children=None).order_by().values_list("pk", flat=True)
        some = list(free[:ROWS_A_TRANSACTION])
        if some:
            everything.filter(pk__in=some).delete()
        else:
            ListImport.objects.filter(pk=held.pk).delete()


PIECES = Pieces(
    ListImport,
    {
        State.STORING: _store_some,
        State.CHANGING: _change_some,
        State.SETTLING: _settle_some,
        State.TAKING_BACK: _take_some_back,
    },
)
carry_out, go_on, take_back = PIECES.carry_out, PIECES.go_on, PIECES.take_back


LIST_LIFE = datetime.timedelta(days=1)


def purge(now: datetime.datetime) -> None:
    """Delete lists that nobody applied or discarded within a day."""
    PIECES.forget(now - LIST_LIFE)
