# SPDX-License-Identifier: Apache-2.0
"""Pages of the issuing office: letters sent out, taking one in, approving, issuing and recalling; the files of a
draft, and every stored file for its parties alone.
"""

import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.directory.models import Agency
from bluezone.directory.queries import day_to_show
from bluezone.directory.request_parameters import chosen
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.objects import Whose, touches
from bluezone.identity.second_factors import confirm_second_factor, releases
from bluezone.refusal import Refused
from bluezone.rollout.directives import queries, sentences
from bluezone.rollout.directives.duty import DIRECTIVE_CLERKS, DIRECTIVE_SIGNERS
from bluezone.rollout.directives.forms import AttachmentForm, LetterForm, ReasonForm
from bluezone.rollout.directives.issuance import approval, attachments, intake
from bluezone.rollout.directives.issuance.addressees import Directory
from bluezone.rollout.directives.issuance.attachments import SHOWN_INLINE
from bluezone.rollout.directives.models import Directive, DirectiveState, DispatchState
from bluezone.rollout.directives.queries import USUAL_DAYS_REOPENED
from bluezone.training import practised

A_PAGE = 25
RECIPIENTS_A_PAGE = 50
REQUESTS_AT_ONCE = 10


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Whose.REACHED)
def directive_list(request: OfficeRequest) -> HttpResponse:
    """Directives of the agencies the reader works for, with how many have received each."""
    words = request.GET.get("q", "").replace("\0", " ").strip()[:100]
    state = chosen(request, "state", DirectiveState.values)
    found = queries.directives(queries.read_agencies(request.user), words, state)
    page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    counted = queries.counts(one.pk for one in page.object_list)
    rows = [(one, counted.get(one.pk)) for one in page.object_list]
    context = {
        "page": page,
        "rows": rows,
        "words": words,
        "state": state,
        "states": DirectiveState.choices,
        "may_take_in": queries.issuing_agencies(request.user).exists(),
    }
    return render(request, "directives/directive_list.html", context)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(DIRECTIVE_CLERKS)
@touches(Whose.GIVEN)
def new_directive(request: OfficeRequest) -> HttpResponse:
    """Take a letter in: 302 to its draft, 422 what is not a letter."""
    on = day_to_show(Agency, timezone.localdate())
    issuers = queries.issuing_agencies(request.user).filter(pk__in=Agency.objects.in_force(on)).order_by("path")
    form = LetterForm(request.POST or None, request.FILES or None, issuers=issuers)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        file = values["file"]
        data, name = (file.read(), file.name) if file else (values["text"].encode(), "")
        with acts.show_refusals(form, sentences.sentence_of, at="file" if file else "text"):
            made = intake.take_in(data, name, values["issuer"], request.user, timezone.now(), keep=bool(file))
            return redirect("directive-change", made.pk)
    return render(request, "directives/directive_new.html", {"form": form}, status=422 if form.errors else 200)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Whose.AGENCY.by(*queries.READERS))
def directive(request: OfficeRequest, pk: int) -> HttpResponse:
    """One directive: what it says, its tasks, and where it stands with each recipient."""
    return _page(request, _shown(pk))


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(DIRECTIVE_SIGNERS)
@touches(Whose.AGENCY)
@confirm_second_factor
def approve(request: OfficeRequest, pk: int) -> HttpResponse:
    """Second tap of the approval: 302 approved, 409 when it is incomplete or no draft."""
    shown = _shown(pk)
    queries.require_signer(request.user, shown.issuer)
    if request.method == "POST":
        return _act(request, shown, lambda: approval.approve(shown, request.user, timezone.now()), _("Approved."))
    return render(request, "directives/approve.html", {"directive": shown, "tasks": list(shown.tasks.all())})


@practised
@require_POST
@audience(DIRECTIVE_CLERKS)
@touches(Whose.AGENCY)
def reopen(request: OfficeRequest, pk: int) -> HttpResponse:
    """Make an approved directive a draft again: 302."""
    shown = _shown(pk)
    queries.require_clerk(request.user, shown.issuer)
    return _act(request, shown, lambda: approval.reopen(shown, request.user, timezone.now()), _("It is a draft again."))


@practised
@require_POST
@audience(DIRECTIVE_CLERKS)
@touches(Whose.AGENCY)
@releases
def issue(request: OfficeRequest, pk: int) -> HttpResponse:
    """Send an approved directive to everybody it names: 302."""
    shown = _shown(pk)
    queries.require_clerk(request.user, shown.issuer)
    return _act(request, shown, lambda: approval.issue(shown, request.user, timezone.now()), _("Sent."))


@practised
@require_POST
@audience(DIRECTIVE_CLERKS)
@touches(Whose.AGENCY)
@releases
def revoke(request: OfficeRequest, pk: int) -> HttpResponse:
    """Recall an issued directive: 302, 422 without a reason."""
    shown = _shown(pk)
    queries.require_clerk(request.user, shown.issuer)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _page(request, shown, form, status=422)
    reason = form.cleaned_data["reason"]
    return _act(request, shown, lambda: approval.revoke(shown, reason, request.user, timezone.now()), _("Recalled."))


def _act(request: OfficeRequest, shown: Directive, act: Any, done: str) -> HttpResponse:
    with acts.tell_refusals(request, sentences.sentence_of):
        act()
        messages.success(request, done)
        return redirect("directive", shown.pk)
    return _page(request, shown, status=409)


def _shown(pk: int) -> Directive:
    return get_object_or_404(
        Directive.objects.select_related("issuer__unit", "original", "replaces", "campaign"), pk=pk
    )


def _page(
    request: OfficeRequest, shown: Directive, form: ReasonForm | None = None, *, status: int = 200
) -> HttpResponse:
    queries.require_reader(request.user, shown.issuer)
    state = chosen(request, "state", DispatchState.values)
    page = Paginator(queries.recipients(shown, state), RECIPIENTS_A_PAGE).get_page(request.GET.get("page"))
    asked = list(queries.open_requests(shown)[: REQUESTS_AT_ONCE + 1])
    periods = list(queries.open_period_requests(shown)[: REQUESTS_AT_ONCE + 1])
    context = {
        "directive": shown,
        "tasks": list(shown.tasks.all()),
        "page": page,
        "state": state,
        "states": DispatchState.choices,
        "counted": queries.counts([shown.pk]).get(shown.pk),
        "requests": asked[:REQUESTS_AT_ONCE],
        "period_requests": periods[:REQUESTS_AT_ONCE],
        "more_wait": max(len(asked), len(periods)) > REQUESTS_AT_ONCE,
        "usual_until": timezone.localdate() + datetime.timedelta(days=USUAL_DAYS_REOPENED - 1),
        "form": form or ReasonForm(),
        "may_clerk": _may(queries.require_clerk, request, shown),
        "may_sign": _may(queries.require_signer, request, shown),
        "reach": _reach(shown) if shown.state in (DirectiveState.DRAFT, DirectiveState.APPROVED) else None,
    }
    return render(request, "directives/directive.html", context, status=status)


def _may(check: Any, request: OfficeRequest, shown: Directive) -> bool:
    try:
        check(request.user, shown.issuer)
    except Refused:
        return False
    return True


def _reach(shown: Directive) -> int | None:
    """How many agencies the lines of Nơi nhận stand for, None while one of them is not found."""
    directory = Directory.of(timezone.localdate())
    lines = "\n".join([shown.recipients_action, shown.recipients_information, shown.recipients_file])
    try:
        return len(directory.expand(lines))
    except Refused:
        return None


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(DIRECTIVE_CLERKS)
@touches(Whose.AGENCY)
def files(request: OfficeRequest, pk: int) -> HttpResponse:
    """Files of a draft; add one: 302 stored, 422 with a sentence."""
    directive = get_object_or_404(Directive.objects.select_related("issuer__unit", "original"), pk=pk)
    queries.require_clerk(request.user, directive.issuer)
    form = AttachmentForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        with acts.show_refusals(form, sentences.sentence_of, at="file"):
            attachments.add(directive, file.read(), file.name or "")
            messages.success(request, _("The file is kept with the draft."))
            return redirect("directive-attachments", pk)
    context = {"directive": directive, "form": form, "attachments": list(directive.attachments.order_by("pk"))}
    return render(request, "directives/files_change.html", context, status=422 if form.errors else 200)


@practised
@require_POST
@audience(DIRECTIVE_CLERKS)
@touches(Whose.AGENCY)
def take_away(request: OfficeRequest, pk: int) -> HttpResponse:
    """Delete a file of a draft: 302."""
    directive = get_object_or_404(Directive.objects.select_related("issuer__unit"), pk=pk)
    queries.require_clerk(request.user, directive.issuer)
    with acts.tell_refusals(request, sentences.sentence_of):
        attachments.take_away(directive, request.POST.get("token", ""))
        messages.success(request, _("The file is deleted."))
    return redirect("directive-attachments", pk)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Whose.AGENCY.by(*queries.READERS))
def stored_file(request: OfficeRequest, token: str) -> HttpResponse:
    """A stored file with the type its content has; only pictures open in the browser. 404 for whoever is no party."""
    file = attachments.file_for(request.user, token)
    if file is None:
        raise Http404("no such file for this account")
    response = HttpResponse(bytes(file.content), content_type=file.content_type)
    inline = file.content_type in SHOWN_INLINE
    response.headers["Content-Disposition"] = content_disposition_header(not inline, file.name) or "attachment"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
