# SPDX-License-Identifier: Apache-2.0
"""What the orders of a letter stand in, and how one of them becomes a task."""

import dataclasses
import datetime
import re
from collections.abc import Sequence

from bluezone.letters.body.parties import LABELLED, Order, read_names, with_addressees
from bluezone.letters.due_dates import read_date_cell, read_due
from bluezone.letters.letter_text import Passage, joined
from bluezone.letters.proposal import (
    Addressee,
    Confidence,
    DocumentKind,
    Due,
    PartyRole,
    Proposed,
    ProposedTask,
    TaskParty,
)
from bluezone.vietnamese.spelling import fold


@dataclasses.dataclass(frozen=True)
class Context:
    """What the orders of a letter stand in.

    informs: the line above the clauses announces facts. joint: several bodies issue it, and share out what they do.
    recipients: the names of Nơi nhận; executing: of them those who get it to carry it out. minutes: it is headed
    "BIÊN BẢN". reports: it says that the letter reports or answers, so that only what is asked for in so many words is
    an order. unsure: filled with the passages that may be orders, and are not proposed as such.
    """

    kind: DocumentKind
    addressees: tuple[Proposed[Addressee], ...]
    date: datetime.date | None
    issuer: str
    superior: str = ""
    informs: bool = False
    reports: bool = False
    joint: bool = False
    recipients: tuple[str, ...] = ()
    executing: tuple[str, ...] = ()
    minutes: bool = False
    unsure: list[Passage] = dataclasses.field(default_factory=list)

    @property
    def form(self) -> str:
        """The kind of document, with minutes apart from other ones without a kind of their own."""
        return "minutes" if self.minutes else self.kind


# Whoever is addressed is meant by it.
_EVERYBODY = re.compile(
    r"(?:[Tt]hủ trưởng )?(?:[Cc]ác )?(?:(?:cơ quan|đơn vị|địa phương|đồng chí|ngành|ông|bà)(?:,? |$)(?:và )?)+"
    r"(?:trên|nêu trên|này)?$|[Qq]uý\s"
)


def is_issuer(order: Order, context: Context) -> bool:
    leads = [party.value.name for party in order.parties if party.value.role is PartyRole.LEAD]
    if context.joint or len(leads) != 1 or any(one.value.name == leads[0] for one in context.addressees):
        return False
    return _same_body(leads[0], context.issuer)


def is_above(order: Order, context: Context) -> bool:
    """Whether only the body above the issuer, or its head, is named: what it does is told."""
    return is_issuer(order, dataclasses.replace(context, issuer=context.superior))


def is_told_nothing(passage: Passage, order: Order, context: Context) -> bool:
    """Whether only the issuer is named, which says what it does itself, unless it is given an order: "Giao …"."""
    return is_issuer(order, context) and not GIVES.match(passage.text)


GIVES = re.compile(r"[Gg]iao\s|[Pp]hân công\s")


_SPEAKERS = re.compile(r"^(?:chu tich|ban thuong vu|thuong truc|ban giam doc|ban giam hieu|ban chap hanh) ")


def _same_body(name: str, issuer: str) -> bool:
    short = {"ubnd": "uy ban nhan dan", "hdnd": "hoi dong nhan dan", "bch": "ban chap hanh", "btv": "ban thuong vu"}
    if re.search(r"\scác\s", name):
        return False  # those below it, of the same name
    names = []
    for one in (name, issuer):
        folded = fold(one)
        for abbreviation, whole in short.items():
            folded = folded.replace(abbreviation, whole)
        names.append(_SPEAKERS.sub("", folded).strip(" ."))
    if not all(names):
        return False
    if names[0] == names[1] or names[1].startswith(f"{names[0]} "):
        return True
    return len(names[1].split()) >= 2 and names[0].startswith(f"{names[1]} ")


def are_addressed(parties: Sequence[Proposed[TaskParty]], context: Context) -> bool:
    """Return whether all who lead are among those whom the letter addresses, by the words of their names."""
    addressed = [fold(one.value.name) for one in context.addressees]
    if addressed and all(_EVERYBODY.match(one.value.name) for one in parties if one.value.role is PartyRole.LEAD):
        return True
    leads = [fold(party.value.name) for party in parties if party.value.role is PartyRole.LEAD]
    return all(any(lead in one or one in lead for one in addressed) for lead in leads)


_GOVERNS = ("uy ban", "ubnd", "bo ", "ban chi dao", "van phong", "huyen uy", "tinh uy", "thanh uy", "thu tuong")


def are_peers(parties: Sequence[Proposed[TaskParty]], context: Context) -> bool:
    """Return whether one who leads is an office of the issuer's kind, which it can only ask: "Sở" and "Sở"."""
    kind = fold(context.issuer).split(" ")[0]
    if fold(context.issuer).startswith(_GOVERNS):
        return False
    leads = [fold(party.value.name) for party in parties if party.value.role is PartyRole.LEAD]
    return any(lead.split(" ")[0] == kind for lead in leads)


def is_function(passage: Passage, order: Order, context: Context) -> bool:
    """Whether the passage says what a committee is there for; with a day, or with points below, it is a duty."""
    only_says = passage.text.startswith("có nhiệm vụ", order.at) and not passage.text.endswith(":")
    return only_says and not read_due(passage, context.date)


def capital(passage: Passage) -> Passage:
    return dataclasses.replace(passage, text=passage.text[:1].upper() + passage.text[1:])


def _whole_name(party: Proposed[TaskParty], own: Passage, context: Context) -> Proposed[TaskParty]:
    """The party under the name by which the letter addresses it, where a verb within that name seemed to end it:
    "Các cơ sở cung cấp suất ăn sẵn".
    """
    text = own.text.casefold()
    for addressee in context.addressees:
        whole = addressee.value.name.casefold()
        at = text.find(whole)
        if at >= 0 and whole.startswith(f"{party.value.name.casefold()} ") and own.span(at).start == party.span.start:
            name = own.text[at : at + len(whole)]
            return dataclasses.replace(
                party, value=dataclasses.replace(party.value, name=name), span=own.span(at, at + len(whole))
            )
    return party


def make_task(
    label: str,
    own: Passage,
    points: Sequence[Passage],
    parties: tuple[Proposed[TaskParty], ...],
    context: Context,
    *,
    lead: tuple[Proposed[TaskParty], ...] = (),
    labelled: Sequence[Passage] = (),
    sure: bool = True,
) -> ProposedTask:
    found = list(parties)
    due: Proposed[Due] | None = None
    for line in labelled:
        match = LABELLED.match(line.text)
        assert match is not None
        value = line.cut(match.end())
        if match["due"]:
            due = read_date_cell(value, context.date) or read_due(line, context.date)
        else:
            found += read_names(value, PartyRole.LEAD if match["lead"] else PartyRole.COOPERATING)
    if not any(party.value.role is PartyRole.LEAD for party in found):
        found = [*lead, *found]
    whole = joined([own, *points])
    return ProposedTask(
        label=label,
        text=Proposed(own.text, own.span(), Confidence.HIGH if sure else Confidence.MEDIUM),
        points=tuple(Proposed(point.text, point.span()) for point in points),
        parties=with_addressees([_whole_name(party, own, context) for party in found], context.addressees),
        due=due or read_due(whole, context.date),
    )
