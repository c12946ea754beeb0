# SPDX-License-Identifier: Apache-2.0
"""A list of units or agencies on its way in: kept for a day, looked at, then done exactly as it was shown."""

import datetime
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from bluezone.audit import hash_chain
from bluezone.directory.imports.headings import Column
from bluezone.directory.imports.plans import ImportNotReady, Plan, plan_agencies, plan_units
from bluezone.directory.imports.raw_sheets import text_of
from bluezone.directory.imports.rows import AGENCY_COLUMNS, UNIT_COLUMNS
from bluezone.directory.imports.tables import Table, read_table
from bluezone.directory.models import ListImport
from bluezone.directory.records.entries import Directory
from bluezone.directory.records.store import rewrite, state_of, stored_directory
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


def apply(actor: str, waiting: ListImport, digest: str) -> Plan:
    """Do the whole plan that was shown under `digest`, in one transaction, and forget the file.

    Raises ImportOutdated when the plan is another by now, ImportNotReady when it cannot be done; nothing is stored.
    """
    done: list[Plan] = []
    # Reading a file takes seconds, and whoever else writes would wait.
    table = _table_of(waiting)

    def change(directory: Directory) -> Directory:
        now = _preview(waiting, table, directory)
        if now.digest != digest:
            raise ImportOutdated("the directory changed since the preview was made; look at the new preview")
        if now.plan is None:
            raise ImportNotReady("the question whether to convert the text is still open")
        done.append(now.plan)
        return now.plan.accept()

    with transaction.atomic():
        # A second tap on the button waits here and then finds the list gone.
        ListImport.objects.select_for_update().get(pk=waiting.pk)
        rewrite(change)
        (plan,) = done
        counts: dict[str, Any] = {
            "added": len(plan.added),
            "changed": len(plan.changed),
            "unchanged": len(plan.unchanged),
        }
        hash_chain.record(actor, "list_imported", waiting.sha256, about=waiting.about, **counts)
        waiting.delete()
    return plan


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
    ListImport.objects.filter(made_at__lte=now - LIST_LIFE).delete()
