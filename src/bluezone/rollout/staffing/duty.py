# SPDX-License-Identifier: Apache-2.0
"""The registration of the staff report: audited acts, menu, purge and indicator."""

from django.utils.translation import gettext_lazy as _

from bluezone.duties.duty import Duty, Group, MenuEntry, Work

DUTY = Duty(
    name="staffing",
    app="bluezone.rollout.staffing",
    urls="bluezone.rollout.staffing.urls",
    acts={
        "staff_reported": _("reported the staff of an agency"),
        "week_reopened": _("reopened a week for an agency"),
    },
    menu=(
        MenuEntry(
            _("Staff report"),
            "staff",
            120,
            ("staff",),
            used_by=frozenset({"clerk", "lead", "officer"}),
            group=Group.LETTERS,
        ),
    ),
    waiting="bluezone.rollout.staffing.matters.matters_of",
    purges=(Work("purge_staffing", "bluezone.rollout.staffing.retention.purge"),),
    indicators=("bluezone.rollout.staffing.queries.StaffRunning",),
    reversers={
        "week-answered": "bluezone.rollout.staffing.views.undo_answer",
    },
    demo="bluezone.rollout.staffing.staff_reports.plant_demo_reports",
)
