# SPDX-License-Identifier: Apache-2.0
"""What a coverage report needs besides the numbers: who issues it, on what basis, who signs, who receives it."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from bluezone.agencies.forms import day_field
from bluezone.agencies.models import AdminUnit


class ReportForm(forms.Form):
    """The letterhead and signature of a report in administrative layout; it stays Vietnamese in every language."""

    superior = forms.CharField(label=_("Body above the issuer"), max_length=120, required=False)
    issuer = forms.CharField(label=_("Issuer"), max_length=120)
    number = forms.CharField(
        label=_("Number of the document"),
        max_length=20,
        required=False,
        help_text=_("Leave empty to write it in by hand."),
    )
    notation = forms.CharField(label=_("Notation"), max_length=40, initial="BC-UBND")
    place = forms.CharField(label=_("Place"), max_length=60)
    date = day_field(_("Day"), _("Leave empty to write it in by hand."))
    basis = forms.CharField(
        label=_("Basis"),
        max_length=300,
        required=False,
        help_text=_("The directive that is carried out, for example: Công văn số 458/UBND-VP ngày 07/8/2020."),
    )
    authority = forms.CharField(label=_("Authority"), max_length=120, required=False, initial="TM. Ủy ban nhân dân")
    position = forms.CharField(label=_("Position of the signer"), max_length=80, required=False, initial="Chủ tịch")
    signer = forms.CharField(label=_("Name of the signer"), max_length=80, required=False)
    recipients = forms.CharField(
        label=_("Recipients"),
        max_length=1000,
        required=False,
        initial="Lưu: VT.",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One a line."),
    )

    @classmethod
    def first_values(cls, unit: AdminUnit) -> dict[str, Any]:
        """What the form begins with for a unit's People’s Committee."""
        name = unit.name
        for word in ("thành phố ", "thị xã ", "phường ", "xã ", "tỉnh ", "huyện "):
            if name.lower().startswith(word):
                name = name[len(word) :]
                break
        fixed = {key: field.initial for key, field in cls.base_fields.items() if field.initial is not None}
        return {**fixed, "issuer": f"Ủy ban nhân dân {unit.name}", "place": name}
