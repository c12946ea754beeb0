# SPDX-License-Identifier: Apache-2.0
"""What the first day registers."""

from django.utils.translation import gettext_lazy as _

from bluezone.duties.duty import Duty, FirstPage, Group, MenuEntry, Work
from bluezone.identity.duty import ADMINS

DUTY = Duty(
    name="firstday",
    app="bluezone.firstday",
    urls="bluezone.firstday.urls",
    public_urls="bluezone.firstday.urls_public",
    acts={
        "city_set_up": _("set up units and agencies from the city pack"),
        "demo_planted": _("added a practice letter in progress"),
        "demo_city_removed": _("removed the demo city"),
        "demo_removed": _("removed all practice data"),
        "trial_passed": _("proved on the first day’s list that something works"),
    },
    menu=(MenuEntry(_("First day"), "first-day", 145, ("first",), ADMINS, group=Group.OFFICE),),
    first_pages=(FirstPage(ADMINS, "first-day", 35, _("See what is left to set up")),),
    waiting="bluezone.firstday.matters.matters_of",
    purges=(Work("purge_trials", "bluezone.firstday.trials.purge"),),
    hourly=(Work("note_practice", "bluezone.firstday.trials.note_practice"),),
)
