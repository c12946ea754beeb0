# SPDX-License-Identifier: Apache-2.0
"""Pages of an agency that gets directives: its inbox, one document with its tasks, every act on it."""

import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.directory import scopes
from bluezone.directory.models import Agency
from bluezone.directory.queries import day_to_show
from bluezone.directory.request_parameters import chosen_value
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.models import User
from bluezone.identity.objects import Ownership, touches
from bluezone.refusal import Refused
from bluezone.rollout.directives import permissions, queries, sentences
from bluezone.rollout.directives.duty import DIRECTIVE_CLERKS
from bluezone.rollout.directives.forms import ActForm, RequestForm
from bluezone.rollout.directives.inbox import dispatch_acts
from bluezone.rollout.directives.models import ChangeRequest, Dispatch, DispatchState, Task, TaskParty
from bluezone.training import practised

A_PAGE = 25
_MOST_BELOW = 300
_MOST_PEOPLE = 200


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.REACHED)
def inbox(request: OfficeRequest) -> HttpResponse:
    """What the reader's agencies have got, newest first."""
    state = chosen_value(request, "state", ["open", *DispatchState.values])
    found = queries.inbox(permissions.read_agencies(request.user), state)
    page = Paginator(found.values_list("pk", flat=True), A_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page, "rows": queries.read(page.object_list), "state": state, "states": DispatchState.choices,
        "has_mail": settings.SMTP is not None,
    }  # fmt: skip
    return render(request, "directives/inbox.html", context)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.AGENCY.for_roles(*permissions.READERS))
def dispatch(request: OfficeRequest, pk: int) -> HttpResponse:
    """One document at one agency: what it asks, what can be done now, what has happened."""
    shown = _shown(pk)
    _require_reader(request, shown)
    if _handles(request, shown):
        dispatch_acts.open_it(shown, request.user, timezone.now())
    return _page(request, shown)


@practised
@require_POST
@audience(SIGNED_IN)
@touches(Ownership.DESK.for_roles(*permissions.HANDLERS))
def act(request: OfficeRequest, pk: int) -> HttpResponse:
    """Move a document on: 302, 409 out of order, 422 without reason or person."""
    shown = _shown(pk)
    permissions.require_handler(request.user, shown.agency, shown.directive.issuer)
    form = ActForm(request.POST, people=permissions.people_of(shown.agency), tasks=queries.tasks_for(shown))
    if not form.is_valid():
        return _page(request, shown, act_form=form, status=422)
    return _done(request, shown, lambda: _act(shown, form.cleaned_data, request.user, timezone.now()))


def _act(shown: Dispatch, values: dict[str, Any], user: User, now: datetime.datetime) -> None:
    if values["account"]:
        dispatch_acts.assign(shown, values["account"], values["task"], values["due"], user, now)
        return
    if values["to"] == DispatchState.RECALLED:
        # Not "received", which a page sends that was opened before the letter ended.
        dispatch_acts.acknowledge_end(shown, user, now)
        return
    note = values["reason"] or values["done"]
    dispatch_acts.move(shown, DispatchState(values["to"]), user, now, note=note, assigned_to=values["assigned_to"])


@practised
@require_POST
@audience(DIRECTIVE_CLERKS)
@touches(Ownership.AGENCY)
def answer_completion(request: OfficeRequest, pk: int) -> HttpResponse:
    """Accept for the issuer that an agency is done, or say what is missing: 302 to the directive."""
    shown = _shown(pk)
    permissions.require_clerk(request.user, shown.directive.issuer)
    reason, now = " ".join(request.POST.get("reason", "").split()), timezone.now()
    with acts.refusals_as_messages(request, sentences.sentence_of):
        if request.POST.get("accept"):
            dispatch_acts.accept_completion(shown, request.user, now)
            messages.success(request, _("Accepted as done."))
        elif reason:
            dispatch_acts.reopen_completion(shown, reason, request.user, now)
            messages.success(request, _("The agency can now read what is still to be done."))
        else:
            messages.error(request, _("Say what is still to be done. Nothing was changed."))
    return redirect("directive", shown.directive_id)


@practised
@require_POST
@audience(SIGNED_IN)
@touches(Ownership.DESK.for_roles(*permissions.HANDLERS))
def undo(request: OfficeRequest, pk: int) -> HttpResponse:
    """Take one's last tap back: 302, 409 too late."""
    shown = _shown(pk)
    permissions.require_handler(request.user, shown.agency, shown.directive.issuer)
    return _done(request, shown, lambda: dispatch_acts.undo(shown, request.user, timezone.now()))


@practised
@require_POST
@audience(SIGNED_IN)
@touches(Ownership.DESK.for_roles(*permissions.HANDLERS))
def pass_on(request: OfficeRequest, pk: int) -> HttpResponse:
    """Send a document on to agencies below: 302, 409 not below or not received."""
    shown = _shown(pk)
    permissions.require_handler(request.user, shown.agency, shown.directive.issuer)
    chosen_ids = [int(one) for one in request.POST.getlist("agency") if one.isascii() and one.isdigit()]
    below = Agency.objects.filter(pk__in=chosen_ids[:_MOST_BELOW]).select_related("unit")
    return _done(request, shown, lambda: dispatch_acts.pass_on(shown, below, request.user, timezone.now()))


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(SIGNED_IN)
@touches(Ownership.DESK.for_roles(*permissions.HANDLERS))
def ask(request: OfficeRequest, pk: int) -> HttpResponse:
    """Ask for a change of a task or for more time: 302, 409 already asked, 422 bad form. pk: of the task's party."""
    party = get_object_or_404(TaskParty.objects.select_related("task__directive__issuer", "agency__unit"), pk=pk)
    permissions.require_handler(request.user, party.agency, party.task.directive.issuer)
    form = RequestForm(request.POST or None, party=party)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        with acts.refusals_as_form_errors(form, sentences.sentence_of, conflict=True):
            dispatch_acts.ask(
                party.task,
                party.agency,
                values["kind"],
                values["reason"],
                request.user,
                timezone.now(),
                values["until"],
            )
            messages.success(request, _("The request has been sent to the issuer."))
            return redirect("inbox-one", _dispatch_of(party.task, party.agency).pk)
    context = {"party": party, "form": form, "dispatch": _dispatch_of(party.task, party.agency)}
    return render(request, "directives/ask.html", context, status=acts.form_status(form))


@practised
@require_POST
@audience(DIRECTIVE_CLERKS)
@touches(Ownership.AGENCY)
def answer(request: OfficeRequest, pk: int) -> HttpResponse:
    """Answer a request: 302 to the directive."""
    asked = get_object_or_404(ChangeRequest.objects.select_related("task__directive__issuer__unit"), pk=pk)
    permissions.require_clerk(request.user, asked.task.directive.issuer)
    granted, text = request.POST.get("granted") == "1", request.POST.get("answer", "").strip()
    with acts.refusals_as_messages(request, sentences.sentence_of):
        due = dispatch_acts.answer(asked, granted, text, request.user, timezone.now())
        messages.success(request, _("The answer has been sent."))
        acts.offer_undo(request, "request-answered", timezone.now(), asked=pk, due=str(due or ""))
    return redirect("directive", asked.task.directive_id)


@practised
@require_POST
@audience(SIGNED_IN)
@touches(Ownership.DESK.for_roles(*permissions.HANDLERS))
def withdraw(request: OfficeRequest, pk: int) -> HttpResponse:
    """Take a request of one's agency back: 302 to the document."""
    asked = get_object_or_404(ChangeRequest.objects.select_related("task__directive__issuer", "agency__unit"), pk=pk)
    permissions.require_handler(request.user, asked.agency, asked.task.directive.issuer)
    with acts.refusals_as_messages(request, sentences.sentence_of):
        dispatch_acts.withdraw(asked, request.user, timezone.now())
        messages.success(request, _("The request has been withdrawn."))
    return redirect("inbox-one", _dispatch_of(asked.task, asked.agency).pk)


def let_the_request_wait(user: User, values: dict[str, Any], now: datetime.datetime) -> None:
    """Undo the answer to a request for a change."""
    due = datetime.date.fromisoformat(values["due"]) if values["due"] else None
    dispatch_acts.take_answer_back(values["asked"], due, user)


def _dispatch_of(task: Task, agency: Agency) -> Dispatch:
    return get_object_or_404(Dispatch, directive=task.directive_id, agency=agency)


def _shown(pk: int) -> Dispatch:
    found = Dispatch.objects.select_related(
        "directive__issuer__unit", "directive__original", "taken_over_from__agency", "agency__unit", "parent__agency"
    )
    return get_object_or_404(found, pk=pk)


def _handles(request: OfficeRequest, shown: Dispatch) -> bool:
    try:
        permissions.require_handler(request.user, shown.agency, shown.directive.issuer)
    except Refused:
        return False
    return True


def _require_reader(request: OfficeRequest, shown: Dispatch) -> None:
    """Whoever reads for the agency, or for the issuer that wants to know where its document stands."""
    if not shown.directive.from_file and scopes.has_role(
        request.user, permissions.READERS, agency=shown.directive.issuer
    ):
        return
    permissions.require_reader(request.user, shown.agency)


def _done(request: OfficeRequest, shown: Dispatch, do: Any) -> HttpResponse:
    with acts.refusals_as_messages(request, sentences.sentence_of):
        do()
        return redirect("inbox-one", shown.pk)
    return _page(request, shown, status=409)


def _page(
    request: OfficeRequest, shown: Dispatch, *, act_form: ActForm | None = None, status: int = 200
) -> HttpResponse:
    handles, now = _handles(request, shown), timezone.now()
    on = day_to_show(Agency, timezone.localdate())
    candidates = Agency.objects.valid_on(on).filter(unit__path__startswith=shown.agency.unit.path)
    have = set(shown.directive.dispatches.values_list("agency_id", flat=True))
    below = [
        one
        for one in candidates.select_related("unit")[:_MOST_BELOW]
        if dispatch_acts.is_below(one, shown.agency) and one.pk not in have
    ]
    context = {
        "dispatch": shown,
        "directive": shown.directive,
        "parties": queries.tasks_for(shown),
        "asked": list(queries.asked_by(shown)),
        "events": list(shown.events.select_related("actor")[:50]),
        "children": list(shown.children.select_related("agency")[:_MOST_BELOW]),
        "below": below,
        "act_form": act_form,
        "handles": handles and shown.directive.in_force,
        "allowed": dispatch_acts.next_states(shown),
        "people": list(permissions.people_of(shown.agency)[:_MOST_PEOPLE]) if handles else [],
        "assignments": list(shown.assignments.select_related("account", "task")),
        "left": set(
            queries.left_assignments(timezone.localdate(now)).filter(dispatch=shown).values_list("pk", flat=True)
        ),
        "successors": list(shown.taken_over_by.select_related("agency")),
        "to_be_known": handles and dispatch_acts.waits_to_be_known(shown),
        "may_undo": handles and dispatch_acts.may_undo(shown, request.user, now),
        "replacement": shown.directive.replaced_by.exclude(issued_at=None).first(),
        "now": now,
    }
    return render(request, "directives/dispatch.html", context, status=status)
