# SPDX-License-Identifier: Apache-2.0
"""What a tap on the page of the draft changes in the form as typed: a task more or less, a recipient, one due day.

Nothing is stored: the page comes back with the form as it was typed and the one change in it, and says how to take it
back. So no tap loses what somebody has typed, and the draft changes only by *Store the draft*.
"""

from dataclasses import dataclass

from django.http import QueryDict

from bluezone.rollout.directives.expanding import names_in

TOTAL = "task-TOTAL_FORMS"
PURPOSES = ("action", "information", "file")
_MOST_TASKS = 1000


@dataclass(frozen=True)
class Change:
    """What a tap did: `what` names it, `about` says to whom, `undo` is the tap that takes it back ("": none)."""

    what: str
    about: str = ""
    undo: str = ""


NOTHING = Change("nothing")


def changed(sent: QueryDict, tap: str) -> tuple[QueryDict, Change]:
    """The form with the change of one tap; an unknown tap changes nothing. tap: "drop-task:2", "same-due" and so on."""
    data = sent.copy()
    name, _colon, rest = tap.partition(":")
    act = {
        "add-task": _add_task,
        "drop-task": _drop_task,
        "keep-task": _keep_task,
        "add-recipient": _add_recipient,
        "drop-recipient": _drop_recipient,
        "put-recipient": _put_recipient,
        "same-due": _same_due,
        "due-days": _due_days,
    }.get(name)
    return data, act(data, rest) if act else NOTHING


def _number(text: str, below: int) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 and int(text) < below else None


def _count(data: QueryDict) -> int:
    return _number(data.get(TOTAL, ""), _MOST_TASKS) or 0


def _add_task(data: QueryDict, _rest: str) -> Change:
    count = _count(data)
    data[TOTAL] = str(count + 1)
    data[f"task-{count}-report_every"] = "week"
    data[f"task-{count}-due"] = data.get("due_for_all", "")
    return Change("task-added", undo=f"drop-task:{count}")


def _drop_task(data: QueryDict, number: str) -> Change:
    if _number(number, _count(data)) is None:
        return NOTHING
    data[f"task-{number}-DELETE"] = "on"
    return Change("task-dropped", undo=f"keep-task:{number}")


def _keep_task(data: QueryDict, number: str) -> Change:
    if _number(number, _count(data)) is None:
        return NOTHING
    data[f"task-{number}-DELETE"] = ""
    return Change("task-kept")


def _lines(data: QueryDict, purpose: str) -> list[str]:
    return names_in(data.get(f"recipients_{purpose}", ""))


def _store(data: QueryDict, purpose: str, lines: list[str]) -> None:
    data[f"recipients_{purpose}"] = "\n".join(lines)


def _add_recipient(data: QueryDict, _rest: str) -> Change:
    name, purpose = " ".join(data.get("recipient_name", "").split()), data.get("recipient_purpose", "")
    if not name or purpose not in PURPOSES:
        return NOTHING
    return _put(data, purpose, len(_lines(data, purpose)), name)


def _put_recipient(data: QueryDict, rest: str) -> Change:
    purpose, number, name = [*rest.split(":", 2), "", ""][:3]
    place = _number(number, 10_000)
    return _put(data, purpose, place, name) if purpose in PURPOSES and place is not None and name else NOTHING


def _put(data: QueryDict, purpose: str, place: int, name: str) -> Change:
    lines = _lines(data, purpose)
    if name not in lines:
        lines.insert(place, name)
    _store(data, purpose, lines)
    return Change("recipient-added", name, f"drop-recipient:{purpose}:{lines.index(name)}")


def _drop_recipient(data: QueryDict, rest: str) -> Change:
    purpose, _colon, number = rest.partition(":")
    lines = _lines(data, purpose) if purpose in PURPOSES else []
    place = _number(number, len(lines))
    if place is None:
        return NOTHING
    gone = lines.pop(place)
    _store(data, purpose, lines)
    return Change("recipient-dropped", gone, f"put-recipient:{purpose}:{place}:{gone}")


def _same_due(data: QueryDict, _rest: str) -> Change:
    day, count = data.get("due_for_all", ""), _count(data)
    before = ",".join(data.get(f"task-{number}-due", "") for number in range(count))
    for number in range(count):
        data[f"task-{number}-due"] = day
    return Change("due-set", undo=f"due-days:{before}")


def _due_days(data: QueryDict, days: str) -> Change:
    for number, day in enumerate(days.split(",")[: _count(data)]):
        data[f"task-{number}-due"] = day
    return Change("due-back")
