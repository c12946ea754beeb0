# SPDX-License-Identifier: Apache-2.0
"""Days as Vietnamese and English write them."""

from datetime import date

_WEEKDAYS = {
    "vi": ("thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
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


def weekday_and_date(day: date, language: str) -> str:
    """thứ Tư 25/11/2026, or Wednesday 25 November 2026."""
    return f"{_WEEKDAYS[language][day.weekday()]} {full_date(day, language)}"
