# SPDX-License-Identifier: Apache-2.0
"""Coverage: what it registers of itself."""

from django.utils.translation import gettext_lazy as _

from bluezone.duties.duty import Audience, Duty, FirstPage, MenuEntry

LEADERS = Audience("LEADERS", frozenset({"leader"}))

DUTY = Duty(
    name="coverage",
    app="bluezone.rollout.coverage",
    urls="bluezone.rollout.coverage.urls",
    audiences=(LEADERS,),
    menu=(MenuEntry(_("Share running"), "coverage", 50, ("coverage",)),),
    first_pages=(FirstPage(LEADERS, "coverage", 60),),
)
