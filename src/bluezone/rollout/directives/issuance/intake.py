# SPDX-License-Identifier: Apache-2.0
"""Take a letter in: keep its original, propose what it says, and store that as a draft for the clerk to correct."""

import dataclasses
import datetime
import unicodedata
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from bluezone.directory.models import Agency
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.models import User
from bluezone.identity.objects import Ownership, touches
from bluezone.letters.letter import SCAN_PACKAGES, Letter, Scan, can_read_scans, reading_figures
from bluezone.letters.letter_text import LetterWithoutText
from bluezone.letters.proposal import Due, Every, PartyRole, Proposal, Proposed, Purpose, Urgency
from bluezone.letters.reader import propose
from bluezone.letters.timing import sentence_around
from bluezone.refusal import Refused
from bluezone.rollout.directives.issuance.addressees import Directory
from bluezone.rollout.directives.issuance.attachments import store
from bluezone.rollout.directives.models import Directive, Kind, Priority, StoredFile, Task
from bluezone.training import practised
from bluezone.vietnamese.spelling import fold

_PRIORITY = {
    Urgency.URGENT: Priority.URGENT,
    Urgency.VERY_URGENT: Priority.URGENT,
    Urgency.EXPRESS: Priority.EXPRESS,
}
_EVERY = {Every.WEEK: Task.Every.WEEK, Every.MONTH: Task.Every.MONTH}
# Characters after a day in which the letter may still say that it is a report which is due then.
_AFTER_THE_DAY = 80
# Sentences shown that may be orders, and characters of each.
_MOST_UNSURE, _LONGEST_UNSURE = 12, 300


def take_in(
    data: bytes, name: str, issuer: Agency, user: User, now: datetime.datetime, *, keep: bool = True
) -> Directive:
    """Store a letter as a draft.

    keep: whether the bytes are a file to be kept; False for pasted text. A document of old Word, RTF or ODT never is.
    A picture or a scan is kept too, with its pages beside the form; what Tesseract reads in it is proposed, and nothing
    of that counts as sure. Raises what `Letter.check`, `Letter.read` and `propose` refuse; nothing is stored then.
    """
    letter = Letter(data)
    keep = keep and not letter.is_read_only
    if keep:
        letter.examine()
    scan: Scan | None = None
    read: Proposal | None
    try:
        read = propose(letter.read().text)
    except LetterWithoutText:
        scan = letter.read_scan()
        read = _proposed(scan)
    directory = Directory.of(timezone.localdate(now), issuer) if read else None
    with transaction.atomic():
        original = store(letter, name) if keep else None
        if read is None or directory is None:
            draft = _empty_draft(issuer, user, now, original)
        else:
            draft = _draft(read, directory, issuer, user, now, original)
        if scan is not None:
            draft.proposal = {**draft.proposal, **_beside(scan, draft.proposal.get("seen", {}))}
            draft.save(update_fields=["proposal"])
        return draft


def _proposed(scan: Scan) -> Proposal | None:
    """What a scan says, None where too little of it was read to be a letter."""
    try:
        return propose(scan.text) if scan.read else None
    except Refused:
        return None


def _beside(scan: Scan, seen: dict[str, Any]) -> dict[str, Any]:
    """The pages of a scan for the page of its draft: how many were read, and where on them each field stands."""
    marks: list[list[dict[str, Any]]] = [[] for _ in range(scan.pages)]
    for name, place in seen.items():
        place["confidence"] = "low"  # what a machine sees in a picture is looked at again
        if found := scan.place_of(place["passage"].rstrip("…")):
            page, *corners = found
            marks[page].append({"field": name, "box": [round(1000 * corner) for corner in corners]})
    return {"scan": {"pages": marks, "read": len(scan.read), "missing": scan.missing}}


def _empty_draft(issuer: Agency, user: User, now: datetime.datetime, original: StoredFile | None) -> Directive:
    subject = original.name.rsplit(".", 1)[0] if original else "…"
    return Directive.objects.create(issuer=issuer, subject=subject, made_by=user, made_at=now, original=original)


def _draft(
    read: Proposal,
    directory: Directory,
    issuer: Agency,
    user: User,
    now: datetime.datetime,
    original: StoredFile | None,
) -> Directive:
    recipients, unknown = _recipients(read, directory)
    signer = read.signers[0].value if read.signers else None
    directive = Directive.objects.create(
        kind=Kind(read.kind.value.value),
        number=(read.number.value.number or "")[:12] if read.number else "",
        notation=read.number.value.notation[:40] if read.number else "",
        date=read.date.value if read.date else None,
        subject=unicodedata.normalize("NFC", read.subject.value)[:500] if read.subject else "…",
        issuer=issuer,
        signer_name=(signer.name or "")[:80] if signer else "",
        signer_position=(signer.position or "")[:120] if signer else "",
        authority="\n".join(f"{line.authority}. {line.of}" for line in signer.authorities)[:300] if signer else "",
        basis="\n".join(_reference(one.value) for one in read.basis)[:2000],
        priority=_PRIORITY[read.urgency.value] if read.urgency else Priority.NORMAL,
        text=read.text,
        original=original,
        recipients_action="\n".join(recipients[Purpose.ACTION]),
        recipients_information="\n".join(recipients[Purpose.INFORMATION]),
        recipients_file="\n".join(recipients[Purpose.FILE]),
        made_by=user,
        made_at=now,
    )
    tasks = [_task(directive, position, read, directory) for position in range(len(read.tasks))]
    Task.objects.bulk_create([task for task, _ in tasks])
    directive.proposal = {
        "seen": _seen(read),
        "unread": list(read.unread),
        "unsure": [one.value[:_LONGEST_UNSURE] for one in read.unsure[:_MOST_UNSURE]],
        "co_issuers": [one.value for one in read.co_issuers],
        "converted_from": read.converted_from,
        "unknown": unknown,
        "tasks": [{**_seen_task(read, number), "unknown": missed} for number, (_, missed) in enumerate(tasks)],
    }
    directive.save(update_fields=["proposal"])
    return directive


def _recipients(read: Proposal, directory: Directory) -> tuple[dict[Purpose, list[str]], list[str]]:
    """Names by purpose, and those of them that the directory does not know: nothing goes out before they are settled.

    "Như kính gửi" stands for the addressees.
    """
    named: dict[Purpose, list[str]] = {purpose: [] for purpose in Purpose}
    named[Purpose.ACTION] += [one.value.name for one in read.addressees]
    for one in read.recipients:
        if one.value.refers_to is None:
            named[one.value.purpose].append(one.value.name)
    named = {purpose: list(dict.fromkeys(names)) for purpose, names in named.items()}
    told = [*named[Purpose.ACTION], *named[Purpose.INFORMATION]]
    _known, unknown = directory.known(told)
    return named, unknown


def _task(directive: Directive, position: int, read: Proposal, directory: Directory) -> tuple[Task, list[str]]:
    proposed = read.tasks[position]
    lead, missed = directory.known(proposed.names(PartyRole.LEAD))
    cooperating, missed_too = directory.known(proposed.names(PartyRole.COOPERATING))
    due = proposed.due or read.due
    day, hour = _deadline(due.value) if due else (None, None)
    lines = [proposed.text.value, *(f"- {point.value}" for point in proposed.points)]
    if due and not _is_storable(due.value) and (words := _words_missing(read, due, lines)):
        lines.append(words)
    task = Task(
        directive=directive,
        position=position,
        label=proposed.label[:20],
        text="\n".join(lines)[:8000],
        lead_names="\n".join(lead),
        cooperating_names="\n".join(cooperating),
        due=day,
        due_time=hour,
        report_every=_report_of(read, due),
    )
    return task, missed + missed_too


def _is_storable(due: Due) -> bool:
    """Whether a task has fields for it: a day, or a week or month without an own day or hour."""
    if due.every is None:
        return due.date is not None
    return due.every in _EVERY and due.weekday is None and due.day_of_month is None and due.time is None


def _words_missing(read: Proposal, due: Proposed[Due], lines: list[str]) -> str:
    """The sentence that says when it is due, "" where the task has it: one for all tasks, or a cell of a table."""
    words = sentence_around(read.text, due.span)
    have = " ".join(" ".join(lines).split())
    return "" if words in have or read.text[due.span.start : due.span.end] in have else words


def _deadline(due: Due) -> tuple[datetime.date | None, datetime.time | None]:
    """The last day in time and, where the letter names one, the hour until which. "Trước ngày" leaves that day out."""
    if due.date is None:
        return None, None
    if due.time is not None and due.time != datetime.time():
        return due.date, due.time
    # Before a day, and before its hour zero, is the day before.
    return (due.date if due.inclusive and due.time is None else due.date - datetime.timedelta(days=1)), None


def _report_of(read: Proposal, due: Proposed[Due] | None) -> Task.Every:
    """The report that the letter itself orders: again and again, once by its day, or none."""
    if due is None:
        return Task.Every.NEVER
    if due.value.every:
        return _EVERY.get(due.value.every, Task.Every.NEVER)
    start = read.text.rfind("\n", 0, due.span.start) + 1
    paragraph = read.text[start : due.span.end + _AFTER_THE_DAY]
    return Task.Every.ONCE if "bao cao" in fold(paragraph) and due.value.date else Task.Every.NEVER


def _seen(read: Proposal) -> dict[str, Any]:
    """Where each value of the form was read, and how sure: field name -> passage, confidence, doubts."""
    places: dict[str, Proposed[Any] | None] = {
        "number": read.number,
        "date": read.date,
        "subject": read.subject,
        "kind": read.kind,
        "basis": read.basis[0] if read.basis else None,
        "signer_name": read.signers[0] if read.signers else None,
        "recipients_action": read.addressees[0] if read.addressees else None,
        "recipients_information": read.recipients[0] if read.recipients else None,
        "priority": read.urgency,
    }
    return {name: _passage(read.text, proposed) for name, proposed in places.items() if proposed}


def _seen_task(read: Proposal, number: int) -> dict[str, Any]:
    task = read.tasks[number]
    doubtful = min((party.confidence for party in task.parties), key=["low", "medium", "high"].index, default="low")
    return {"confidence": str(doubtful), "passage": _passage(read.text, task.text)["passage"]}


def _passage(text: str, proposed: Proposed[Any]) -> dict[str, Any]:
    """The passage, its neighbourhood cut at 160 characters."""
    passage = " ".join(text[proposed.span.start : proposed.span.end].split())
    return {
        "passage": passage[:160] + ("…" if len(passage) > 160 else ""),
        "confidence": str(proposed.confidence),
        "doubts": [str(doubt) for doubt in proposed.doubts],
    }


def _reference(reference: Any) -> str:
    values = dataclasses.asdict(reference)
    day = f" ngày {values['date']:%d/%m/%Y}" if values["date"] else ""
    issuer = f" của {values['issuer']}" if values["issuer"] else ""
    subject = f" {values['subject']}" if values["subject"] else ""
    return f"{values['number']}{day}{issuer}{subject}"


# Fields of a proposal that is not complete, with what a page calls them; the others are labelled by the form.
_UNREAD = {"issuer": _("Issuing agency"), "tasks": _("Tasks"), "signers": _("Signed by"), "recipients": _("Recipients")}


def shown_reading(directive: Directive, labels: Mapping[str, str]) -> dict[str, Any]:
    """What the page of a draft shows of how its letter was read. labels: field of the form -> its label."""
    proposal: dict[str, Any] = directive.proposal
    scan = proposal.get("scan")
    if scan:
        pages = [[_mark(mark, labels) for mark in marks] for marks in scan["pages"]]
        scan = {**scan, "pages": pages if directive.original else []}
    unread = [str(_UNREAD.get(name) or labels.get(name, name)) for name in proposal.get("unread", [])]
    seen = proposal.get("seen", {})
    return {"seen": seen, "proposal": proposal, "scan": scan, "packages": SCAN_PACKAGES, "unread": unread}


def _mark(mark: dict[str, Any], labels: Mapping[str, str]) -> dict[str, Any]:
    """A marked place in thousandths of a page's width; pages are shown as A4 is high."""
    x0, y0, x1, y1 = mark["box"]
    top, bottom = round(y0 * 1.414), round(y1 * 1.414)
    label = labels.get(mark["field"], mark["field"])
    return {"label": label, "x": x0 - 4, "y": top - 4, "width": x1 - x0 + 8, "height": bottom - top + 8}


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.NOTHING)
def how_well_read(request: OfficeRequest) -> HttpResponse:
    """How well letters are read, as `bluezone bench letters` measured it last."""
    return render(request, "directives/reading.html", {"figures": reading_figures(), "may_scan": can_read_scans()})
