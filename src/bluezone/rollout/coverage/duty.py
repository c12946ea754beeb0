# SPDX-License-Identifier: Apache-2.0
"""What coverage registers with the office."""

from django.utils.translation import gettext_lazy as _

from bluezone.duties.duty import Audience, Duty, FirstPage, Group, MenuEntry

LEADERS = Audience("LEADERS", frozenset({"leader"}))

DUTY = Duty(
    name="coverage",
    app="bluezone.rollout.coverage",
    urls="bluezone.rollout.coverage.urls",
    audiences=(LEADERS,),
    menu=(
        MenuEntry(
            _("Share running"),
            "coverage",
            50,
            ("coverage",),
            used_by=frozenset({"leader", "lead", "issuer", "supervisor", "admin"}),
            group=Group.FIELD,
        ),
    ),
    first_pages=(FirstPage(LEADERS, "coverage", 60, _("See how many run it")),),
)
