# SPDX-License-Identifier: Apache-2.0
"""The page on which a clerk corrects the draft of a directive."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.forms.utils import ErrorDict
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from bluezone.directory.models import Agency, RecipientGroup
from bluezone.directory.queries import day_to_show
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.objects import Whose, touches
from bluezone.rollout.directives import permissions, queries
from bluezone.rollout.directives.duty import DIRECTIVE_CLERKS
from bluezone.rollout.directives.issuance import draft_forms
from bluezone.rollout.directives.issuance.addressees import names_in
from bluezone.rollout.directives.issuance.draft_forms import Change, DirectiveForm, TaskForms
from bluezone.rollout.directives.models import Directive, DirectiveState
from bluezone.training import practised

_MOST_FOUND = 20
_MOST_NAMES = 1500


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(DIRECTIVE_CLERKS)
@touches(Whose.AGENCY)
def change_directive(request: OfficeRequest, pk: int) -> HttpResponse:
    """The draft on one page, each value beside where it was read.

    302 stored or no draft any more, 200 with one change in the form as typed (`do`), 422 bad form.
    """
    directive = get_object_or_404(Directive.objects.select_related("issuer__unit", "original", "replaces"), pk=pk)
    permissions.require_clerk(request.user, directive.issuer)
    if directive.state != DirectiveState.DRAFT:
        messages.warning(request, _("This document is approved and is not changed any more."))
        return redirect("directive", pk)
    if request.method != "POST":
        return _page(request, directive, *_forms(directive, None))
    if tap := request.POST.get("do", ""):
        data, change = draft_forms.changed(request.POST, tap)
        form, tasks = _forms(directive, data)
        _unjudged(form, tasks)
        return _page(request, directive, form, tasks, change)
    form, tasks = _forms(directive, request.POST)
    if not (form.is_valid() and tasks.is_valid()):
        return _page(request, directive, form, tasks, status=422)
    with transaction.atomic():
        form.save()
        tasks.store(directive)
    messages.success(request, _("The draft is stored."))
    return redirect("directive", pk)


def _forms(directive: Directive, data: QueryDict | None) -> tuple[DirectiveForm, Any]:
    """Document and tasks; what can be replaced is what the search finds, and what is chosen already."""
    words = data.get("find", "") if data else ""
    chosen = str((data.get("replaces") if data else directive.replaces_id) or "")
    number = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 18 else 0
    found = list(queries.replaceable(directive, words).values_list("pk", flat=True)[:_MOST_FOUND])
    offered = queries.replaceable(directive, "").filter(pk__in=[*found, number])
    form = DirectiveForm(data, instance=directive, replaceable=offered)
    return form, TaskForms(data, queryset=directive.tasks.select_related("directive"), prefix="task")


def _unjudged(form: DirectiveForm, tasks: Any) -> None:
    """Show the forms as typed without saying what is wrong: nobody has asked to store them yet."""
    for one in (form, *tasks.forms):
        one._errors, one.cleaned_data = ErrorDict(), {}


def _page(
    request: OfficeRequest,
    directive: Directive,
    form: DirectiveForm,
    tasks: Any,
    change: Change | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    read = directive.proposal.get("tasks", [])
    typed: Any = request.POST if request.method == "POST" else {}
    added = change is not None and change.what == "recipient-added"
    context = {
        "directive": directive,
        "form": form,
        "tasks": tasks,
        "rows": [(one, _read_at(read, one), bool(one["DELETE"].value())) for one in tasks],
        "seen": directive.proposal.get("seen", {}),
        "unknown": directive.proposal.get("unknown", []),
        "wrong": status == 422,
        "change": change,
        "find": typed.get("find", ""),
        "due_for_all": typed.get("due_for_all", ""),
        "recipient_name": "" if added else typed.get("recipient_name", ""),
        "recipient_purpose": typed.get("recipient_purpose", ""),
        "recipients": [_recipients(form, purpose) for purpose in draft_forms.PURPOSES],
        "names": _names(),
    }
    return render(request, "directives/directive_form.html", context, status=status)


def _recipients(form: DirectiveForm, purpose: str) -> dict[str, Any]:
    field = form[f"recipients_{purpose}"]
    return {"purpose": purpose, "field": field, "names": names_in(field.value() or "")}


def _read_at(read: list[Any], form: Any) -> Any:
    """Where the letter says this task; nothing for one that was added."""
    position = form.instance.position if form.instance.pk else len(read)
    return read[position] if position < len(read) else {}


def _names() -> list[str]:
    """What a recipient line may say: recipient groups first, then agencies in force."""
    on = day_to_show(Agency, timezone.localdate())
    groups = list(RecipientGroup.objects.values_list("name", flat=True))
    return [*groups, *Agency.objects.in_force(on).order_by("name").values_list("name", flat=True)[:_MOST_NAMES]]
