# SPDX-License-Identifier: Apache-2.0
"""Format shares, intervals and weeks as is usual in Việt Nam: `31,8%`, `29,7–33,9%`, `+3,2 điểm %`, `10–16/8/2020`."""

from django import template
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from bluezone.rollout.coverage.intervals import Interval
from bluezone.rollout.report_week import Week

register = template.Library()


def tenths(number: float) -> str:
    """A number with one decimal, in the reader's language."""
    text = f"{number:.1f}"
    return text.replace(".", ",") if get_language() == "vi" else text


def grouped(number: int) -> str:
    """A whole number with a separator of thousands, in the reader's language."""
    text = f"{number:,}"
    return text.replace(",", ".") if get_language() == "vi" else text


@register.filter
def spoken(number: float) -> str:
    """A number for a sentence: rounded from 5 on, with one decimal below."""
    return grouped(round(number)) if round(number, 1) >= 5 else tenths(number)


@register.filter
def group(number: int) -> str:
    """A whole number with a separator of thousands."""
    return grouped(number)


@register.filter
def percent(share: float | None) -> str:
    """A share 0..1 as percent with one decimal; a dash for None."""
    return "–" if share is None else f"{tenths(100 * share)}%"


@register.filter
def percent_short(share: float) -> str:
    """A share 0..1 as percent, without a zero after the decimal point: `25%`, `12,5%`."""
    return percent(share).replace(",0%", "%").replace(".0%", "%")


@register.filter
def range_of(interval: Interval) -> str:
    """An interval of a share as percent."""
    return f"{tenths(100 * interval.low)}–{tenths(100 * interval.high)}%"


@register.filter
def points(change: float) -> str:
    """A difference of two shares, with its sign: `+3,2 điểm %`, `−0,3 điểm %`."""
    return _("%(number)s points") % {"number": signed(change)}


@register.filter
def signed(change: float) -> str:
    """A number with its sign: `+3,2`, `−0,3`, `±0,0`."""
    rounded = round(change, 1)
    if rounded == 0:
        return "±" + tenths(abs(change))
    return ("−" if rounded < 0 else "+") + tenths(abs(change))


@register.filter
def days(week: Week) -> str:
    """The days of a week, in the reader's language."""
    return week.in_vietnamese() if get_language() == "vi" else week.in_english()


@register.filter
def of_hundred(share: float | None) -> str:
    """A share as the width of a drawn bar of 100 units, with a decimal point in every language."""
    return f"{100 * (share or 0):.1f}"


@register.filter
def width_of(interval: Interval) -> str:
    """The width of an interval on a drawn bar of 100 units; at least 1 unit, so that it can be seen."""
    return f"{max(1.0, 100 * (interval.high - interval.low)):.1f}"


@register.filter
def axis(number: float) -> str:
    """A coordinate of a drawing, with a decimal point in every language."""
    return f"{number:.1f}"


@register.filter
def of_parameter(key: str) -> str:
    """The part of a query string that keeps the chosen indicator; "" if the text cannot be a key."""
    return f"of={key}" if key.replace("-", "").isalnum() and key.isascii() else ""
