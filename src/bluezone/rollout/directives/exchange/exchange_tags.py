# SPDX-License-Identifier: Apache-2.0
"""Files of a document with their signatures, its exchange by files, and the words and digits of both."""

import datetime
from typing import Any

from django import template
from django.urls import reverse
from django.utils.translation import gettext as _

from bluezone.directory import scopes
from bluezone.letters.timing import orders_rhythm, sentences_of_time
from bluezone.rollout.directives import permissions
from bluezone.rollout.directives.exchange import outgoing
from bluezone.rollout.directives.exchange.edxml import StatusCode
from bluezone.rollout.directives.exchange.partners import signatures_of
from bluezone.rollout.directives.inbox import dispatch_acts
from bluezone.rollout.directives.issuance.versions import Difference, check_seal
from bluezone.rollout.directives.models import (
    Deadline,
    Delivery,
    Directive,
    DirectiveState,
    Dispatch,
    DispatchEvent,
    Task,
)
from bluezone.rollout.directives.sentences import sentence_of_trouble
from bluezone.training import practising

register = template.Library()
UNSENT = (DirectiveState.DRAFT, DirectiveState.SUBMITTED, DirectiveState.APPROVED)


@register.filter
def fingerprint(mark: str) -> str:
    """64 hex digits in groups of four, as two people read them to each other."""
    return " ".join(mark[at : at + 4].upper() for at in range(0, len(mark), 4))


@register.filter
def statusword(code: StatusCode) -> str:
    """What a status code says."""
    return {
        StatusCode.ARRIVED: _("arrived, not received"),
        StatusCode.SENT_BACK: _("sent back"),
        StatusCode.RECEIVED: _("received"),
        StatusCode.ASSIGNED: _("assigned"),
        StatusCode.IN_PROGRESS: _("in progress"),
        StatusCode.DONE: _("done"),
        StatusCode.RECALLED: _("recalled by the issuer"),
        StatusCode.AGREED: _("agreed to the recall or update"),
        StatusCode.DECLINED: _("did not agree to the recall or update"),
    }[code]


@register.filter
def troubleword(code: str) -> str:
    """Why a message to another office waits or was refused."""
    return sentence_of_trouble(code)


@register.filter
def current_transmission(dispatch: Dispatch) -> Delivery | None:
    """The message about a dispatch that says most of where it is: the first that is not taken, else the last.

    The deliveries were read before (`queries.recipients`).
    """
    every = list(dispatch.deliveries.all())
    open_ones = [one for one in every if one.state != Delivery.State.TAKEN]
    return next(iter(open_ones or every[-1:]), None)


@register.filter
def deadline_of(task: dict[str, Any]) -> Deadline:
    """Until when a task of a version is in time."""
    time = datetime.time.fromisoformat(task["due_time"]) if task["due_time"] else None
    return Deadline(datetime.date.fromisoformat(task["due"]), time)


@register.filter
def words_of_time(task: Task | dict[str, Any]) -> tuple[str, ...]:
    """Sentences of a task, or of one of a version, that say more of a deadline or rhythm than its fields hold."""
    if isinstance(task, Task):
        return sentences_of_time(task.text, with_days=task.due is None)
    return sentences_of_time(task["text"], with_days=not task["due"])


@register.filter
def asks_in_words(sentences: tuple[str, ...]) -> bool:
    """Whether one of these sentences asks for a report again and again."""
    return any(orders_rhythm(one) for one in sentences)


@register.filter
def everyword(every: str) -> str:
    """How often a task is reported on."""
    return str(Task.Every(every).label)


@register.filter
def partword(difference: Difference) -> str:
    """What part of a letter differs."""
    words = {
        "kind": _("Kind of document"),
        "notation": _("Notation"),
        "subject": _("Subject"),
        "issuer": _("Issuer"),
        "authority": _("Signing authority"),
        "signer_position": _("Position of the signer"),
        "signer_name": _("Signer"),
        "basis": _("Basis documents"),
        "priority": _("Urgency"),
        "campaign": _("Campaign"),
        "ends": _("Earlier document"),
        "filed_by": _("For file"),
        "text": _("Text of the letter"),
        "original": _("The original"),
        "files": _("Files"),
        "recipients": _("Recipients"),
        "tasks": _("Task"),
    }
    return words[difference.part]


@register.inclusion_tag("directives/files.html")
def directive_files(directive: Directive) -> dict[str, Any]:
    """The original and the files of a document, with what their signatures prove."""
    kept = [one for one in (directive.signed_copy, directive.original) if one]
    files = kept + list(directive.attachments.defer("content").order_by("pk"))
    return {"files": [(one, signatures_of(one)) for one in files]}


@register.inclusion_tag("directives/seal.html")
def letter_seal(directive: Directive, dispatch: Dispatch | None = None) -> dict[str, Any]:
    """The seal of a letter that this office has sent, checked against what is stored of it now.

    dispatch: the document by which the reader's agency has got it, None on the page of its issuer.
    """
    address = reverse("inbox-seal", args=[dispatch.pk]) if dispatch else reverse("directive-seal", args=[directive.pk])
    return {"directive": directive, "found": check_seal(directive), "address": address}


@register.inclusion_tag("directives/exchange_card.html", takes_context=True)
def exchange_card(context: Any, dispatch: Dispatch) -> dict[str, Any]:
    """States to send back of a document of another office; or the file to send, for a clerk of the issuer."""
    user, directive = context["request"].user, dispatch.directive
    handles = scopes.has_role(user, permissions.CLERKS, agency=dispatch.agency)
    issued = not practising() and not directive.from_file and directive.state not in UNSENT
    may_send = issued and scopes.has_role(user, permissions.CLERKS, agency=directive.issuer)
    kind = outgoing.FILE_KINDS[outgoing.kind_of(directive, dispatch)].label if may_send else ""
    return {
        "dispatch": dispatch,
        "states": _states(dispatch) if directive.from_file and not dispatch.parent_id else [],
        "waits": dispatch_acts.waits_for_answer(dispatch) and permissions.works_at(user, dispatch.agency),
        "may_take": handles,
        "may_send": may_send,
        "kind": kind,
        "csrf_token": context.get("csrf_token"),
    }


def _states(dispatch: Dispatch) -> list[tuple[DispatchEvent, StatusCode, bool, Delivery | None]]:
    events = dispatch.events.select_related("status_file__delivery", "dispatch__directive").order_by("pk")
    told = [
        (one, code)
        for one in events.defer("status_file__content", "status_file__delivery__content")
        if (code := outgoing.status_of(one))
    ]
    files = [getattr(one, "status_file", None) for one, _code in told]
    carried = [getattr(file, "delivery", None) for file in files]
    return [(one, code, file is not None, how) for (one, code), file, how in zip(told, files, carried, strict=True)]
