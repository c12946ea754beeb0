# SPDX-License-Identifier: Apache-2.0
"""What drives and requests for help register with the office."""

from django.utils.translation import gettext_lazy as _

from bluezone.duties.duty import Audience, Duty, FirstPage, Group, MenuEntry, Work

# Roles that help people to install the app, and may read how to reach them.
HELPERS = Audience("HELPERS", frozenset({"drive_lead"}))
DRIVE_PLANNERS = Audience("DRIVE_PLANNERS", frozenset({"admin", "lead", "officer", "drive_lead"}))
# Roles that may enter a request made by telephone.
HELP_TAKERS = Audience("HELP_TAKERS", frozenset({"clerk", "lead", "officer", "drive_lead"}))

DUTY = Duty(
    name="drives",
    app="bluezone.rollout.drives",
    urls="bluezone.rollout.drives.urls",
    public_urls="bluezone.rollout.drives.stall_views",
    audiences=(HELPERS, DRIVE_PLANNERS, HELP_TAKERS),
    acts={
        "team_made": _("entered a team for drives"),
        "drive_planned": _("planned a drive"),
        "drive_opened": _("opened a drive"),
        "drive_closed": _("closed a drive"),
        "drive_tallied": _("entered the tally sheet of a drive"),
        "help_claimed": _("took on a request for help"),
        "help_released": _("gave a request for help back"),
        "help_closed": _("closed a request for help"),
    },
    menu=(
        MenuEntry(
            _("Install drives"),
            "drives",
            70,
            ("drives", "drive", "help", "team"),
            used_by=frozenset({"drive_lead", "lead", "officer"}),
            group=Group.FIELD,
        ),
    ),
    first_pages=(FirstPage(HELPERS, "drives", 110, _("See the drives")),),
    waiting="bluezone.rollout.drives.matters.matters_of",
    search="bluezone.rollout.drives.search.search",
    purges=(Work("purge_drives", "bluezone.rollout.drives.retention.purge"),),
    indicators=("bluezone.rollout.drives.boards.ProvenWithHelp", "bluezone.rollout.drives.boards.SeenWithHelp"),
    help_counts="bluezone.rollout.drives.help_requests.help_by_unit",
    reversers={
        "help-claimed": "bluezone.rollout.drives.help_queue.undo_claim",
        "help-closed": "bluezone.rollout.drives.help_queue.undo_closing",
    },
)
