# SPDX-License-Identifier: Apache-2.0
"""What the pages of the directory read from an address: the day, the words, who asks."""

import datetime

from django.http import HttpRequest

from bluezone.accounts.audiences import Audience, OfficeRequest


def chosen_day(request: HttpRequest, otherwise: datetime.date) -> datetime.date:
    """The day of `?on=2020-08-07`, or `otherwise` where there is none that can be read."""
    try:
        return datetime.date.fromisoformat(request.GET.get("on", ""))
    except ValueError:
        return otherwise


def chosen(request: HttpRequest, name: str, allowed: list[str]) -> str:
    """The value of `?name=` when it is one of `allowed`, else ""."""
    value = request.GET.get(name, "")
    return value if value in allowed else ""


def chosen_number(request: HttpRequest, name: str) -> int | None:
    """The whole number of `?name=`, None where there is none that fits a primary key."""
    value = request.GET.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 18 else None


def may_edit(request: OfficeRequest) -> bool:
    """True when the reader also keeps the directory."""
    return Audience.DIRECTORY_EDITORS.admits(request.user)
