# SPDX-License-Identifier: Apache-2.0
"""Pages of the issuing office: letters sent out, taking one in, approving, issuing and recalling; the files of a
draft.
"""

import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.directory.models import Agency
from bluezone.directory.queries import day_to_show
from bluezone.directory.request_parameters import chosen_value
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.factors.confirmation import is_recently_confirmed
from bluezone.identity.factors.second_factors import redirect_to_confirmation, releases
from bluezone.identity.objects import Ownership, touches
from bluezone.letters.letter import Letter
from bluezone.refusal import Refused
from bluezone.rollout.directives import permissions, queries, sentences
from bluezone.rollout.directives.deadlines import USUAL_DAYS_REOPENED
from bluezone.rollout.directives.duty import DIRECTIVE_CLERKS, DIRECTIVE_SIGNERS
from bluezone.rollout.directives.forms import AttachmentForm, LetterForm, NumberForm, ReasonForm, RecipientForm
from bluezone.rollout.directives.issuance import approval, attachments, intake, recipient_changes, versions
from bluezone.rollout.directives.issuance.addressees import Directory, Receiver, receivers_of
from bluezone.rollout.directives.models import Channel, Directive, DirectiveState, Dispatch, DispatchState
from bluezone.training import practised

A_PAGE = 25
RECIPIENTS_A_PAGE = 50
REQUESTS_AT_ONCE = 10
STEPS_SHOWN = 40
_MOST_NAMES = 1500


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.REACHED)
def directive_list(request: OfficeRequest) -> HttpResponse:
    """Directives of the agencies the reader works for, with how many have received each."""
    words = request.GET.get("q", "").replace("\0", " ").strip()[:100]
    state = chosen_value(request, "state", DirectiveState.values)
    found = queries.directives(permissions.read_agencies(request.user), words, state)
    page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    counted = queries.counts(one.pk for one in page.object_list)
    rows = [(one, counted.get(one.pk)) for one in page.object_list]
    context = {
        "page": page,
        "rows": rows,
        "words": words,
        "state": state,
        "states": DirectiveState.choices,
        "may_take_in": permissions.issuing_agencies(request.user).exists(),
    }
    return render(request, "directives/directive_list.html", context)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(DIRECTIVE_CLERKS)
@touches(Ownership.CREATED)
def new_directive(request: OfficeRequest) -> HttpResponse:
    """Take a letter in: 302 to its draft, 422 what is not a letter."""
    on = day_to_show(Agency, timezone.localdate())
    issuers = permissions.issuing_agencies(request.user).filter(pk__in=Agency.objects.valid_on(on)).order_by("path")
    form = LetterForm(request.POST or None, request.FILES or None, issuers=issuers)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        file = values["file"]
        data, name = (file.read(), file.name) if file else (values["text"].encode(), "")
        with acts.refusals_as_form_errors(form, sentences.sentence_of, field="file" if file else "text"):
            made = intake.take_in(data, name, values["issuer"], request.user, timezone.now(), keep=bool(file))
            return redirect("directive-change", made.pk)
    return render(request, "directives/directive_new.html", {"form": form}, status=422 if form.errors else 200)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.AGENCY.for_roles(*permissions.READERS))
def directive(request: OfficeRequest, pk: int) -> HttpResponse:
    """One directive: what it says, its tasks, and where it stands with each recipient."""
    return _page(request, _shown(pk))


@practised
@require_POST
@audience(DIRECTIVE_CLERKS)
@touches(Ownership.AGENCY)
def submit(request: OfficeRequest, pk: int) -> HttpResponse:
    """Submit a draft for signing: 302, 409 with what is still wrong."""
    shown = _shown(pk)
    permissions.require_clerk(request.user, shown.issuer)
    now = timezone.now()
    return _act(request, shown, lambda: approval.submit(shown, request.user, now), _("Submitted for signing."))


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(DIRECTIVE_SIGNERS)
@touches(Ownership.AGENCY)
@releases
def approve(request: OfficeRequest, pk: int) -> HttpResponse:
    """Everything that is confirmed, and confirming it as seen: 302, 409 when it is another version or not submitted.

    To read it needs no fresh proof of the second factor, to confirm it does.
    """
    shown = _shown(pk)
    permissions.require_signer(request.user, shown.issuer)
    if request.method == "POST" and not is_recently_confirmed(request):
        return redirect_to_confirmation(request.path)
    now = timezone.now()
    if request.method == "POST" and shown.state == DirectiveState.SUBMITTED:
        seen, for_another = request.POST.get("seen", ""), request.POST.get("for_another") == "on"
        with acts.refusals_as_messages(request, sentences.sentence_of):
            approval.approve(shown, seen, request.user, now, for_another=for_another)
            messages.success(request, _("Approved."))
            return redirect("directive", pk)
        return _to_confirm(request, shown, now, status=409)
    version = versions.last_version(shown) if shown.state == DirectiveState.SUBMITTED else None
    if version is None:
        messages.warning(request, _("This document is not waiting to be confirmed."))
        return redirect("directive", pk)
    return _to_confirm(request, shown, now)


def _to_confirm(request: OfficeRequest, shown: Directive, now: datetime.datetime, *, status: int = 200) -> HttpResponse:
    version = versions.last_version(shown)
    assert version is not None
    before = versions.last_seen(shown, request.user, version)
    versions.note_seen(version, request.user, now)
    content = version.content
    context = {
        "directive": shown,
        "version": version,
        "content": content,
        "receivers": receivers_by_channel(content),
        "before": before,
        "differences": versions.differences(before.content, content) if before else [],
        "steps": list(shown.steps.exclude(note="").select_related("actor")[:STEPS_SHOWN]),
        "is_another": approval.is_another(shown, request.user),
        "own_draft": request.user.pk in approval.writers(shown) and approval.signs_by_delegation(shown, request.user),
        "is_fresh": is_recently_confirmed(request),
        "form": ReasonForm(),
    }
    return render(request, "directives/approve.html", context, status=status)


def receivers_by_channel(content: dict[str, Any]) -> list[tuple[str, list[dict[str, str]]]]:
    """The recipients of a version by how they are reached, those reached by nobody first."""
    order = [Channel.NOBODY, Channel.PAPER, Channel.MAIL, Channel.AXIS, Channel.ACCOUNT]
    found = [(way, [one for one in content["recipients"] if one["channel"] == way]) for way in order]
    return [(way.value, ones) for way, ones in found if ones]


@practised
@require_POST
@audience(DIRECTIVE_SIGNERS)
@touches(Ownership.AGENCY)
def give_back(request: OfficeRequest, pk: int) -> HttpResponse:
    """Return a submitted letter to its clerk: 302, 409 when it is not submitted, without a reason nothing."""
    shown = _shown(pk)
    permissions.require_signer(request.user, shown.issuer)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say what has to be corrected. Nothing was changed."))
        return redirect("directive-approve", pk)
    reason, now = form.cleaned_data["reason"], timezone.now()
    return _act(request, shown, lambda: approval.give_back(shown, reason, request.user, now), _("Returned."))


@practised
@require_POST
@audience(DIRECTIVE_CLERKS)
@touches(Ownership.AGENCY)
def comment(request: OfficeRequest, pk: int) -> HttpResponse:
    """Put a remark beside a letter that is not sent yet: 302."""
    shown = _shown(pk)
    permissions.require_clerk(request.user, shown.issuer)
    text, now = request.POST.get("text", "").strip(), timezone.now()
    if not text:
        return redirect("directive", pk)
    return _act(
        request, shown, lambda: approval.comment(shown, text, request.user, now), _("The remark has been stored.")
    )


@practised
@require_POST
@audience(DIRECTIVE_CLERKS)
@touches(Ownership.AGENCY)
def reopen(request: OfficeRequest, pk: int) -> HttpResponse:
    """Make a submitted or confirmed letter a draft again: 302."""
    shown = _shown(pk)
    permissions.require_clerk(request.user, shown.issuer)
    again = approval.take_back if shown.state == DirectiveState.SUBMITTED else approval.reopen
    return _act(request, shown, lambda: again(shown, request.user, timezone.now()), _("It is a draft again."))


@practised
@require_POST
@audience(DIRECTIVE_CLERKS)
@touches(Ownership.AGENCY)
def delete(request: OfficeRequest, pk: int) -> HttpResponse:
    """Delete a draft: 302 to the list, 409 when it is no draft."""
    shown = _shown(pk)
    permissions.require_clerk(request.user, shown.issuer)
    with acts.refusals_as_messages(request, sentences.sentence_of):
        approval.delete_draft(shown, request.user, timezone.now())
        messages.success(request, _("The draft has been deleted."))
        return redirect("directives")
    return _page(request, shown, status=409)


@practised
@require_POST
@audience(DIRECTIVE_CLERKS)
@touches(Ownership.AGENCY)
def give_number(request: OfficeRequest, pk: int) -> HttpResponse:
    """Give a confirmed letter its number and day: 302, 409 refused, 422 bad form."""
    shown = _shown(pk)
    permissions.require_clerk(request.user, shown.issuer)
    form = NumberForm(request.POST)
    if not form.is_valid():
        return _page(request, shown, number_form=form, status=422)
    values, now = form.cleaned_data, timezone.now()
    return _act(
        request,
        shown,
        lambda: approval.give_number(shown, values["number"], values["date"], request.user, now),
        _("The number and day have been set."),
    )


@practised
@require_POST
@audience(DIRECTIVE_CLERKS)
@touches(Ownership.AGENCY)
def keep_signed_copy(request: OfficeRequest, pk: int) -> HttpResponse:
    """Keep the signed PDF of a confirmed letter: 302, 409 refused, 422 without a file."""
    shown = _shown(pk)
    permissions.require_clerk(request.user, shown.issuer)
    form, now = AttachmentForm(request.POST, request.FILES), timezone.now()
    if not form.is_valid():
        messages.error(request, _("Choose the signed PDF. Nothing was stored."))
        return _page(request, shown, status=422)
    file = form.cleaned_data["file"]
    letter = Letter(file.read())
    return _act(
        request,
        shown,
        lambda: attachments.keep_signed_copy(shown, letter, file.name or "", request.user, now),
        _("The signed PDF is kept with the confirmation."),
    )


@practised
@require_POST
@audience(DIRECTIVE_CLERKS)
@touches(Ownership.AGENCY)
@releases
def issue(request: OfficeRequest, pk: int) -> HttpResponse:
    """Send a confirmed letter to everybody it names: 302, 409 when somebody is reached by nobody and no one said so."""
    shown = _shown(pk)
    permissions.require_clerk(request.user, shown.issuer)
    on_paper, now = request.POST.get("on_paper") == "on", timezone.now()
    return _act(request, shown, lambda: approval.issue(shown, request.user, now, on_paper=on_paper), _("Sent."))


@practised
@require_POST
@audience(DIRECTIVE_CLERKS)
@touches(Ownership.AGENCY)
@releases
def add_recipient(request: OfficeRequest, pk: int) -> HttpResponse:
    """Send an issued letter to one more agency: 302, 409 refused, 422 bad form."""
    shown = _shown(pk)
    permissions.require_clerk(request.user, shown.issuer)
    form, now = RecipientForm(request.POST), timezone.now()
    if not form.is_valid():
        return _page(request, shown, recipient_form=form, status=422)
    values = form.cleaned_data

    def add() -> None:
        for agency in Directory.for_letter(shown, timezone.localdate(now)).expand(values["name"]):
            recipient_changes.add_recipient(
                shown, agency, values["purpose"], request.user, now, on_paper=values["on_paper"]
            )

    return _act(request, shown, add, _("Sent."))


@practised
@require_POST
@audience(DIRECTIVE_CLERKS)
@touches(Ownership.AGENCY)
@releases
def recall_from(request: OfficeRequest, pk: int) -> HttpResponse:
    """Recall a letter from one agency: 302, 409 recalled before. pk: of the dispatch."""
    sent = get_object_or_404(Dispatch.objects.select_related("directive__issuer__unit", "agency"), pk=pk)
    permissions.require_clerk(request.user, sent.directive.issuer)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say why it is recalled. Nothing was changed."))
        return redirect("directive", sent.directive_id)
    reason, now = form.cleaned_data["reason"], timezone.now()
    with acts.refusals_as_messages(request, sentences.sentence_of):
        recipient_changes.recall_from(sent, reason, request.user, now)
        messages.success(request, _("Recalled from %(agency)s.") % {"agency": sent.agency.name})
    return redirect("directive", sent.directive_id)


@practised
@require_POST
@audience(DIRECTIVE_CLERKS)
@touches(Ownership.AGENCY)
def hand_over(request: OfficeRequest, pk: int) -> HttpResponse:
    """Note that a letter was handed over on paper: 302. pk: of the dispatch."""
    sent = get_object_or_404(Dispatch.objects.select_related("directive__issuer__unit", "agency"), pk=pk)
    permissions.require_clerk(request.user, sent.directive.issuer)
    note, now = request.POST.get("note", "").strip(), timezone.now()
    with acts.refusals_as_messages(request, sentences.sentence_of):
        recipient_changes.hand_over(sent, note, request.user, now)
        messages.success(request, _("Marked as handed over on paper."))
    return redirect("directive", sent.directive_id)


@practised
@require_POST
@audience(DIRECTIVE_CLERKS)
@touches(Ownership.AGENCY)
@releases
def revoke(request: OfficeRequest, pk: int) -> HttpResponse:
    """Recall an issued directive: 302, 422 without a reason."""
    shown = _shown(pk)
    permissions.require_clerk(request.user, shown.issuer)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _page(request, shown, form, status=422)
    reason = form.cleaned_data["reason"]
    return _act(request, shown, lambda: approval.revoke(shown, reason, request.user, timezone.now()), _("Recalled."))


def _act(request: OfficeRequest, shown: Directive, act: Any, done: str) -> HttpResponse:
    with acts.refusals_as_messages(request, sentences.sentence_of):
        act()
        messages.success(request, done)
        return redirect("directive", shown.pk)
    return _page(request, shown, status=409)


def _shown(pk: int) -> Directive:
    parts = ("issuer__unit", "original", "replaces", "campaign", "approved_by", "approved_version", "signed_copy")
    return get_object_or_404(Directive.objects.select_related(*parts), pk=pk)


def _page(
    request: OfficeRequest,
    shown: Directive,
    form: ReasonForm | None = None,
    *,
    number_form: NumberForm | None = None,
    recipient_form: RecipientForm | None = None,
    status: int = 200,
) -> HttpResponse:
    permissions.require_reader(request.user, shown.issuer)
    state = chosen_value(request, "state", DispatchState.values)
    page = Paginator(queries.recipients(shown, state), RECIPIENTS_A_PAGE).get_page(request.GET.get("page"))
    asked = list(queries.open_requests(shown)[: REQUESTS_AT_ONCE + 1])
    periods = list(queries.open_period_requests(shown)[: REQUESTS_AT_ONCE + 1])
    completed = list(queries.completions(shown)[: REQUESTS_AT_ONCE + 1])
    sent = shown.issued_at is not None
    unaware = list(queries.unaware(shown.dispatches.order_by()).values_list("pk", flat=True)) if sent else []
    context = {
        "directive": shown,
        "tasks": list(shown.tasks.all()),
        "page": page,
        "state": state,
        "states": DispatchState.choices,
        "unaware": unaware,
        "counted": queries.counts([shown.pk]).get(shown.pk),
        "requests": asked[:REQUESTS_AT_ONCE],
        "period_requests": periods[:REQUESTS_AT_ONCE],
        "completions": completed[:REQUESTS_AT_ONCE],
        "more_wait": max(len(asked), len(periods), len(completed)) > REQUESTS_AT_ONCE,
        "usual_until": timezone.localdate() + datetime.timedelta(days=USUAL_DAYS_REOPENED - 1),
        "form": form or ReasonForm(),
        "may_clerk": _may(permissions.require_clerk, request, shown),
        "may_sign": _may(permissions.require_signer, request, shown),
        "steps": list(shown.steps.select_related("actor", "version")[:STEPS_SHOWN]),
        "recipient_form": recipient_form or RecipientForm(),
        "names": names_to_add(shown) if sent else [],
        **({} if sent else _before_sending(shown, number_form)),
    }
    return render(request, "directives/directive.html", context, status=status)


def _before_sending(shown: Directive, number_form: NumberForm | None) -> dict[str, Any]:
    """Whom it would reach, what is still wrong, and the number that would be next."""
    today = timezone.localdate()
    faults = approval.faults(shown, today)
    reach = _reach(shown, today)
    unreached = [one.agency.name for one in reach or [] if one.channel == Channel.NOBODY]
    first = {"number": shown.number or queries.next_number(shown.issuer, today.year), "date": shown.date or today}
    return {
        "faults": [sentences.sentence_of(one) for one in faults],
        "reach": None if reach is None else len(reach),
        "unreached": unreached,
        "number_form": number_form or NumberForm(initial=first),
    }


def _may(check: Any, request: OfficeRequest, shown: Directive) -> bool:
    try:
        check(request.user, shown.issuer)
    except Refused:
        return False
    return True


def _reach(shown: Directive, today: datetime.date) -> list[Receiver] | None:
    """Every agency that would receive it, None while a name is not settled."""
    try:
        return receivers_of(shown, shown.tasks.all(), Directory.for_letter(shown, today))
    except Refused:
        return None


def names_to_add(shown: Directive) -> list[str]:
    """Agencies in force that do not have the letter."""
    have = shown.dispatches.order_by().values("agency")
    return list(
        Agency.objects.valid_on(timezone.localdate())
        .exclude(pk__in=have)
        .order_by("name")
        .values_list("name", flat=True)[:_MOST_NAMES]
    )


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(DIRECTIVE_CLERKS)
@touches(Ownership.AGENCY)
def files(request: OfficeRequest, pk: int) -> HttpResponse:
    """Files of a draft; add one: 302 stored, 422 with a sentence."""
    directive = get_object_or_404(Directive.objects.select_related("issuer__unit", "original"), pk=pk)
    permissions.require_clerk(request.user, directive.issuer)
    form = AttachmentForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        with acts.refusals_as_form_errors(form, sentences.sentence_of, field="file"):
            attachments.add(directive, file.read(), file.name or "")
            messages.success(request, _("The file has been added to the draft."))
            return redirect("directive-attachments", pk)
    context = {"directive": directive, "form": form, "attachments": list(directive.attachments.order_by("pk"))}
    return render(request, "directives/files_change.html", context, status=422 if form.errors else 200)


@practised
@require_POST
@audience(DIRECTIVE_CLERKS)
@touches(Ownership.AGENCY)
def take_away(request: OfficeRequest, pk: int) -> HttpResponse:
    """Delete a file of a draft: 302."""
    directive = get_object_or_404(Directive.objects.select_related("issuer__unit"), pk=pk)
    permissions.require_clerk(request.user, directive.issuer)
    with acts.refusals_as_messages(request, sentences.sentence_of):
        attachments.take_away(directive, request.POST.get("token", ""))
        messages.success(request, _("The file has been deleted."))
    return redirect("directive-attachments", pk)
