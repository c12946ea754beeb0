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
# What the office offers to take back within ten seconds.
ENDED = "school_class_ended"
LONGEST_NAME = 20
_NUMBER_AFTER = re.compile(r"(.*?)[\t,;: ]+(\d{1,4})\s*\Z")


class ClassListRefused(Refused):
    """A list of classes with a line that is no class; `line` is its number, `rule` what is wrong with it."""

    code = "class_list_refused"

    def __init__(self, message: str, line: int, rule: str) -> None:
        super().__init__(message)
        self.line = line
        self.rule = rule


@dataclass(frozen=True)
class NamedClass:
    """A class as a list names it. pupils, teacher: None where the list does not say."""

    name: str
    pupils: int | None
    teacher: User | None = None

    def differs(self, there: SchoolClass) -> bool:
        """Whether entering this would change a class that is there."""
        return bool(
            there.ended_on
            or (self.pupils is not None and self.pupils != there.pupils)
            or (self.teacher is not None and self.teacher.pk != there.teacher_id)
        )


def read_list(text: str) -> list[NamedClass]:
    """Read lines such as "6A 32", "6A", or two columns of a spreadsheet. Raises ClassListRefused."""
    found: dict[str, NamedClass] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        if len(found) >= MOST_CLASSES:
            raise ClassListRefused(f"more than {MOST_CLASSES} classes", number, "many")
        one = _read(line.strip(), number)
        if fold_name(one.name) in found:
            raise ClassListRefused("the class is in the list twice", number, "twice")
        found[fold_name(one.name)] = one
    return list(found.values())


def fold_name(name: str) -> str:
    """A name of a class as it is compared: "Lớp 6 A", "6a" and "6A" are one."""
    plain = re.sub(r"[^a-z0-9/+.-]", "", fold(name))
    return plain.removeprefix("lop")[:LONGEST_NAME] or plain[:LONGEST_NAME]


def enter(school: Agency, year: int, named: Sequence[NamedClass], by: User, now: datetime.datetime) -> tuple[int, int]:
    """Enter classes of a year; one that is there gets what the list says, and is not ended any more.

    Returns how many are new and how many were changed.
    """
    with transaction.atomic():
        before = {one.folded: one for one in SchoolClass.objects.filter(school=school, year=year)}
        if len({*before, *(fold_name(one.name) for one in named)}) > MOST_CLASSES:
            raise ClassListRefused(f"more than {MOST_CLASSES} classes", 0, "many")
        made = changed = 0
        for one in named:
            there = before.get(fold_name(one.name))
            if there is None:
                SchoolClass.objects.create(
                    school=school, year=year, name=one.name, folded=fold_name(one.name), pupils=one.pupils,
                    teacher=one.teacher, made_at=now,
                )  # fmt: skip
                made += 1
            elif one.differs(there):
                there.ended_on, there.pupils = None, there.pupils if one.pupils is None else one.pupils
                there.teacher = one.teacher or there.teacher
                there.save(update_fields=["ended_on", "pupils", "teacher"])
                changed += 1
        if made or changed:
            hash_chain.record(
                by.username, "school_classes_set", school.key, now=now, year=year, made=made, changed=changed
            )
    return made, changed


def correct(
    one: SchoolClass, name: str, pupils: int | None, teacher: User | None, by: User, now: datetime.datetime
) -> None:
    """Change a class's name, size or teacher. Raises ClassListRefused for a name that is taken or none."""
    read = _read(name.strip(), 1) if name.strip() else None
    if read is None or read.pupils is not None:
        raise ClassListRefused("no name of a class", 1, "name")
    one.name, one.folded, one.pupils, one.teacher = read.name, fold_name(read.name), pupils, teacher
    try:
        with transaction.atomic():
            one.save(update_fields=["name", "folded", "pupils", "teacher"])
            hash_chain.record(by.username, "school_classes_set", one.school.key, now=now, changed=1, year=one.year)
    except IntegrityError:
        raise ClassListRefused("another class of the year has this name", 1, "twice") from None


def end(one: SchoolClass, day: datetime.date, by: User, now: datetime.datetime) -> None:
    """End a class: it owes nothing from the week after `day` on, its link opens nothing, what it sent stays."""
    with transaction.atomic():
        one.ended_on, one.link_digest, one.pin_digest, one.link_made_at = day, None, "", None
        one.save(update_fields=["ended_on", "link_digest", "pin_digest", "link_made_at"])
        hash_chain.record(by.username, "school_classes_set", one.school.key, now=now, ended=1, year=one.year)


def let_it_go_on(by: User, values: dict[str, Any], now: datetime.datetime) -> None:
    """Let a class that was ended by a slip go on; its link stays closed. Raises UndoTooLate."""
    one = SchoolClass.everything.select_related("school").filter(pk=values["pk"]).exclude(ended_on=None).first()
    if one is None:
        raise acts.UndoTooLate("the class goes on already")
    with transaction.atomic():
        one.ended_on = None
        one.save(update_fields=["ended_on"])
        if not one.training:
            hash_chain.record(by.username, "school_classes_set", one.school.key, now=now, ended=-1, year=one.year)


def carried_over(school: Agency, year: int) -> list[NamedClass]:
    """The classes of the year before, a grade higher; those whose pupils have left are not among them."""
    names = SchoolClass.objects.filter(school=school, year=year - 1, ended_on=None).values_list("name", flat=True)
    return [NamedClass(later, None) for later in map(next_name, names) if later]


def _read(line: str, number: int) -> NamedClass:
    cells = [cell.strip() for cell in line.split("\t") if cell.strip()]
    if len(cells) > 2:
        raise ClassListRefused("more than a name and a number", number, "cells")
    split = _NUMBER_AFTER.fullmatch(line) if len(cells) == 1 else None
    name, pupils = (split[1].strip(), split[2]) if split else (cells[0], cells[1] if len(cells) == 2 else "")
    if pupils and (not pupils.isascii() or not pupils.isdigit() or int(pupils) > MOST_PUPILS):
        raise ClassListRefused(f"expected 0..{MOST_PUPILS} pupils", number, "number")
    if not is_name(name):
        raise ClassListRefused("no name of a class", number, "name")
    return NamedClass(" ".join(name.split()), int(pupils) if pupils else None)


def is_name(text: str) -> bool:
    """Whether a text can be the name of a class, and is not that of a person."""
    return bool(text) and len(text) <= LONGEST_NAME and bool(fold_name(text)) and not looks_like_a_person(text)
