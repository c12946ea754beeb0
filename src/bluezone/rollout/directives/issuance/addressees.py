# SPDX-License-Identifier: Apache-2.0
"""Who is meant by the lines of a letter: agencies by name or short name, and groups as their members of the day."""

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass

from bluezone.directory.models import Agency, RecipientGroup
from bluezone.directory.queries import day_to_show, members_of
from bluezone.refusal import Refused
from bluezone.vietnamese.spelling import fold

# The city's own name at the end is often left out: "Phòng Văn hóa và Thông tin (thành phố)".
_ENDINGS = (" thanh pho", " cua thanh pho", " tinh")


class RecipientUnknown(Refused):
    """A line names neither an agency in force nor a recipient group. names: those lines."""

    code = "recipient_unknown"

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(f"{len(names)} names are neither an agency nor a recipient group")
        self.names = names


@dataclass(frozen=True)
class Directory:
    """Names of the day, folded; read once for all lines of a letter: constant queries whatever their number."""

    agencies: dict[str, Agency]
    groups: dict[str, tuple[Agency, ...]]

    @classmethod
    def of(cls, today: datetime.date) -> "Directory":
        """Read it as of today, or as of the last day on which agencies were in force."""
        on = day_to_show(Agency, today)
        agencies: dict[str, Agency] = {}
        for agency in Agency.objects.in_force(on).select_related("unit").order_by("pk"):
            for name in filter(None, (agency.name, agency.short_name, agency.code)):
                agencies.setdefault(_key(name), agency)
        groups = {_key(group.name): tuple(members_of(group, on)) for group in RecipientGroup.objects.all()}
        return cls(agencies, groups)

    def meant_by(self, name: str) -> tuple[Agency, ...]:
        """The agencies a name stands for, () when it stands for none."""
        for key in (_key(name), _key(f"Lưu: {name}")):
            if key in self.groups:
                return self.groups[key]
            if key in self.agencies:
                return (self.agencies[key],)
        return ()

    def expand(self, lines: str) -> list[Agency]:
        """The agencies of several lines, each once, in order. Raises RecipientUnknown naming every line not found."""
        found: dict[int, Agency] = {}
        unknown: list[str] = []
        for name in names_in(lines):
            meant = self.meant_by(name)
            if not meant:
                unknown.append(name)
            found.update((agency.pk, agency) for agency in meant)
        if unknown:
            raise RecipientUnknown(tuple(unknown))
        return list(found.values())

    def known(self, names: Iterable[str]) -> tuple[list[str], list[str]]:
        """The names that stand for somebody, and those that do not."""
        split: tuple[list[str], list[str]] = ([], [])
        for name in dict.fromkeys(names):
            split[0 if self.meant_by(name) else 1].append(name)
        return split


def names_in(lines: str) -> list[str]:
    """The names of a text with one a line, or several with semicolons between."""
    return [name.strip(" \t.-–•") for name in re.split(r"[\n;]", lines) if name.strip(" \t.-–•")]


def _key(name: str) -> str:
    folded = re.sub(r"^uy ban nhan dan ", "ubnd ", fold(name)).rstrip(" .;,:")
    for ending in _ENDINGS:
        folded = folded.removesuffix(ending)
    return folded
