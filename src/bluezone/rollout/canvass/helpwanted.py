# SPDX-License-Identifier: Apache-2.0
"""A visit at which somebody wants more help: it goes to the queue of the drives, and only the ticket stays here."""

from bluezone.rollout.canvass.entries import ReadEntry
from bluezone.rollout.canvass.models import Household
from bluezone.rollout.drives import HelpRefused, open_help_request


def ticket_for(entry: ReadEntry, household: Household) -> str:
    """Open the request of a visit and return its ticket, "" where none is wanted; the same entry opens one only."""
    if entry.visit is None or entry.visit.help is None:
        return ""
    contact, note = entry.visit.help
    place = household.address or household.group
    asked = {"contact": contact, "place": place[:120], "note": note, "repeat_key": f"canvass {entry.key}"}
    try:
        return open_help_request("canvass", unit=household.unit.code, **asked)
    except HelpRefused as refused:
        if refused.code != "help_unit_unknown":
            raise
        # A ward that was merged since: the request is opened all the same, for the city's queue.
        return open_help_request("canvass", **asked)
