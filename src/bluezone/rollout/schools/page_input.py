# SPDX-License-Identifier: Apache-2.0
"""What the pages of schools read from a request: the week, and the ticked classes."""

from django.http import HttpRequest
from django.utils import timezone

from bluezone.directory.models import Agency
from bluezone.directory.queries import day_to_show
from bluezone.rollout.report_week import Week, parse_week


def latest_week() -> Week:
    """This week, or the last week in which there were agencies."""
    return Week.of(day_to_show(Agency, timezone.localdate()))


def chosen_week(request: HttpRequest) -> Week:
    """The week of `?week=2020-W33`, or the latest."""
    return parse_week(request.GET.get("week", ""), latest_week())


def chosen_classes(request: HttpRequest) -> list[int]:
    """The primary keys of the classes that are ticked in a form."""
    texts = request.POST.getlist("class")
    return [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 18]
