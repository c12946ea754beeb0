# SPDX-License-Identifier: Apache-2.0
"""The page on which a clerk corrects the draft of a directive: the draft as forms, and what a tap changes in them as
typed.
"""

import datetime
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.forms import BaseModelFormSet, modelformset_factory
from django.forms.utils import ErrorDict
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from bluezone.directory.models import Agency, RecipientGroup
from bluezone.directory.queries import day_to_show
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.objects import Whose, touches
from bluezone.rollout.directives import queries
from bluezone.rollout.directives.duty import DIRECTIVE_CLERKS
from bluezone.rollout.directives.issuance.addressees import names_in
from bluezone.rollout.directives.models import Campaign, Directive, DirectiveState, Ending, Task
from bluezone.training import practised

MOST_TASKS = 60
_DAY_WIDGET = {"type": "date"}
_DEFAULT_DAYS = {"days_to_report": 1, "days_to_lock": 7}
_MOST_DAYS = {"days_to_report": 60, "days_to_lock": 120}


class DirectiveForm(forms.ModelForm):  # type: ignore[type-arg]
    """What the head, the foot and the recipients of a letter say. replaceable: documents it may replace or revoke."""

    class Meta:
        model = Directive
        fields: ClassVar = [
            "kind",
            "number",
            "notation",
            "date",
            "subject",
            "basis",
            "priority",
            "campaign",
            "replaces",
            "ending",
            "authority",
            "signer_position",
            "signer_name",
            "recipients_action",
            "recipients_information",
            "recipients_file",
        ]
        labels: ClassVar = {"replaces": _("Earlier document"), "ending": _("What becomes of it")}
        widgets: ClassVar = {
            "date": forms.DateInput(attrs=_DAY_WIDGET, format="%Y-%m-%d"),
            **{name: forms.Textarea(attrs={"rows": 2}) for name in ("subject", "basis", "authority")},
            **{f"recipients_{name}": forms.Textarea(attrs={"rows": 3}) for name in ("action", "information", "file")},
        }

    def __init__(self, *args: Any, replaceable: QuerySet[Directive], **more: Any) -> None:
        super().__init__(*args, **more)
        earlier: Any = self.fields["replaces"]
        earlier.queryset, earlier.empty_label, earlier.label_from_instance = replaceable, _("none"), _named
        campaign: Any = self.fields["campaign"]
        campaign.queryset, campaign.empty_label = Campaign.objects.all(), _("none")
        self.fields["ending"].required = False

    def clean_ending(self) -> str:
        """Replaced where nothing is chosen."""
        return self.cleaned_data["ending"] or Ending.REPLACED.value


def _named(directive: Directive) -> str:
    day = f" ({directive.date:%d/%m/%Y})" if directive.date else ""
    return f"{directive.code}{day} {directive.subject[:60]}"


class TaskForm(forms.ModelForm):  # type: ignore[type-arg]
    """One task. asked_for: the numbers of its report form, one label a line."""

    asked_for = forms.CharField(
        label=_("Numbers to report, one a line"), required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    class Meta:
        model = Task
        fields: ClassVar = [
            "text",
            "lead_names",
            "cooperating_names",
            "due",
            "report_every",
            "report_from",
            "days_to_report",
            "days_to_lock",
        ]
        widgets: ClassVar = {
            "text": forms.Textarea(attrs={"rows": 4}),
            "lead_names": forms.Textarea(attrs={"rows": 3}),
            "cooperating_names": forms.Textarea(attrs={"rows": 3}),
            **{name: forms.DateInput(attrs=_DAY_WIDGET, format="%Y-%m-%d") for name in ("due", "report_from")},
        }

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        for name, most in _MOST_DAYS.items():
            self.fields[name] = forms.IntegerField(
                label=self.fields[name].label, min_value=0, max_value=most, required=False
            )
        if self.instance.pk:
            self.initial["asked_for"] = "\n".join(field["label"] for field in self.instance.fields)

    def clean(self) -> dict[str, Any]:
        """Days that were left empty are the usual ones; a period is not locked before its report is due."""
        values = super().clean() or {}
        for name, usual in _DEFAULT_DAYS.items():
            if values.get(name) is None and name not in self.errors:
                values[name] = usual
        if values.get("report_every") and not values.get("report_from") and "report_from" not in self.errors:
            values["report_from"] = self._first_day()
        if not self.errors and values["days_to_lock"] < values["days_to_report"]:
            self.add_error("days_to_lock", _("A period is locked on or after the last day to report."))
        return values

    def _first_day(self) -> datetime.date:
        known = self.instance.directive.date if self.instance.directive_id else None
        return known or timezone.localdate()

    def save(self, commit: bool = True) -> Task:
        """Store the task; fields keep their name while their label stays."""
        old = {field["label"]: field["name"] for field in self.instance.fields}
        labels = list(dict.fromkeys(names_in(self.cleaned_data["asked_for"])))[:20]
        taken = {old[label] for label in labels if label in old}
        free = (f"n{number}" for number in range(1, 100) if f"n{number}" not in taken)
        self.instance.fields = [{"name": old.get(label) or next(free), "label": label[:120]} for label in labels]
        stored: Task = super().save(commit)
        return stored


class DraftTasks(BaseModelFormSet):  # type: ignore[type-arg]
    """The tasks of one draft: corrected, added after the last one, taken out."""

    def store(self, directive: Directive) -> None:
        """Store what a valid form says; call within a transaction."""
        self.save(commit=False)
        for gone in self.deleted_objects:
            gone.delete()
        for changed, _names in self.changed_objects:
            changed.save()
        last = directive.tasks.order_by("-position").first()
        position = last.position if last else -1
        labels = directive.tasks.values_list("label", flat=True)
        number = max((int(label) for label in labels if label.isascii() and label.isdigit()), default=0)
        for place, new in enumerate(self.new_objects, 1):
            new.directive, new.position, new.label = directive, position + place, str(number + place)
            new.save()


TaskForms = modelformset_factory(
    Task,
    form=TaskForm,
    formset=DraftTasks,
    extra=0,
    can_delete=True,
    max_num=MOST_TASKS,
    absolute_max=MOST_TASKS,
    validate_max=True,
)


TOTAL = "task-TOTAL_FORMS"
PURPOSES = ("action", "information", "file")
_MOST_TASKS = 1000


@dataclass(frozen=True)
class Change:
    """What a tap did: `what` names it, `about` says to whom, `undo` is the tap that takes it back ("": none)."""

    what: str
    about: str = ""
    undo: str = ""


NOTHING = Change("nothing")


def changed(sent: QueryDict, tap: str) -> tuple[QueryDict, Change]:
    """The form with the change of one tap; an unknown tap changes nothing. tap: "drop-task:2", "same-due" and so on."""
    data = sent.copy()
    name, _colon, rest = tap.partition(":")
    act = {
        "add-task": _add_task,
        "drop-task": _drop_task,
        "keep-task": _keep_task,
        "add-recipient": _add_recipient,
        "drop-recipient": _drop_recipient,
        "put-recipient": _put_recipient,
        "same-due": _same_due,
        "due-days": _due_days,
    }.get(name)
    return data, act(data, rest) if act else NOTHING


def _number(text: str, below: int) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 and int(text) < below else None


def _count(data: QueryDict) -> int:
    return _number(data.get(TOTAL, ""), _MOST_TASKS) or 0


def _add_task(data: QueryDict, _rest: str) -> Change:
    count = _count(data)
    data[TOTAL] = str(count + 1)
    data[f"task-{count}-report_every"] = "week"
    data[f"task-{count}-due"] = data.get("due_for_all", "")
    return Change("task-added", undo=f"drop-task:{count}")


def _drop_task(data: QueryDict, number: str) -> Change:
    if _number(number, _count(data)) is None:
        return NOTHING
    data[f"task-{number}-DELETE"] = "on"
    return Change("task-dropped", undo=f"keep-task:{number}")


def _keep_task(data: QueryDict, number: str) -> Change:
    if _number(number, _count(data)) is None:
        return NOTHING
    data[f"task-{number}-DELETE"] = ""
    return Change("task-kept")


def _lines(data: QueryDict, purpose: str) -> list[str]:
    return names_in(data.get(f"recipients_{purpose}", ""))


def _store(data: QueryDict, purpose: str, lines: list[str]) -> None:
    data[f"recipients_{purpose}"] = "\n".join(lines)


def _add_recipient(data: QueryDict, _rest: str) -> Change:
    name, purpose = " ".join(data.get("recipient_name", "").split()), data.get("recipient_purpose", "")
    if not name or purpose not in PURPOSES:
        return NOTHING
    return _put(data, purpose, len(_lines(data, purpose)), name)


def _put_recipient(data: QueryDict, rest: str) -> Change:
    purpose, number, name = [*rest.split(":", 2), "", ""][:3]
    place = _number(number, 10_000)
    return _put(data, purpose, place, name) if purpose in PURPOSES and place is not None and name else NOTHING


def _put(data: QueryDict, purpose: str, place: int, name: str) -> Change:
    lines = _lines(data, purpose)
    if name not in lines:
        lines.insert(place, name)
    _store(data, purpose, lines)
    return Change("recipient-added", name, f"drop-recipient:{purpose}:{lines.index(name)}")


def _drop_recipient(data: QueryDict, rest: str) -> Change:
    purpose, _colon, number = rest.partition(":")
    lines = _lines(data, purpose) if purpose in PURPOSES else []
    place = _number(number, len(lines))
    if place is None:
        return NOTHING
    gone = lines.pop(place)
    _store(data, purpose, lines)
    return Change("recipient-dropped", gone, f"put-recipient:{purpose}:{place}:{gone}")


def _same_due(data: QueryDict, _rest: str) -> Change:
    day, count = data.get("due_for_all", ""), _count(data)
    before = ",".join(data.get(f"task-{number}-due", "") for number in range(count))
    for number in range(count):
        data[f"task-{number}-due"] = day
    return Change("due-set", undo=f"due-days:{before}")


def _due_days(data: QueryDict, days: str) -> Change:
    for number, day in enumerate(days.split(",")[: _count(data)]):
        data[f"task-{number}-due"] = day
    return Change("due-back")


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
    queries.require_clerk(request.user, directive.issuer)
    if directive.state != DirectiveState.DRAFT:
        messages.warning(request, gettext("This document is approved and is not changed any more."))
        return redirect("directive", pk)
    if request.method != "POST":
        return _page(request, directive, *_forms(directive, None))
    if tap := request.POST.get("do", ""):
        data, change = changed(request.POST, tap)
        form, tasks = _forms(directive, data)
        _unjudged(form, tasks)
        return _page(request, directive, form, tasks, change)
    form, tasks = _forms(directive, request.POST)
    if not (form.is_valid() and tasks.is_valid()):
        return _page(request, directive, form, tasks, status=422)
    with transaction.atomic():
        form.save()
        tasks.store(directive)
    messages.success(request, gettext("The draft is stored."))
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
        "recipients": [_recipients(form, purpose) for purpose in PURPOSES],
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
