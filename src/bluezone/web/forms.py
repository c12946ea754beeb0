# SPDX-License-Identifier: Apache-2.0
"""How every form looks: label, field, what it is for, what was wrong, in that order."""

from django.forms.renderers import DjangoTemplates


class HouseRenderer(DjangoTemplates):
    """Fields as blocks that fit 360 px, with help and errors tied to the field for screen readers."""

    field_template_name = "field.html"
