# SPDX-License-Identifier: Apache-2.0
"""What help was asked and given by unit, for coverage: how much waits, was done, at what speed, and who is free.

Models are imported inside the function: the package's front is loaded before Django's models are.
"""

import datetime
from dataclasses import dataclass


@dataclass(frozen=True)
class HelpDone:
    """Of one unit. open, claimed: now. done, could_not: closed in the days asked for, tally sheets with them.

    helper_hours: people of a team times hours of its drives in those days, None where there was no drive.
    free_teams: teams of unions that serve this unit itself, with no drive going on and no request taken on.
    """

    open: int = 0
    claimed: int = 0
    done: int = 0
    could_not: int = 0
    helper_hours: float | None = None
    free_teams: int = 0


def help_by_unit(since: datetime.date, until: datetime.date) -> dict[int, HelpDone]:
    """The help of each unit that has any, by primary key. since, until: first and last local day, both included.

    A request without a unit is counted nowhere until a drive has closed it. Six queries; nothing of training mode.
    """
    from django.utils import timezone

    from bluezone.rollout.drives import helpreading

    now = timezone.now()
    open_now, claimed_now = helpreading.waiting(now)
    done, could_not = helpreading.closed(since, until)
    hours = helpreading.helper_hours(since, until, now)
    free = helpreading.free_teams()
    keys = {*open_now, *claimed_now, *done, *could_not, *hours, *free}
    return {
        pk: HelpDone(
            open_now.get(pk, 0), claimed_now.get(pk, 0), done.get(pk, 0), could_not.get(pk, 0),
            hours.get(pk), free.get(pk, 0),
        )
        for pk in keys
    }  # fmt: skip
