# SPDX-License-Identifier: Apache-2.0
"""Days as Vietnamese and English write them."""

from datetime import date

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def day_and_month(day: date, language: str) -> str:
    """25/11, or 25 November."""
    return f"{day.day}/{day.month}" if language == "vi" else f"{day.day} {_MONTHS[day.month - 1]}"


def full_date(day: date, language: str) -> str:
    """25/11/2026, or 25 November 2026."""
    return f"{day_and_month(day, language)}{'/' if language == 'vi' else ' '}{day.year}"
