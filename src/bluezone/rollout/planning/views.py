# SPDX-License-Identifier: Apache-2.0
"""Pages of plans: ask for one, see its progress and its answer, stop it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.objects import Ownership, touches
from bluezone.identity.typed_fields import CountField
from bluezone.planning.assumptions import DISEASES, Assumptions, read_assumptions
from bluezone.planning.plan import Inputs, options_of
from bluezone.refusal import Refused
from bluezone.rollout.planning import answers, plans
from bluezone.rollout.planning.duty import PLANNERS
from bluezone.rollout.planning.models import CityPlan

SEEDS = 20
MOST_LISTED = 20
REFUSALS = {
    "plan_unfounded": _("The office has no figures to start from: enter residents, and count at the gates for a week."),
    "plans_waiting": _("Five plans are already waiting. Wait for one to finish, or stop one."),
    "plan_invalid": _("A plan cannot be made from these numbers. Check them again."),
    "city_too_small": _("The city has too few residents for a useful model."),
    "planner_missing": _("The model is not built on this server. Tell its operator."),
    "memory_short": _("The server has too little memory for this city."),
}


def _title(assumptions: Assumptions) -> str:
    """The name of the disease, in the reader's language."""
    return assumptions.title_vi if get_language() == "vi" else assumptions.title_en


class PlanForm(forms.Form):
    """The inputs that a leader enters."""

    disease = forms.ChoiceField(label=_("Disease"))
    infected = CountField(
        label=_("Infected today, estimated"),
        help_text=_("Everyone, including people who have not been tested; usually several for each known case."),
        min_value=1,
        max_value=1_000_000,
    )
    days = forms.TypedChoiceField(label=_("For how long"), coerce=int, initial=120)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        titles = [(name, _title(read_assumptions(name))) for name in DISEASES]
        self.fields["disease"].choices = titles  # type: ignore[attr-defined]
        self.fields["days"].choices = [(days, gettext("%(days)s days") % {"days": days}) for days in (60, 120, 180)]  # type: ignore[attr-defined]


@require_http_methods(["GET", "HEAD", "POST"])
@audience(PLANNERS)
@touches(Ownership.EVERYBODY)
def plan_list(request: OfficeRequest) -> HttpResponse:
    """The newest plans and the form for another one: 302 to the plan, 422 bad form, 409 refused."""
    form = PlanForm(request.POST or None)
    status = 200
    refused = ""
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                inputs = plans.inputs_of(**form.cleaned_data, seeds=SEEDS)
                return redirect("plan", plans.queue_plan(request.user, inputs).pk)
            except Refused as error:
                refused = str(REFUSALS.get(error.code, error.message))
                status = 409
    newest = CityPlan.objects.select_related("asked_by").defer("results")[:MOST_LISTED]
    context = {"form": form, "plans": newest, "refused": refused}
    return render(request, "planning/plan_list.html", context, status=status)


@require_safe
@audience(PLANNERS)
@touches(Ownership.EVERYBODY)
def show_plan(request: OfficeRequest, pk: int) -> HttpResponse:
    """The progress of a plan, and its answer."""
    plan = get_object_or_404(CityPlan.objects.select_related("asked_by"), pk=pk)
    inputs = Inputs.of_json(plan.inputs)
    assumptions = read_assumptions(inputs.disease)
    context = {
        "plan": plan,
        "inputs": inputs,
        "disease": _title(assumptions),
        "answer": answers.format_answer(plan, tuple(option.name for option in options_of(inputs))),
        "assumptions": answers.assumptions_of(assumptions),
        "refused": REFUSALS.get(plan.refusal, plan.refusal),
        "width": answers.WIDTH,
    }
    return render(request, "planning/plan.html", context)


@require_POST
@audience(PLANNERS)
@touches(Ownership.EVERYBODY)
def stop_plan(request: OfficeRequest, pk: int) -> HttpResponse:
    """Stop a plan: 302 back to it."""
    plan = get_object_or_404(CityPlan.objects.defer("results"), pk=pk)
    plans.stop_plan(request.user, plan)
    messages.success(request, gettext("The plan has been stopped and its results deleted."))
    return redirect("plan", pk)
