# SPDX-License-Identifier: Apache-2.0
"""The page on which a clerk corrects the draft of a directive: the draft as forms, and what a tap changes in them as
typed.
"""

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

from bluezone.directory.models import RecipientGroup
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.edits import SHOWN, SharedForm
from bluezone.identity.objects import Ownership, touches
from bluezone.identity.typed_fields import CountField, DayField, TimeOfDayField
from bluezone.rollout.directives import permissions, queries, sentences
from bluezone.rollout.directives.duty import DIRECTIVE_CLERKS
from bluezone.rollout.directives.issuance import approval, intake
from bluezone.rollout.directives.issuance.addressees import Directory, Meaning, channels, key_of, names_in
from bluezone.rollout.directives.models import Campaign, Directive, DirectiveState, Ending, Task
from bluezone.training import practised

MOST_TASKS = 60
_DEFAULT_DAYS = {"days_to_report": 1, "days_to_lock": 7}
_MOST_DAYS = {"days_to_report": 60, "days_to_lock": 120}


class DirectiveForm(SharedForm, forms.ModelForm):  # type: ignore[type-arg]
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
        labels: ClassVar = {"replaces": _("Earlier document"), "ending": _("What happens to it")}
        widgets: ClassVar = {
            **{name: forms.Textarea(attrs={"rows": 2}) for name in ("subject", "basis", "authority")},
            **{f"recipients_{name}": forms.Textarea(attrs={"rows": 3}) for name in ("action", "information", "file")},
        }
        field_classes: ClassVar = {"date": DayField}

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


class TaskForm(SharedForm, forms.ModelForm):  # type: ignore[type-arg]
    """One task. asked_for: the numbers of its report form, one label a line."""

    asked_for = forms.CharField(
        label=_("Numbers to report, one per line"), required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    class Meta:
        model = Task
        fields: ClassVar = [
            "text",
            "lead_names",
            "cooperating_names",
            "due",
            "due_time",
            "report_every",
            "report_from",
            "days_to_report",
            "days_to_lock",
        ]
        widgets: ClassVar = {
            "text": forms.Textarea(attrs={"rows": 4}),
            "lead_names": forms.Textarea(attrs={"rows": 3}),
            "cooperating_names": forms.Textarea(attrs={"rows": 3}),
        }
        field_classes: ClassVar = {
            "due": DayField,
            "report_from": DayField,
            "due_time": TimeOfDayField,
        } | dict.fromkeys(("days_to_report", "days_to_lock"), CountField)
        help_texts: ClassVar = {"report_from": _("If empty, from the day on which it is sent.")}

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        for name, most in _MOST_DAYS.items():
            self.fields[name] = CountField(label=self.fields[name].label, min_value=0, max_value=most, required=False)
        if self.instance.pk:
            self.initial["asked_for"] = "\n".join(field["label"] for field in self.instance.fields)

    def clean(self) -> dict[str, Any]:
        """Days that were left empty are the usual ones; a period is not locked before its report is due."""
        values = super().clean() or {}
        for name, usual in _DEFAULT_DAYS.items():
            if values.get(name) is None and name not in self.errors:
                values[name] = usual
        if values.get("due_time") and not values.get("due") and "due" not in self.errors:
            self.add_error("due", _("On which day?"))
        if not self.errors and values["days_to_lock"] < values["days_to_report"]:
            self.add_error("days_to_lock", _("A period must be locked on or after the last day to report."))
        return values

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


def changed(sent: QueryDict, tap: str) -> tuple[QueryDict, Change | None]:
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
        "choose": _choose,
    }.get(name)
    return data, act(data, rest) if act else None


def _number(text: str, below: int) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 and int(text) < below else None


def _count(data: QueryDict) -> int:
    return _number(data.get(TOTAL, ""), _MOST_TASKS) or 0


def _add_task(data: QueryDict, _rest: str) -> Change:
    count = _count(data)
    data[TOTAL] = str(count + 1)
    data[f"task-{count}-due"] = data.get("due_for_all", "")
    return Change("task-added", undo=f"drop-task:{count}")


def _drop_task(data: QueryDict, number: str) -> Change | None:
    if _number(number, _count(data)) is None:
        return None
    data[f"task-{number}-DELETE"] = "on"
    return Change("task-dropped", undo=f"keep-task:{number}")


def _keep_task(data: QueryDict, number: str) -> Change | None:
    if _number(number, _count(data)) is None:
        return None
    data[f"task-{number}-DELETE"] = ""
    return Change("task-kept")


def _lines(data: QueryDict, purpose: str) -> list[str]:
    return names_in(data.get(f"recipients_{purpose}", ""))


def _store(data: QueryDict, purpose: str, lines: list[str]) -> None:
    data[f"recipients_{purpose}"] = "\n".join(lines)


def _add_recipient(data: QueryDict, _rest: str) -> Change | None:
    name, purpose = " ".join(data.get("recipient_name", "").split()), data.get("recipient_purpose", "")
    if not name or purpose not in PURPOSES:
        return None
    return _put(data, purpose, len(_lines(data, purpose)), name)


def _put_recipient(data: QueryDict, rest: str) -> Change | None:
    purpose, number, name = [*rest.split(":", 2), "", ""][:3]
    place = _number(number, 10_000)
    return _put(data, purpose, place, name) if purpose in PURPOSES and place is not None and name else None


def _put(data: QueryDict, purpose: str, place: int, name: str) -> Change:
    lines = _lines(data, purpose)
    if name not in lines:
        lines.insert(place, name)
    _store(data, purpose, lines)
    return Change("recipient-added", name, f"drop-recipient:{purpose}:{lines.index(name)}")


def _drop_recipient(data: QueryDict, rest: str) -> Change | None:
    purpose, _colon, number = rest.partition(":")
    lines = _lines(data, purpose) if purpose in PURPOSES else []
    place = _number(number, len(lines))
    if place is None:
        return None
    gone = lines.pop(place)
    _store(data, purpose, lines)
    return Change("recipient-dropped", gone, f"put-recipient:{purpose}:{place}:{gone}")


def _choose(_data: QueryDict, _rest: str) -> Change:
    """What was chosen stands in the form; the page shows whom the names mean then."""
    return Change("names-chosen")


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
_MOST_CHOICES = 500


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(DIRECTIVE_CLERKS)
@touches(Ownership.AGENCY)
def change_directive(request: OfficeRequest, pk: int) -> HttpResponse:
    """The draft on one page, each value beside where it was read.

    302 stored or no draft any more, 200 with one change in the form as typed (`do`), 422 bad form.
    """
    directive = get_object_or_404(Directive.objects.select_related("issuer__unit", "original", "replaces"), pk=pk)
    permissions.require_clerk(request.user, directive.issuer)
    if directive.state != DirectiveState.DRAFT:
        messages.warning(
            request, gettext("This document is submitted or confirmed. Make it a draft again to change it.")
        )
        return redirect("directive", pk)
    if request.method != "POST":
        return _page(request, directive, *_forms(directive, None))
    if tap := request.POST.get("do", ""):
        data, change = changed(request.POST, tap)
        form, tasks = _forms(directive, data)
        _unjudged(form, tasks)
        return _page(request, directive, form, tasks, change)
    now = timezone.now()
    with transaction.atomic():
        # Held, so that two who store in the same moment see each other.
        held = Directive.objects.select_for_update(of=("self",)).select_related("issuer", "original", "replaces")
        directive = held.get(pk=pk)
        form, tasks = _forms(directive, _with_ended_tasks(request.POST, directive))
        if not (form.is_valid() and tasks.is_valid()):
            meanwhile = any(one.meanwhile for one in (form, *tasks.forms))
            return _page(request, directive, form, tasks, status=409 if meanwhile else 422)
        form.instance.choices = _chosen(directive, form, tasks, request.POST)
        form.save()
        tasks.store(directive)
        approval.note_stored(directive, request.user, now)
    if request.POST.get("then") == "submit":
        with acts.refusals_as_messages(request, sentences.sentence_of):
            approval.submit(directive, request.user, now)
            messages.success(request, gettext("Submitted for signing."))
            return redirect("directive", pk)
        messages.success(request, gettext("The draft has been stored."))
        return redirect("directive-change", pk)
    messages.success(request, gettext("The draft has been stored."))
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


def _with_ended_tasks(sent: QueryDict, directive: Directive) -> QueryDict:
    """The form with tasks that somebody else has taken out meanwhile as new ones: what was typed into them stays."""
    known = {str(pk) for pk in directive.tasks.values_list("pk", flat=True)}
    count = _count(sent)
    there = [place for place in range(count) if sent.get(f"task-{place}-id", "") in known]
    if len(there) == sum(bool(sent.get(f"task-{place}-id")) for place in range(count)):
        return sent
    data = QueryDict(mutable=True)
    for name in sent:
        if not name.startswith("task-"):
            data.setlist(name, sent.getlist(name))
    order = [*there, *(place for place in range(count) if place not in there)]
    for place, old in enumerate(order):
        for name in sent:
            if name.startswith(f"task-{old}-"):
                data.setlist(f"task-{place}-{name.removeprefix(f'task-{old}-')}", sent.getlist(name))
        if place >= len(there):
            data[f"task-{place}-id"] = ""
            data.pop(f"task-{place}-{SHOWN}", None)
    data[TOTAL], data["task-INITIAL_FORMS"] = str(count), str(len(there))
    return data


def _chosen(directive: Directive, form: DirectiveForm, tasks: Any, sent: Any) -> dict[str, int]:
    """Which agency stands for which name: what was chosen before or now, for names that the letter still has."""
    picked = dict(directive.choices)
    for place in range(_MOST_CHOICES):
        name, agency = sent.get(f"choose-{place}-name"), sent.get(f"choose-{place}", "")
        if name is None:
            break
        key = key_of(name)
        picked.pop(key, None)
        if agency.isascii() and agency.isdigit() and len(agency) < 18:
            picked[key] = int(agency)
    written = {key_of(name) for name in names_in(_lines_of(form, tasks))}
    fitting = _directory(directive, {})
    return {
        key: pk
        for key, pk in picked.items()
        if key in written and pk in {one.pk for one in fitting.meant_by(key).candidates}
    }


def _lines_of(form: DirectiveForm, tasks: Any) -> str:
    """Every line of the form as typed that names somebody."""
    fields = [form[f"recipients_{purpose}"] for purpose in ("action", "information")]
    for one in tasks:
        if not one["DELETE"].value():
            fields += [one["lead_names"], one["cooperating_names"]]
    return "\n".join(field.value() or "" for field in fields)


def _directory(directive: Directive, choices: dict[str, int]) -> Directory:
    return Directory.of(timezone.localdate(), directive.issuer, choices)


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
    picked = _chosen(directive, form, tasks, typed) if typed else directive.choices
    directory = _directory(directive, picked)
    context = {
        "directive": directive,
        "form": form,
        "tasks": tasks,
        "rows": [(one, _read_at(read, one), bool(one["DELETE"].value()), _whom(directory, one)) for one in tasks],
        **intake.shown_reading(directive, {name: str(field.label) for name, field in form.fields.items()}),
        "wrong": status == 422,
        "meanwhile": status == 409,
        "change": change,
        "find": typed.get("find", ""),
        "due_for_all": typed.get("due_for_all", ""),
        "recipient_name": "" if added else typed.get("recipient_name", ""),
        "recipient_purpose": typed.get("recipient_purpose", ""),
        "recipients": [_recipients(directory, form, purpose) for purpose in PURPOSES],
        "to_choose": _to_choose(directive, picked, names_in(_lines_of(form, tasks))),
        "names": _names(directory),
    }
    return render(request, "directives/directive_form.html", context, status=status)


def _to_choose(directive: Directive, picked: dict[str, int], names: list[str]) -> list[dict[str, Any]]:
    """Names that do not each stand for one agency by themselves, with whom they may mean and what was chosen."""
    plain = _directory(directive, {})
    found = [plain.meant_by(name) for name in dict.fromkeys(names)]
    return [{"meaning": one, "chosen": picked.get(key_of(one.name))} for one in found if one.refusal]


def _whom(directory: Directory, form: TaskForm) -> list[tuple[str, list[Meaning]]]:
    """Whom lead and cooperating of a task mean, where that is not just what stands there."""
    return [
        (name, _meanings(directory, names_in(form[name].value() or ""))) for name in ("lead_names", "cooperating_names")
    ]


def _meanings(directory: Directory, names: list[str]) -> list[Meaning]:
    return [directory.meant_by(name) for name in names]


def _recipients(directory: Directory, form: DirectiveForm, purpose: str) -> dict[str, Any]:
    """The names of one purpose with the agencies each means, and how these are reached."""
    field = form[f"recipients_{purpose}"]
    meant = _meanings(directory, names_in(field.value() or ""))
    agencies = {one.pk: one for meaning in meant for one in meaning.agencies}
    ways = channels(agencies.values(), directory.issuer)
    rows = [(meaning, [(one, ways[one.pk]) for one in meaning.agencies]) for meaning in meant]
    return {"purpose": purpose, "field": field, "rows": rows}


def _read_at(read: list[Any], form: Any) -> Any:
    """Where the letter says this task; nothing for one that was added."""
    position = form.instance.position if form.instance.pk else len(read)
    return read[position] if position < len(read) else {}


def _names(directory: Directory) -> list[str]:
    """What a recipient line may say: recipient groups first, then agencies in force."""
    groups = list(RecipientGroup.objects.values_list("name", flat=True))
    return [*groups, *sorted(one.name for one in directory.in_force.values())[:_MOST_NAMES]]
