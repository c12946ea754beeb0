# SPDX-License-Identifier: Apache-2.0
"""The classes of a school: entered from a list of names, corrected, ended, and carried over to the next year."""

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from bluezone.audit import hash_chain
from bluezone.directory.models import Agency
from bluezone.identity import acts
from bluezone.identity.models import User
from bluezone.refusal import Refused
from bluezone.rollout.schools.classes.pupil_names import looks_like_a_person
from bluezone.rollout.schools.models import MOST_PUPILS, SchoolClass
from bluezone.rollout.schools.school_calendar import next_name
from bluezone.vietnamese.spelling import fold

MOST_CLASSES = 150
# The name of the undo that the office offers for ten seconds.
ENDED = "school_class_ended"
LONGEST_NAME = 20
_NUMBER_AFTER = re.compile(r"(.*?)[\t,;: ]+(\d{1,4})\s*\Z")


class ClassListRefused(Refused):
    """A list of classes is wrong. line: number of the wrong line, 0 for the whole list. rule: a key of forms.LIST."""

    code = "class_list_refused"

    def __init__(self, message: str, line: int, rule: str) -> None:
        super().__init__(message)
        self.line = line
        self.rule = rule


@dataclass(frozen=True)
class ListedClass:
    """A class in a list. pupils, teacher: None if the list does not contain them."""

    name: str
    pupils: int | None
    teacher: User | None = None

    def differs(self, stored: SchoolClass) -> bool:
        """Whether entering this entry would change the stored class."""
        return bool(
            stored.ended_on
            or (self.pupils is not None and self.pupils != stored.pupils)
            or (self.teacher is not None and self.teacher.pk != stored.teacher_id)
        )


def read_list(text: str) -> list[ListedClass]:
    """Parse lines such as "6A 32" or "6A", or two columns of a spreadsheet, separated by tabs.

    Raises ClassListRefused.
    """
    classes: dict[str, ListedClass] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        if len(classes) >= MOST_CLASSES:
            raise ClassListRefused(f"more than {MOST_CLASSES} classes", number, "many")
        entry = _read(line.strip(), number)
        if fold_name(entry.name) in classes:
            raise ClassListRefused("the class is in the list twice", number, "twice")
        classes[fold_name(entry.name)] = entry
    return list(classes.values())


def fold_name(name: str) -> str:
    """The name of a class for comparisons: "Lớp 6 A", "6a" and "6A" are the same."""
    plain = re.sub(r"[^a-z0-9/+.-]", "", fold(name))
    return plain.removeprefix("lop")[:LONGEST_NAME] or plain[:LONGEST_NAME]


def add_classes(
    school: Agency, year: int, entries: Sequence[ListedClass], by: User, now: datetime.datetime
) -> tuple[int, int]:
    """Enter classes of a year. An entry for a stored class updates it, and reopens it if it has ended.

    Returns (number of new classes, number of changed classes). Raises ClassListRefused.
    """
    with transaction.atomic():
        this_year = SchoolClass.objects.filter(school=school, year=year)
        stored_classes = {school_class.folded: school_class for school_class in this_year}
        if len({*stored_classes, *(fold_name(entry.name) for entry in entries)}) > MOST_CLASSES:
            raise ClassListRefused(f"more than {MOST_CLASSES} classes", 0, "many")
        added = changed = 0
        for entry in entries:
            stored = stored_classes.get(fold_name(entry.name))
            if stored is None:
                SchoolClass.objects.create(
                    school=school, year=year, name=entry.name, folded=fold_name(entry.name), pupils=entry.pupils,
                    teacher=entry.teacher, made_at=now,
                )  # fmt: skip
                added += 1
            elif entry.differs(stored):
                stored.ended_on = None
                if entry.pupils is not None:
                    stored.pupils = entry.pupils
                stored.teacher = entry.teacher or stored.teacher
                stored.save(update_fields=["ended_on", "pupils", "teacher"])
                changed += 1
        if added or changed:
            hash_chain.record(
                by.username, "school_classes_set", school.key, now=now, year=year, made=added, changed=changed
            )
    return added, changed


def correct_class(
    school_class: SchoolClass, name: str, pupils: int | None, teacher: User | None, by: User, now: datetime.datetime
) -> None:
    """Change a class's name, size and teacher. Raises ClassListRefused if the name is in use, or is no class name."""
    entry = _read(name.strip(), 1) if name.strip() else None
    if entry is None or entry.pupils is not None:
        raise ClassListRefused("no name of a class", 1, "name")
    school_class.name = entry.name
    school_class.folded = fold_name(entry.name)
    school_class.pupils = pupils
    school_class.teacher = teacher
    try:
        with transaction.atomic():
            school_class.save(update_fields=["name", "folded", "pupils", "teacher"])
            hash_chain.record(
                by.username, "school_classes_set", school_class.school.key, now=now, changed=1, year=school_class.year
            )
    except IntegrityError:
        raise ClassListRefused("another class of the year has this name", 1, "twice") from None


def close_class(school_class: SchoolClass, day: datetime.date, by: User, now: datetime.datetime) -> None:
    """Close a class: it owes no numbers after the week of `day`, and its link opens nothing; its reports stay."""
    with transaction.atomic():
        school_class.ended_on = day
        school_class.link_digest = None
        school_class.pin_digest = ""
        school_class.link_made_at = None
        school_class.save(update_fields=["ended_on", "link_digest", "pin_digest", "link_made_at"])
        hash_chain.record(
            by.username, "school_classes_set", school_class.school.key, now=now, ended=1, year=school_class.year
        )


def undo_close_class(by: User, values: dict[str, Any], now: datetime.datetime) -> None:
    """Reopen a class that was closed by mistake; its link stays invalid. Raises UndoTooLate."""
    ended = SchoolClass.everything.select_related("school").filter(pk=values["pk"]).exclude(ended_on=None)
    school_class = ended.first()
    if school_class is None:
        raise acts.UndoTooLate("the class is not ended any more")
    with transaction.atomic():
        school_class.ended_on = None
        school_class.save(update_fields=["ended_on"])
        if not school_class.training:
            hash_chain.record(
                by.username, "school_classes_set", school_class.school.key, now=now, ended=-1, year=school_class.year
            )


def propose_next_year(school: Agency, year: int) -> list[ListedClass]:
    """The classes of the year before, one grade higher, without the grades that leave the school."""
    names = SchoolClass.objects.filter(school=school, year=year - 1, ended_on=None).values_list("name", flat=True)
    return [ListedClass(later, None) for later in map(next_name, names) if later]


def _read(line: str, number: int) -> ListedClass:
    cells = [cell.strip() for cell in line.split("\t") if cell.strip()]
    if len(cells) > 2:
        raise ClassListRefused("more than a name and a number", number, "cells")
    name = cells[0]
    pupils = ""
    if len(cells) == 2:
        pupils = cells[1]
    elif match := _NUMBER_AFTER.fullmatch(line):
        name = match[1].strip()
        pupils = match[2]
    if pupils and (not pupils.isascii() or not pupils.isdigit() or int(pupils) > MOST_PUPILS):
        raise ClassListRefused(f"expected 0..{MOST_PUPILS} pupils", number, "number")
    if not is_class_name(name):
        raise ClassListRefused("no name of a class", number, "name")
    return ListedClass(" ".join(name.split()), int(pupils) if pupils else None)


def is_class_name(text: str) -> bool:
    """Whether a text can be the name of a class, and does not look like the name of a person."""
    return bool(text) and len(text) <= LONGEST_NAME and bool(fold_name(text)) and not looks_like_a_person(text)
