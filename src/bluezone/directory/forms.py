# SPDX-License-Identifier: Apache-2.0
"""Forms for units, agencies, figures, recipient groups and lists to import."""

import datetime
from typing import Any, ClassVar

from django import forms
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.directory import refusals
from bluezone.directory.imports.files.raw_sheets import MAX_COUNT, MAX_FILE_BYTES
from bluezone.directory.kinds import AgencyKind, Purpose, Quantity, UnitKind
from bluezone.directory.models import AdminUnit, Agency, Entry, RecipientGroup
from bluezone.directory.records.changes import AGENCY_QUANTITIES, UNIT_QUANTITIES
from bluezone.directory.records.entries import PARENT_KINDS
from bluezone.identity.edits import SharedForm
from bluezone.identity.typed_fields import CountField, DayField, MailField, PhoneLineField, PlainLineField
from bluezone.refusal import Refused
from bluezone.vietnamese.spelling import fold


class EntryForm(SharedForm, forms.Form):
    """Base of the forms for units and agencies. entry: the row to change, None for a new one."""

    name = PlainLineField(label=_("Official name"), max_length=200)
    code = PlainLineField(
        label=_("Code"),
        max_length=40,
        required=False,
        help_text=_("The official number, if it has one. Two entries cannot have the same code on the same day."),
    )
    valid_from = DayField(label=_("Valid from"), help_text=_("Leave empty if it is not known."), required=False)
    valid_to = DayField(
        label=_("No longer valid from"),
        help_text=_("Only when it is renamed, merged or dissolved: the first day without it."),
        required=False,
    )
    successors = forms.CharField(
        label=_("Successors"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Code or full name of each, one per line. Enter them in the directory first."),
    )
    confirmed = forms.BooleanField(
        label=_("The city has confirmed what is entered here"),
        required=False,
        initial=True,
    )
    model: type[AdminUnit] | type[Agency]

    def __init__(self, *args: Any, entry: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.entry = entry

    def clean(self) -> dict[str, Any]:
        """Find the successors among the rows valid on the day they take over."""
        values: dict[str, Any] = super().clean() or {}
        day = values.get("valid_to") or timezone.localdate()
        lines = [line.strip() for line in values.get("successors", "").splitlines() if line.strip()]
        successors = [self.find_entry("successors", line, day) for line in lines]
        values["successors"] = [entry for entry in successors if entry is not None]
        return values

    def show_refusal(self, refusal: Refused) -> None:
        """Show a refusal of the directory next to the field it is about."""
        field = refusals.FIELDS.get(refusal.code)
        if field == "parent" and field not in self.fields:
            field = "unit"
        if field not in self.fields:
            field = None
        self.add_error(field, refusals.sentence_of(refusal))

    def find_entry(self, field: str, text: str, day: datetime.date) -> Any:
        """The only row valid on `day` with this code or name; otherwise None, and an error at `field`."""
        matches = [
            row for row in self.model.objects.matching(text).valid_on(day) if text == row.code or _is_named(row, text)
        ]
        others = [row for row in matches if self.entry is None or row.pk != self.entry.pk]
        if len(others) == 1:
            return others[0]
        if others:
            message = _("“%(text)s” matches more than one; write the code.")
        else:
            message = _("“%(text)s” is not in the directory.")
        self.add_error(field, message % {"text": text})
        return None


class UnitForm(EntryForm):
    """An administrative unit."""

    kind = forms.ChoiceField(label=_("Level"), choices=UnitKind.choices, initial=UnitKind.GROUP)
    parent = forms.ModelChoiceField(label=_("Unit above"), queryset=AdminUnit.objects.none(), required=False)
    head_name = PlainLineField(
        label=_("Head"), max_length=80, required=False, help_text=_("Only for a residential group; for official calls.")
    )
    head_phone = PhoneLineField(
        label=_("Telephone of the head"),
        max_length=20,
        required=False,
    )
    model = AdminUnit
    field_order = ("name", "kind", "parent", "code", "head_name", "head_phone", "valid_from", "valid_to", "successors")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["parent"].queryset = _parents(self.entry.parent_id if self.entry else None)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Check that the unit above has the right level, and that only a residential group has a head."""
        values = super().clean()
        kind = values.get("kind")
        parent = values.get("parent")
        allowed = {str(level) for level in PARENT_KINDS.get(kind, ())} if kind else set()
        if parent and parent.kind not in allowed and "parent" not in self.errors:
            self.add_error("parent", refusals.sentence_for_code("entry_parent_unknown"))
        if kind != UnitKind.GROUP and (values.get("head_name") or values.get("head_phone")):
            self.add_error("head_name", _("Only a residential group has a head. Leave both fields empty."))
        return values


class AgencyForm(EntryForm):
    """An agency."""

    short_name = PlainLineField(
        label=_("Short name"),
        max_length=80,
        required=False,
        help_text=_("As written in letters, for example Phòng GD&ĐT."),
    )
    kind = forms.ChoiceField(label=_("Kind"), choices=AgencyKind.choices, initial=AgencyKind.DEPARTMENT)
    unit = forms.ModelChoiceField(label=_("Area of work"), queryset=AdminUnit.objects.none())
    parent = forms.CharField(
        label=_("Answers to"),
        max_length=200,
        required=False,
        help_text=_("Code or full name of the agency above it. Reminders that are not answered are sent there."),
    )
    email = MailField(
        label=_("E-mail of the agency"), required=False, help_text=_("The office’s number, not a person’s.")
    )
    phone = PhoneLineField(
        label=_("Telephone of the agency"),
        max_length=20,
        required=False,
    )
    edxml_id = forms.CharField(
        label=_("Identifier on the document axis"),
        max_length=40,
        required=False,
        help_text=_("For documents exchanged as edXML, for example 28.22.H17."),
    )
    model = Agency
    field_order = (
        "name", "short_name", "kind", "unit", "parent", "code", "email", "phone", "edxml_id", "valid_from", "valid_to",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["unit"].queryset = _parents(self.entry.unit_id if self.entry else None)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Find the agency above it."""
        values = super().clean()
        text = values.get("parent", "")
        day = timezone.localdate()
        if values.get("valid_to"):
            day = min(values["valid_to"] - datetime.timedelta(days=1), day)
        values["parent"] = self.find_entry("parent", text, day) if text else None
        return values


class FigureForm(forms.Form):
    """A denominator of one unit or agency."""

    kind = forms.ChoiceField(label=_("What is counted"))
    value = CountField(label=_("Number"), min_value=0, max_value=MAX_COUNT)
    source = forms.CharField(
        label=_("Source"), max_length=200, help_text=_("Who counted, for example: Ward police register.")
    )
    as_of = DayField(label=_("True on"))

    def __init__(self, *args: Any, holder: AdminUnit | Agency, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        quantities = UNIT_QUANTITIES if isinstance(holder, AdminUnit) else AGENCY_QUANTITIES
        self.fields["kind"].choices = [(kind.value, kind.label) for kind in quantities]  # type: ignore[attr-defined]

    def clean_kind(self) -> Quantity:
        """The kind as a member of the enumeration."""
        return Quantity(self.cleaned_data["kind"])

    def clean_as_of(self) -> datetime.date:
        """Refuse a day in the future: a figure for it would be a plan, not a count."""
        as_of: datetime.date = self.cleaned_data["as_of"]
        if as_of > timezone.localdate():
            raise forms.ValidationError(_("This day is in the future. Enter the day of the count."))
        return as_of


class RecipientForm(SharedForm, forms.ModelForm):  # type: ignore[type-arg]
    """Name and usual purpose of a recipient group."""

    purpose = forms.ChoiceField(
        label=_("Purpose"), choices=Purpose.choices, initial=Purpose.ACTION, widget=forms.RadioSelect
    )

    class Meta:
        model = RecipientGroup
        fields = ("name", "purpose")
        field_classes: ClassVar = {"name": PlainLineField}


class ListFileForm(forms.Form):
    """The file of a list."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("XLSX, XLS, ODS or CSV, up to 10 MB."),
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx,.xls,.ods"}),
    )

    def clean_file(self) -> Any:
        """Refuse a file that is too large before reading it."""
        file = self.cleaned_data["file"]
        if file.size > MAX_FILE_BYTES:
            raise forms.ValidationError(refusals.sentence_for_code("spreadsheet_too_large"))
        return file


class ImportForm(ListFileForm):
    """The file of a directory list, and the kind of list."""

    about = forms.ChoiceField(
        label=_("Type of list"),
        choices=[
            ("agencies", _("Agencies")),
            ("units", _("Administrative units")),
            ("phones", _("Telephone numbers of agencies and residential groups")),
        ],
        initial="agencies",
        widget=forms.RadioSelect,
    )
    field_order = ("about", "file")


def _is_named(row: Entry, text: str) -> bool:
    return fold(text) in (fold(row.name), fold(getattr(row, "short_name", "")))


def _parents(current: int | None) -> Any:
    """Units valid today that can have others below them, and the current choice, which may have ended."""
    valid_today = AdminUnit.objects.valid_on(timezone.localdate()).values("pk")
    units = AdminUnit.objects.filter(Q(pk__in=valid_today) | Q(pk=current)).exclude(kind=UnitKind.GROUP)
    return units.order_by("path")
