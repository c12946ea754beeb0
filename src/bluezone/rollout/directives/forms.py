# SPDX-License-Identifier: Apache-2.0
"""Forms of directives: letters sent in, files, reasons, acts, requests, reports; those of drafts: draft_views.py."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.directory.kinds import Purpose
from bluezone.directory.models import Agency
from bluezone.identity.edits import SharedForm
from bluezone.identity.models import User
from bluezone.identity.typed_fields import CountField, DayField
from bluezone.rollout.directives.models import (
    Campaign,
    ChangeRequest,
    Directive,
    DirectiveState,
    DispatchState,
    Task,
    TaskParty,
)


class LetterForm(forms.Form):
    """A letter as text or as a file, and who issues it."""

    issuer = forms.ModelChoiceField(label=_("Issued by"), queryset=Agency.objects.none())
    text = forms.CharField(
        label=_("Text of the letter"),
        help_text=_("Paste the whole letter, from the national title to Nơi nhận."),
        widget=forms.Textarea(attrs={"rows": 10}),
        required=False,
        max_length=60_000,
    )
    file = forms.FileField(
        label=_("Or a file"),
        help_text=_(
            "DOCX, PDF or a scanned picture is kept as it is; for DOC, RTF and ODT only the text is "
            "kept. At most 10 MB."
        ),
        required=False,
    )

    def __init__(self, *args: Any, issuers: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        field = self.fields["issuer"]
        field.queryset = issuers  # type: ignore[attr-defined]
        first = issuers.first()
        self.initial.setdefault("issuer", first.pk if first else None)

    def clean(self) -> dict[str, Any]:
        """Either text or a file."""
        values = super().clean() or {}
        if not values.get("text", "").strip() and not values.get("file") and not self.errors:
            raise forms.ValidationError(_("Paste the text of the letter or choose its file."))
        return values


class AttachmentForm(forms.Form):
    """A file that goes with a letter."""

    file = forms.FileField(
        label=_("File"), help_text=_("PDF, DOCX, XLSX, JPEG, PNG, TIFF or plain text. At most 10 MB.")
    )


class CampaignForm(SharedForm, forms.ModelForm):  # type: ignore[type-arg]
    """A campaign. owners: agencies that the person may call one for."""

    class Meta:
        model = Campaign
        fields: ClassVar = ["owner", "name", "basis", "rests_on", "aim", "begins", "ends"]
        widgets: ClassVar = {
            "aim": forms.Textarea(attrs={"rows": 3}),
        }
        field_classes: ClassVar = {"begins": DayField, "ends": DayField}
        help_texts: ClassVar = {"basis": _("Number, day and issuer, as written in a letter.")}

    def __init__(self, *args: Any, owners: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        owner: Any = self.fields["owner"]
        owner.queryset, owner.required, owner.empty_label = owners, True, None
        first = owners.first()
        self.initial.setdefault("owner", first.pk if first else None)
        known: Any = self.fields["rests_on"]
        in_force = Directive.objects.filter(issuer__in=owners, state=DirectiveState.ISSUED).defer("text", "proposal")
        known.queryset, known.empty_label = in_force, _("none")
        known.label_from_instance = lambda one: f"{one.code} {one.subject[:60]}"

    def clean(self) -> dict[str, Any]:
        """It rests on a document, and ends after it begins."""
        values = super().clean() or {}
        if not values.get("basis") and not values.get("rests_on") and "basis" not in self.errors:
            self.add_error("basis", _("Name the document that the campaign is based on."))
        if values.get("begins") and values.get("ends") and values["ends"] < values["begins"]:
            self.add_error("ends", _("The last day is before the first."))
        return values


class ReasonForm(forms.Form):
    """Why something is recalled, sent back or returned."""

    reason = forms.CharField(label=_("Reason"), max_length=300)


class ActForm(forms.Form):
    """One act on a dispatch. people: accounts that it can be assigned to; tasks: what it asks of the agency."""

    to = forms.ChoiceField(choices=DispatchState)
    reason = forms.CharField(max_length=300, required=False)
    done = forms.CharField(max_length=300, required=False)
    assigned_to = forms.CharField(max_length=120, required=False)
    account = forms.ModelChoiceField(queryset=User.objects.none(), required=False)
    task = forms.ModelChoiceField(queryset=Task.objects.none(), required=False)
    due = DayField(required=False)

    def __init__(self, *args: Any, people: QuerySet[User], tasks: Iterable[TaskParty], **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["account"].queryset = people  # type: ignore[attr-defined]
        self.fields["task"].queryset = Task.objects.filter(  # type: ignore[attr-defined]
            pk__in=[one.task_id for one in tasks]
        )

    def clean(self) -> dict[str, Any]:
        """Sending back needs a reason, assigning somebody, and reporting it done a word of what was done."""
        values = super().clean() or {}
        if values.get("to") == DispatchState.SENT_BACK and not values.get("reason", "").strip():
            self.add_error("reason", _("Say why it is sent back, for example: misdirected, an attachment is missing."))
        nobody = not values.get("assigned_to", "").strip() and not values.get("account")
        if values.get("to") == DispatchState.ASSIGNED and nobody:
            self.add_error("assigned_to", _("Name the person or unit it is assigned to."))
        if values.get("to") == DispatchState.REPORTED and not values.get("done", "").strip():
            self.add_error("done", _("Say what was done; the issuer accepts it or says what is missing."))
        return values


class RequestForm(forms.ModelForm):  # type: ignore[type-arg]
    """A change of a task, or more time for it. party: the agency that asks, with the day that holds now."""

    class Meta:
        model = ChangeRequest
        fields: ClassVar = ["kind", "until", "reason"]
        widgets: ClassVar = {
            "reason": forms.Textarea(attrs={"rows": 3}),
        }
        field_classes: ClassVar = {"until": DayField}

    def __init__(self, *args: Any, party: TaskParty, **more: Any) -> None:
        super().__init__(*args, **more)
        self.deadline = party.deadline

    def clean(self) -> dict[str, Any]:
        """More time needs a day, later than the one that holds now."""
        values = super().clean() or {}
        if values.get("kind") == ChangeRequest.Kind.EXTENSION and "until" not in self.errors:
            until = values.get("until")
            if not until:
                self.add_error("until", _("New last day"))
            elif until < timezone.localdate() or (self.deadline and until <= self.deadline.day):
                self.add_error("until", _("The new day must be after the current one."))
        return values


class NumberForm(forms.Form):
    """Number and day of a confirmed letter (cấp số)."""

    number = forms.CharField(
        label=_("Number of the document"), max_length=12, widget=forms.TextInput(attrs={"inputmode": "numeric"})
    )
    date = DayField(label=_("Date of the document"))


class RecipientForm(forms.Form):
    """One agency more for a letter that was sent."""

    name = forms.CharField(label=_("Agency"), max_length=200)
    purpose = forms.ChoiceField(label=_("Purpose"), choices=Purpose)
    on_paper = forms.BooleanField(label=_("Send the letter on paper if the agency has no reader here"), required=False)


class ReportForm(SharedForm, forms.Form):
    """Numbers that a task asks for, what was done, and files that show it."""

    # Two people of one agency may enter the first report of a period, too.
    changes_something = True
    text = forms.CharField(
        label=_("What was done"), widget=forms.Textarea(attrs={"rows": 4}), required=False, max_length=4000
    )
    evidence = forms.FileField(
        label=_("Picture or document as evidence"),
        help_text=_("Optional: JPEG, PNG, PDF, DOCX or XLSX, at most 10 MB. No faces of residents."),
        required=False,
    )

    def __init__(self, *args: Any, task: Task, **more: Any) -> None:
        super().__init__(*args, **more)
        self.names = [field["name"] for field in task.fields]
        asked = {field["name"]: CountField(label=field["label"], min_value=0, max_value=10**9) for field in task.fields}
        for name, field in asked.items():
            self.fields[name] = field
        self.order_fields([*self.names, "text", "evidence"])

    @property
    def values(self) -> dict[str, int]:
        """The numbers, by field name."""
        return {name: self.cleaned_data[name] for name in self.names}
