# SPDX-License-Identifier: Apache-2.0
"""A list of units or agencies on its way in: kept for a day, looked at, then done exactly as it was shown.

Until all of it is stored nothing else of the directory is changed, so what was accepted stays true. It is stored in
pieces (imports/pieces.py).
"""

import datetime
import hashlib
import io
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from bluezone.audit import hash_chain
from bluezone.directory.imports.headings import Column
from bluezone.directory.imports.pieces import ROWS_A_TRANSACTION, Accepted, Pieces, State
from bluezone.directory.imports.plans import ImportNotReady, Plan, plan_agencies, plan_units
from bluezone.directory.imports.raw_sheets import text_of
from bluezone.directory.imports.rows import AGENCY_COLUMNS, UNIT_COLUMNS
from bluezone.directory.imports.tables import Table, read_table
from bluezone.directory.models import AdminUnit, Agency, ListImport
from bluezone.directory.records.entries import Directory
from bluezone.directory.records.store import (
    begin_change,
    directory_number,
    free_codes,
    insert,
    note_change,
    rank_of,
    read_entry,
    state_of,
    stored_directory,
    update,
    write_paths,
    write_successions,
    written_entry,
    wrong_paths,
)
from bluezone.identity.models import User
from bluezone.paper.tables import ExportColumn, ExportSheet
from bluezone.refusal import Refused


def marked_list(table: Table, plan: Plan, columns: Sequence[Column], *, title: str, remark: str) -> ExportSheet:
    """Every row of `table` in its columns, with the refusal or doubt under the heading `remark`, all as text.

    Columns nobody asked for are not given back. The result can be imported again: its headings are the first spelling
    of each column, and `remark` is ignored as long as it is no heading itself.
    """
    remarks: dict[int, list[str]] = {}
    for refused in plan.refused:
        remarks.setdefault(refused.row, []).append(refused.message)
    for doubt in plan.doubts:
        remarks.setdefault(doubt.row, []).append(f"row {doubt.row}: {doubt.message}")
    present = [column for column in columns if column.name in table.letters]
    return ExportSheet(
        title,
        [*(ExportColumn(column.headings[0]) for column in present), ExportColumn(remark)],
        [
            [
                *(text_of(row.cells.get(column.name)) for column in present),
                "; ".join(remarks.get(row.number, ())),
            ]
            for row in table.rows
        ],
    )


CONVERT, KEEP = "convert", "keep"


class ImportOutdated(Refused):
    """The preview that was accepted is no longer what the list would do: the directory changed meanwhile."""

    code = "import_outdated"


@dataclass(frozen=True)
class Preview:
    """What a person is shown of a list.

    plan:    None while the question whether to convert an old font is open.
    digest:  64 hex digits of file, conversion, day and directory; accepting the preview names them.
    directory: as stored now; names for the keys in the plan.
    """

    table: Table
    directory: Directory
    plan: Plan | None
    digest: str


def columns_of(about: str) -> tuple[Column, ...]:
    """The columns a list "units" or "agencies" may have."""
    return UNIT_COLUMNS if about == "units" else AGENCY_COLUMNS


def receive(user: User, about: str, file_name: str, content: bytes, today: datetime.date) -> ListImport:
    """Keep a list that can be read, until it is applied or discarded. Raises a SpreadsheetRefused."""
    read_table(io.BytesIO(content), columns_of(about))
    return ListImport.objects.create(
        about=about,
        file_name="".join(filter(str.isprintable, file_name))[-200:],
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        day=today,
        made_by=user,
    )


def decide(waiting: ListImport, conversion: str) -> None:
    """Answer the question whether text of an old font is converted: CONVERT or KEEP."""
    waiting.conversion = CONVERT if conversion == CONVERT else KEEP
    waiting.save(update_fields=["conversion"])


def preview(waiting: ListImport) -> Preview:
    """What the list would do to the directory as it is now; the same for the same list and directory."""
    return _preview(waiting, _table_of(waiting), stored_directory())


def accept(waiting: ListImport, digest: str) -> ListImport:
    """Keep what the plan that was shown under `digest` would do, to be stored by `carry_out`, and forget the file.

    Raises ImportOutdated when the plan is another by now, ImportNotReady when it cannot be done, ImportUnderWay;
    nothing will be stored then.
    """
    # Reading a file and planning take seconds, and whoever else writes would wait.
    number = directory_number()
    seen = preview(waiting)
    outdated = ImportOutdated("the directory changed since the preview was made; look at the new preview")
    if seen.digest != digest:
        raise outdated
    if seen.plan is None:
        raise ImportNotReady("the question whether to convert the text is still open")
    planned = seen.plan.accept()
    accepted = _as_json(seen.plan, planned)
    with transaction.atomic():
        begin_change()
        if directory_number() != number + 1:
            raise outdated
        # A second tap on the button waits here and then finds the list accepted.
        held = ListImport.objects.select_for_update().defer("content").filter(pk=waiting.pk, state=State.LOOKED_AT)
        if not held.update(
            state=State.STORING, accepted=accepted, content=b"", added=len(seen.plan.added),
            changed=len(seen.plan.changed),
        ):  # fmt: skip
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
                if _PIECES.moved_on(held, done=held.done + len(new)):
                    insert(_model_of(held), new, held)
            return
        start -= len(rank)
    changed = [read_entry(row) for row in accepted["changed"]]
    with transaction.atomic():
        if _PIECES.moved_on(held, state=State.CHANGING, done=0):
            stored = dict(_model_of(held).objects.values_list("key", "code"))
            free_codes(_model_of(held), [entry for entry in changed if entry.code != stored[entry.key]])


def _change_some(held: ListImport, accepted: Accepted, _now: datetime.datetime) -> None:
    changed = [read_entry(row) for row in accepted["changed"][held.done : held.done + ROWS_A_TRANSACTION]]
    with transaction.atomic():
        if not changed:
            _PIECES.moved_on(held, state=State.SETTLING, done=0)
        elif _PIECES.moved_on(held, done=held.done + len(changed)):
            update(_model_of(held), changed)


def _settle_some(held: ListImport, accepted: Accepted, now: datetime.datetime) -> None:
    """Write paths, and who takes over from new entries; then let everybody see them, in one statement."""
    model = _model_of(held)
    succeeded = [row for rank in accepted["added"] for row in rank if row["successors"]]
    some = [read_entry(row) for row in succeeded[held.done : held.done + ROWS_A_TRANSACTION]]
    wrong = [] if some else wrong_paths(model)[:ROWS_A_TRANSACTION]
    with transaction.atomic():
        if some:
            if _PIECES.moved_on(held, done=held.done + len(some)):
                write_successions(model, some)
        elif wrong:
            if _PIECES.moved_on(held, done=held.done):
                write_paths(model, wrong)
        elif _PIECES.moved_on(held, state=State.DONE, done=0, accepted={}):
            model.everything.filter(arriving=held).update(arriving=None)
            note_change()
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


_PIECES = Pieces(
    ListImport,
    {
        State.STORING: _store_some,
        State.CHANGING: _change_some,
        State.SETTLING: _settle_some,
        State.TAKING_BACK: _take_some_back,
    },
)
carry_out, go_on, take_back = _PIECES.carry_out, _PIECES.go_on, _PIECES.take_back


def marked(waiting: ListImport) -> ExportSheet:
    """The list given back with the reasons beside the refused rows."""
    shown = preview(waiting)
    if shown.plan is None:
        raise ImportNotReady("the question whether to convert the text is still open")
    return marked_list(shown.table, shown.plan, columns_of(waiting.about), title=_("To correct"), remark=_("Remark"))


def template(about: str) -> ExportSheet:
    """An empty list with every heading, to be filled in."""
    columns = [ExportColumn(column.headings[0]) for column in columns_of(about)]
    return ExportSheet(_("Units") if about == "units" else _("Agencies"), columns, [])


def _table_of(waiting: ListImport) -> Table:
    table = read_table(io.BytesIO(bytes(waiting.content)), columns_of(waiting.about))
    if waiting.conversion == CONVERT:
        return table.converted()
    return table.left_as_is() if waiting.conversion == KEEP else table


def _preview(waiting: ListImport, table: Table, directory: Directory) -> Preview:
    bound = [waiting.sha256, waiting.conversion, waiting.day.isoformat(), waiting.about, state_of(directory)]
    digest = hashlib.sha256("|".join(bound).encode()).hexdigest()
    if table.legacy is not None:
        return Preview(table, directory, None, digest)
    make_plan = plan_units if waiting.about == "units" else plan_agencies
    return Preview(table, directory, make_plan(directory, table, waiting.day), digest)


LIST_LIFE = datetime.timedelta(days=1)


def purge(now: datetime.datetime) -> None:
    """Delete lists that nobody applied or discarded within a day."""
    _PIECES.forget(now - LIST_LIFE)
