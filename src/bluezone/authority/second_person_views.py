# SPDX-License-Identifier: Apache-2.0
"""Pages of the acts that wait for a second person, and the page to break the glass in an emergency."""

import datetime
import functools
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.authority import two_persons
from bluezone.authority.models import ActState, WaitingAct
from bluezone.authority.recent_access import people_with_access
from bluezone.authority.two_persons import kind_by_name
from bluezone.authority.views import show_link
from bluezone.duties.duty import Text
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.factors.second_factors import confirm_second_factor
from bluezone.identity.models import User
from bluezone.identity.objects import Ownership, touches
from bluezone.refusal import Refused


class BreakGlassForm(forms.Form):
    """The reason for which a person speaks to the public without a second person."""

    reason = forms.CharField(
        label=_("What happened, and who you tried to reach"),
        min_length=10,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


def visible_acts(user: User, acts: list[WaitingAct]) -> list[dict[str, Any]]:
    """One row for each act that the person asked for, or may do or confirm."""
    return [
        {"act": act, "kind": kind_by_name(act.kind), "mine": act.asked_by_id == user.pk}
        for act in acts
        if two_persons.may_see(act, user)
    ]


@functools.lru_cache(maxsize=64)
def _has_no_second(pk: int, asked_at: datetime.datetime, minute: int) -> bool:
    """Whether no one could confirm an act. Every page calls this, so the answer is cached for a minute, for display.

    pk, asked_at: of the act. minute: of the present moment, so that each minute has its own answer.
    """
    act = WaitingAct.objects.select_related("asked_by").filter(pk=pk).first()
    return act is not None and two_persons.may_confirm_alone(act, timezone.now())


def notices_for(user: User, now: datetime.datetime) -> dict[str, Any]:
    """The notices at the top of every office page.

    glasses: acts by which a person has broken the glass. alone: acts that no second person could confirm, with the
    moment from which the person who asked may do so. to_confirm: how many acts this user may confirm.
    """
    acts = two_persons.waiting_acts(now)
    waiting = [act for act in acts if act.state == ActState.WAITING]
    minute = int(now.timestamp()) // 60
    return {
        "glasses": [act for act in acts if act.state == ActState.GLASS],
        "alone": [
            {"act": act, "kind": kind_by_name(act.kind), "at": act.asked_at + two_persons.ALONE_AFTER}
            for act in waiting
            if _has_no_second(act.pk, act.asked_at, minute)
        ],
        "to_confirm": sum(1 for act in waiting if two_persons.may_confirm(act, user, now)),
    }


@require_safe
@audience(SIGNED_IN)
@touches(Ownership.OWN)
def act_list(request: OfficeRequest) -> HttpResponse:
    """The waiting acts that the reader asked for, or may do or confirm."""
    now = timezone.now()
    acts = [act for act in two_persons.waiting_acts(now) if act.state == ActState.WAITING]
    context = {"rows": visible_acts(request.user, acts), "speaks": two_persons.may_break_glass(request.user)}
    return render(request, "authority/waiting.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(SIGNED_IN)
@touches(Ownership.SHARED)
@confirm_second_factor
def show_act(request: OfficeRequest, pk: int) -> HttpResponse:
    """Show exactly what is to be done, with the button that confirms it.

    302 done; 201 done, and the page shows the one-time link of an account; 409 refused.
    """
    act = _act_or_404(request, pk)
    now = timezone.now()
    refusal = ""
    if request.method == "POST":
        try:
            result = two_persons.confirm_act(act, request.user, now)
        except two_persons.SecondPersonRefused:
            refusal = gettext("You cannot confirm this. Another person has to.")
        except Refused:
            refusal = gettext("This can no longer be done: something has changed since it was asked for.")
        else:
            messages.success(request, gettext("Confirmed and done."))
            if isinstance(result, tuple):
                account, token = result
                return show_link(request, account, token, status=201)
            return redirect("waiting")
        act.refresh_from_db()
    context = _act_context(act, request.user, now, refusal)
    return render(request, "authority/act.html", context, status=409 if refusal else 200)


@require_POST
@audience(SIGNED_IN)
@touches(Ownership.SHARED)
def withdraw_act(request: OfficeRequest, pk: int) -> HttpResponse:
    """Refuse an act, or withdraw one's own: 302."""
    act = _act_or_404(request, pk)
    try:
        two_persons.withdraw_act(act, request.user, timezone.now())
    except two_persons.ActGone:
        messages.error(request, gettext("This has already been done or withdrawn. Nothing was changed."))
    else:
        messages.success(request, gettext("Withdrawn: it will not be done."))
    return redirect("waiting")


@require_http_methods(["GET", "HEAD", "POST"])
@audience(SIGNED_IN)
@touches(Ownership.OWN)
@confirm_second_factor
def break_glass(request: OfficeRequest) -> HttpResponse:
    """Break the glass: for one hour, speak to the public without a second person.

    302 to the waiting acts; 422 without a reason; 409 if no role of the reader speaks to the public, or another person
    made or reset the account within a week.
    """
    now = timezone.now()
    form = BreakGlassForm(request.POST or None)
    may_speak = two_persons.may_break_glass(request.user)
    others = sorted(people_with_access(request.user, now) - {request.user.username})
    is_refused = not may_speak or bool(others)
    if request.method == "POST" and form.is_valid() and not is_refused:
        two_persons.break_glass(request.user, form.cleaned_data["reason"], now)
        messages.warning(
            request, gettext("For one hour you may speak to the public without a second person. Everyone is informed.")
        )
        return redirect("waiting")
    status = 200
    if is_refused and request.method == "POST":
        status = 409
    elif form.errors:
        status = 422
    context = {"form": form, "speaks": may_speak, "others": others, "open": two_persons.broken_glass(request.user, now)}
    return render(request, "authority/glass.html", context, status=status)


def _act_or_404(request: OfficeRequest, pk: int) -> WaitingAct:
    act = get_object_or_404(WaitingAct.objects.select_related("asked_by", "answered_by"), pk=pk)
    if not two_persons.may_see(act, request.user):
        raise Http404
    return act


def _act_context(act: WaitingAct, user: User, now: datetime.datetime, refusal: str) -> dict[str, Any]:
    """What the page of an act shows. refusal: why the confirmation just tried was refused, "" for none."""
    kind = kind_by_name(act.kind)
    is_mine = act.asked_by_id == user.pk
    is_waiting = act.state == ActState.WAITING and act.expires_at > now
    may_as_second = is_waiting and two_persons.may_confirm(act, user, now)
    may_alone = is_waiting and is_mine and two_persons.may_confirm_alone(act, now)
    alone_at = act.asked_at + two_persons.ALONE_AFTER
    return {
        "act": act,
        "kind": kind,
        "lines": _lines_of(act),
        "refusal": refusal,
        "mine": is_mine,
        "waits": is_waiting,
        "may": may_as_second,
        "may_now": may_as_second or (may_alone and now >= alone_at),
        "alone_at": alone_at if may_alone else None,
        "by_operator": is_waiting and kind.by_operator,
        "may_confirm_kind": is_waiting and kind.may_confirm(user, act.values),
        "may_break_glass": is_waiting and kind.speaks_to_public and is_mine,
    }


def _lines_of(act: WaitingAct) -> list[tuple[Text, Text]]:
    """What both people read, in the reader's language; as it was stored if the act's subject no longer exists."""
    try:
        return list(kind_by_name(act.kind).describe(act.values))
    except Refused:
        return [(label, text) for label, text in act.lines]
