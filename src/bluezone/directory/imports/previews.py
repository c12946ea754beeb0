# SPDX-License-Identifier: Apache-2.0
"""The plan of an import in the reader's words: names instead of keys, labels instead of field names."""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from bluezone.directory import refusals
from bluezone.directory.imports.plans import Doubt, FieldChange, Plan
from bluezone.directory.kinds import AgencyKind, Quantity, UnitKind
from bluezone.directory.records.entries import Directory, Entry, UnitEntry

FIELDS: Mapping[str, Promise] = {
    "code": _("Code"),
    "name": _("Official name"),
    "short_name": _("Short name"),
    "answers_to": _("Answers to"),
    "phone": _("Telephone of the agency"),
    "email": _("E-mail of the agency"),
    "edxml_id": _("Identifier on the document axis"),
    "head_name": _("Head"),
    "head_phone": _("Telephone of the head"),
    "kind": _("Kind"),
    "parent": _("Unit above"),
    "unit": _("Area of work"),
    "valid_from": _("Valid from"),
    "valid_until": _("No longer valid from"),
    "valid_to": _("No longer valid from"),
    "successors": _("Successors"),
    "confirmed": _("Confirmed by the city"),
    "unconfirmed": _("Not yet confirmed"),
}
_KINDS: Mapping[str, Promise | str] = {
    **{kind.value: kind.label for kind in UnitKind},
    **{kind.value: kind.label for kind in AgencyKind},
}

Value = str | datetime.date


@dataclass(frozen=True)
class ChangeInWords:
    """A field before and after; days stay dates, so that the page formats them in its language."""

    label: str
    before: Value
    after: Value
    is_day: bool = False


@dataclass(frozen=True)
class RowInWords:
    """A row of the list: its number in the file, the entry's name, code, kind and place, and the changes."""

    row: str
    name: str
    code: str
    kind: str
    place: str
    changes: tuple[ChangeInWords, ...] = ()


@dataclass(frozen=True)
class PlanInWords:
    """A plan as its page shows it.

    doubts: row number and sentence of each doubt. doubted: one sentence for all rows with the same doubt.
    """

    added: list[RowInWords]
    changed: list[RowInWords]
    doubts: list[tuple[int, str]]
    doubted: list[str]


def describe_plan(plan: Plan) -> PlanInWords:
    """A plan with the names and labels that its page shows."""
    directory = plan.directory
    alike: dict[Doubt, list[int]] = {}
    for doubt in plan.doubts:
        alike.setdefault(replace(doubt, row=0), []).append(doubt.row)
    return PlanInWords(
        [_row(added.row, added.entry, directory) for added in plan.added],
        [
            _row(changed.row, changed.after, directory, [_change(change, directory) for change in changed.changes])
            for changed in plan.changed
        ],
        [(doubt.row, _doubt(doubt, refusals.row_name(doubt.row), directory)) for doubt in plan.doubts],
        [_doubt(doubt, refusals.row_names(rows), directory) for doubt, rows in alike.items()],
    )


def field_labels(names: Iterable[str]) -> list[str]:
    """The labels of an entry's fields."""
    return [str(FIELDS.get(name, name)) for name in names]


def _row(number: int, entry: Entry, directory: Directory, changes: Iterable[ChangeInWords] = ()) -> RowInWords:
    above = entry.parent if isinstance(entry, UnitEntry) else entry.unit
    place = directory.units[above].name if above and above in directory.units else ""
    return RowInWords(
        refusals.row_name(number), entry.name, entry.code or "", str(_KINDS[entry.kind.value]), place, tuple(changes)
    )


def _change(change: FieldChange, directory: Directory) -> ChangeInWords:
    quantity, _space, day = change.field.partition(" ")
    if quantity in Quantity.values:
        label = gettext("%(quantity)s on %(day)s") % {"quantity": Quantity(quantity).label, "day": day}
        return ChangeInWords(label, change.before, change.after)
    label = str(FIELDS.get(change.field, change.field))
    if change.field in ("valid_from", "valid_until"):
        return ChangeInWords(label, _day(change.before), _day(change.after), is_day=True)
    return ChangeInWords(
        label, _text(change.field, change.before, directory), _text(change.field, change.after, directory)
    )


def _day(text: str) -> Value:
    return datetime.date.fromisoformat(text) if text else ""


def _text(field: str, value: str, directory: Directory) -> str:
    if field == "kind":
        return str(_KINDS.get(value, value))
    if field == "confirmed":
        return gettext("yes") if value == "yes" else gettext("no")
    if field == "unconfirmed":
        return ", ".join(field_labels(filter(None, value.split(", "))))
    if field in ("parent", "unit", "answers_to", "successors"):
        entries: dict[str, Entry] = {**directory.units, **directory.agencies}
        return ", ".join(entries[key].name if key in entries else key for key in filter(None, value.split(", ")))
    return value


def _doubt(doubt: Doubt, where: str, directory: Directory) -> str:
    values = {"row": where, "taken": doubt.taken}
    if doubt.about == "zeros":
        return gettext("%(row)s: the code had lost its leading zeros; they were restored.") % values
    if doubt.about == "kind":
        values["kind"] = str(_KINDS[doubt.taken])
        return gettext("%(row)s: the kind was taken from the name: %(kind)s.") % values
    if doubt.about == "area":
        values["place"] = directory.units[doubt.taken].name
        return gettext("%(row)s: the area of work was taken from the name: %(place)s.") % values
    if doubt.about == "several":
        return gettext("%(row)s: only %(taken)s is used from this cell.") % values
    return gettext("%(row)s: there is already an entry with this name and a different code. Is it the same?") % values
