# SPDX-License-Identifier: Apache-2.0
"""Import of a list of units, agencies or telephone numbers: retained for a day, previewed, stored exactly as shown.

Nothing else in the directory changes until the whole list is stored, so the accepted plan stays true. It is stored
a few rows at a time (imports/list_storage.py).
"""

import datetime
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from bluezone.audit import hash_chain
from bluezone.directory.apps import notify_followers
from bluezone.directory.imports.heading_rows import Column
from bluezone.directory.imports.known_columns import AGENCY_COLUMNS, UNIT_COLUMNS
from bluezone.directory.imports.list_storage import ROWS_A_TRANSACTION, Accepted, ListStorage, State
from bluezone.directory.imports.phones import PHONE_COLUMNS, plan_phones
from bluezone.directory.imports.plans import Plan, plan_agencies, plan_units
from bluezone.directory.imports.sent_lists import ImportNotReady, ImportOutdated, Preview, Reading, digest_of
from bluezone.directory.models import AdminUnit, Agency, ListImport
from bluezone.directory.records.entries import AgencyEntry, Directory, UnitEntry, read_entry, write_entry
from bluezone.directory.records.reading import read_directory, state_digest
from bluezone.directory.records.store import (
    begin_change,
    change_number,
    count_change,
    free_codes,
    insert_entries,
    rank_of,
    update_entries,
    write_parents,
    write_paths,
    write_successions,
    wrong_paths,
)
from bluezone.identity.models import User

# The subjects of directory lists, and their columns.
COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "agencies": AGENCY_COLUMNS,
    "units": UNIT_COLUMNS,
    "phones": PHONE_COLUMNS,
}
# Columns that only a list of people has. Imported as agencies, such a list would give people's own telephone numbers
# to the agencies they work for.
_OF_PEOPLE = (
    Column("person", ("Họ và tên", "Họ tên", "Họ", "Họ đệm", "Họ và đệm", "Họ và tên đệm", "Full name"),
           begins=("ho va ten", "ho ten")),
    Column("of_person", ("Chức vụ", "Chức danh", "Chức vụ, chức danh", "Chức vụ/chức danh", "Năm sinh", "Ngày sinh",
                         "Ngày, tháng, năm sinh", "Giới tính", "Số CCCD", "CCCD", "Tên đăng nhập", "Vai trò",
                         "Position"), begins=("chuc vu", "chuc danh", "nam sinh", "ngay sinh")),
)  # fmt: skip
_PLANS = {"agencies": plan_agencies, "units": plan_units, "phones": plan_phones}
LIST_LIFE = datetime.timedelta(days=1)


def reading_of(about: str) -> Reading:
    """The reading for a list. about: a key of COLUMNS."""
    return Reading(about, COLUMNS[about], of_people=_OF_PEOPLE if about == "agencies" else ())


def receive_list(user: User, about: str, file_name: str, content: bytes, today: datetime.date) -> ListImport:
    """Store an uploaded list until it is applied or discarded. Raises a SpreadsheetRefused if it cannot be read."""
    return reading_of(about).store_upload(ListImport, user, file_name, content, about=about, day=today)


def preview_list(sent_list: ListImport) -> Preview[Plan]:
    """The preview of a list; the same list and the same directory give the same preview.

    Raises a SpreadsheetRefused if a person has to choose the columns first.
    """
    table = reading_of(sent_list.about).read_table(sent_list)
    directory = read_directory()
    digest = digest_of(sent_list, sent_list.day.isoformat(), sent_list.about, state_digest(directory))
    if table.legacy is not None:
        return Preview(table, None, digest)
    return Preview(table, _PLANS[sent_list.about](directory, table, sent_list.day), digest)


def accept_list(sent_list: ListImport, digest: str) -> ListImport:
    """Accept the preview with this digest: keep its changes for `continue_list` to store, and delete the file.

    Raises ImportOutdated if the preview has changed, ImportNotReady if it cannot be stored, ImportUnderWay; nothing
    will be stored then.
    """
    # Outside the transaction: reading a file and planning take seconds, in which other writers would wait.
    number = change_number()
    plan = preview_list(sent_list).plan_for(digest)
    accepted = _work_to_do(plan, plan.accept())
    with transaction.atomic():
        begin_change()
        if change_number() != number + 1:
            raise ImportOutdated("the directory changed since the preview was made; look at the new preview")
        # A second tap on the button waits here and then updates nothing, since the list is accepted already.
        candidates = ListImport.objects.select_for_update().defer("content")
        if not candidates.filter(pk=sent_list.pk, state=State.PREVIEWED).update(
            state=State.STORING, accepted=accepted, content=b"", added=len(plan.added), changed=len(plan.changed)
        ):
            raise ImportNotReady("it was accepted or discarded meanwhile")
    return ListImport.objects.defer("content", "accepted").select_related("made_by").get(pk=sent_list.pk)


def _work_to_do(plan: Plan, planned: Directory) -> dict[str, object]:
    """SentList.accepted. added: new entries, a list for each rank. changed: entries as they will be.

    unchanged: number of unchanged rows.
    """
    ranks: defaultdict[int, list[object]] = defaultdict(list)
    for row in plan.added:
        ranks[rank_of(row.entry, planned)].append(write_entry(row.entry))
    return {
        "added": [ranks[rank] for rank in sorted(ranks)],
        "changed": [write_entry(row.after) for row in plan.changed],
        "unchanged": len(plan.unchanged),
    }


def _model_of(sent_list: ListImport) -> Any:
    return AdminUnit if sent_list.about == "units" else Agency


def _store_some(sent_list: ListImport, accepted: Accepted, _now: datetime.datetime) -> None:
    """Store new entries of one rank; the entries above them are stored and have their paths."""
    start = sent_list.done
    for rank in accepted["added"]:
        if start < len(rank):
            new = [read_entry(row) for row in rank[start : start + ROWS_A_TRANSACTION]]
            with transaction.atomic():
                if LIST_STORAGE.save_progress(sent_list, done=sent_list.done + len(new)):
                    insert_entries(_model_of(sent_list), new, sent_list)
            return
        start -= len(rank)
    changed = [read_entry(row) for row in accepted["changed"]]
    with transaction.atomic():
        if LIST_STORAGE.save_progress(sent_list, state=State.CHANGING, done=0):
            stored = dict(_model_of(sent_list).objects.values_list("key", "code"))
            recoded = [entry for entry in changed if entry.code != stored.get(entry.key, entry.code)]
            free_codes(_model_of(sent_list), recoded)


def _change_some(sent_list: ListImport, accepted: Accepted, _now: datetime.datetime) -> None:
    changed = [read_entry(row) for row in accepted["changed"][sent_list.done : sent_list.done + ROWS_A_TRANSACTION]]
    with transaction.atomic():
        if not changed:
            LIST_STORAGE.save_progress(sent_list, state=State.SETTLING, done=0)
        elif LIST_STORAGE.save_progress(sent_list, done=sent_list.done + len(changed)):
            # A list of telephone numbers changes both units and agencies.
            for model, kind in ((AdminUnit, UnitEntry), (Agency, AgencyEntry)):
                if some := [entry for entry in changed if isinstance(entry, kind)]:
                    update_entries(model, some)


def _settle_some(sent_list: ListImport, accepted: Accepted, now: datetime.datetime) -> None:
    """Write paths, successors of new entries and the agencies above them; then show all of them in one statement."""
    model = _model_of(sent_list)
    linked = []
    for rank in accepted["added"]:
        linked += [row for row in rank if row["successors"] or row.get("answers_to")]
    some = [read_entry(row) for row in linked[sent_list.done : sent_list.done + ROWS_A_TRANSACTION]]
    wrong = [] if some else wrong_paths(model)[:ROWS_A_TRANSACTION]
    with transaction.atomic():
        if some:
            if LIST_STORAGE.save_progress(sent_list, done=sent_list.done + len(some)):
                write_parents(model, some)
                write_successions(model, some)
        elif wrong:
            if LIST_STORAGE.save_progress(sent_list, done=sent_list.done):
                write_paths(model, wrong)
        elif LIST_STORAGE.save_progress(sent_list, state=State.DONE, done=0, accepted={}):
            model.everything.filter(arriving=sent_list).update(arriving=None)
            count_change()
            if sent_list.about == "agencies":
                # Not in this transaction: a list may end hundreds of agencies, each with many letters to follow.
                transaction.on_commit(lambda: notify_followers([sent_list]), robust=True)
            counts = {"added": sent_list.added, "changed": sent_list.changed, "unchanged": accepted["unchanged"]}
            who = sent_list.made_by.username
            hash_chain.record(who, "list_imported", sent_list.sha256, now=now, about=sent_list.about, **counts)


def _delete_some(sent_list: ListImport, _accepted: Accepted, _now: datetime.datetime) -> None:
    """Delete from below, starting with entries on which none depends."""
    everything = _model_of(sent_list).everything
    with transaction.atomic():
        free = everything.filter(arriving=sent_list, children=None).order_by().values_list("pk", flat=True)
        some = list(free[:ROWS_A_TRANSACTION])
        if some:
            everything.filter(pk__in=some).delete()
        else:
            ListImport.objects.filter(pk=sent_list.pk).delete()


LIST_STORAGE = ListStorage(
    ListImport,
    {
        State.STORING: _store_some,
        State.CHANGING: _change_some,
        State.SETTLING: _settle_some,
        State.WITHDRAWING: _delete_some,
    },
)
continue_list = LIST_STORAGE.continue_list
continue_lists = LIST_STORAGE.continue_all
withdraw_list = LIST_STORAGE.withdraw


def purge(now: datetime.datetime) -> None:
    """Delete lists that were neither applied nor discarded within a day."""
    LIST_STORAGE.delete_older(now - LIST_LIFE)
