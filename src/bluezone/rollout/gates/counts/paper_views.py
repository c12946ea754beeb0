# SPDX-License-Identifier: Apache-2.0
"""The page on which an agency enters what a gate counted on paper, corrects it and takes it out again."""

import datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from bluezone.directory.request_parameters import chosen_number
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.objects import Whose, touches
from bluezone.rollout.gates import scope
from bluezone.rollout.gates.counts import paper_slips
from bluezone.rollout.gates.forms import SlipForm
from bluezone.rollout.gates.models import DayPart, Gate, PaperSlip
from bluezone.rollout.gates.scope import KEEPERS

SHOWN_DAYS = 14


@require_http_methods(["GET", "HEAD", "POST"])
@audience(KEEPERS)
@touches(Whose.AGENCY)
def paper(request: OfficeRequest, pk: int) -> HttpResponse:
    """Enter a slip: 302 back here with the button that takes it back; 422 bad form; 403 another agency's gate.

    GET with `?slip=` shows the numbers of that slip, to correct them.
    """
    gate, today = scope.gate_of_ours(request, pk), timezone.localdate()
    if request.method != "POST":
        return _page(request, gate, SlipForm(initial=_initial(request, gate, today)), today)
    form = SlipForm(request.POST)
    if form.is_valid():
        day, part = form.cleaned_data["day"], DayPart(form.cleaned_data["part"])
        try:
            entered = paper_slips.enter(request.user.username, gate, day, part, form.counts, today)
        except paper_slips.SlipOfAnotherTime:
            form.add_error("day", _("Choose today or one of the 60 days before it."))
        except paper_slips.SlipsOverlap:
            form.add_error(
                "part", _("This day already has a slip for the whole day, or for parts of it. Correct that one.")
            )
        else:
            _notice(request, entered)
            return redirect("gate-paper", pk)
    return _page(request, gate, form, today)


@require_POST
@audience(KEEPERS)
@touches(Whose.AGENCY)
def take_out(request: OfficeRequest, pk: int) -> HttpResponse:
    """Take a slip out that does not belong here: 302, with the button that brings it back; 403 another agency's."""
    gate = scope.gate_of_ours(request, pk)
    slip = get_object_or_404(PaperSlip, gate=gate, pk=chosen_number(request, "slip") or 0)
    acts.offer(request, paper_slips.UNDO_ACT, timezone.now(), **paper_slips.take_out(request.user.username, slip))
    messages.success(request, _("The slip is taken out; its numbers count no more."))
    return redirect("gate-paper", pk)


def _page(request: OfficeRequest, gate: Gate, form: SlipForm, today: datetime.date) -> HttpResponse:
    slips = gate.slips.filter(day__gt=today - datetime.timedelta(days=SHOWN_DAYS))
    context = {"gate": gate, "form": form, "slips": slips, "shown_days": SHOWN_DAYS}
    return render(request, "gates/paper.html", context, status=422 if form.errors else 200)


def _initial(request: OfficeRequest, gate: Gate, today: datetime.date) -> dict[str, object]:
    number = chosen_number(request, "slip")
    found = gate.slips.filter(pk=number).first() if number is not None else None
    if found is None:
        return {"day": _day(request.GET.get("day", "")) or today}
    return {"day": found.day, "part": found.part, **{name: getattr(found, name) for name in paper_slips.COUNTS}}


def _day(text: str) -> datetime.date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _notice(request: OfficeRequest, entered: paper_slips.Entered) -> None:
    if not entered.changed:
        messages.info(request, _("These numbers were entered already; nothing was changed."))
        return
    acts.offer(request, paper_slips.UNDO_ACT, timezone.now(), **paper_slips.undo_values(entered))
    if entered.before is None:
        messages.success(
            request, _("The slip is entered. It stands in the column “on paper” and is in no proven number.")
        )
    else:
        messages.success(request, _("The slip is corrected; the numbers before it are in the audit."))
