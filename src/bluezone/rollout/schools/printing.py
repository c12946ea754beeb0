# SPDX-License-Identifier: Apache-2.0
"""Printed matter of a school: the letter to parents, and the paper on which a week's numbers are written down.

The paper is Vietnamese whatever language the page has, since it goes from class to class; the letter is in both.
"""

from collections.abc import Sequence

from django.template.loader import render_to_string

from bluezone.agencies.models import Agency
from bluezone.portal.facts import facts
from bluezone.portal.printing import sheet_html, write_pdf
from bluezone.rollout.coverage import Week
from bluezone.rollout.schools.models import SchoolClass

# Lines of a form for a school that has not entered its classes.
BLANK_LINES = 20
LANGUAGES = ("vi", "en")


def letter_pdf(school: Agency, language: str, directive: str) -> bytes:
    """The letter to parents with the school's name. directive: number and day as written, "" leaves room for the pen.

    Raises SheetUnavailable. Source: texts.md, 11.
    """
    return write_pdf(sheet_html("letter.html", facts(language), school_name=school.name, directive=directive))


def form_pdf(school: Agency, week: Week, classes: Sequence[SchoolClass]) -> bytes:
    """The form of a week, one line a class, A4. Raises SheetUnavailable."""
    context = {
        "school": school,
        "week": week.in_vietnamese(),
        "classes": classes,
        "blank": range(0 if classes else BLANK_LINES),
        "city": facts("vi"),
    }
    return write_pdf(render_to_string("schools/print/form.html", context))
