# SPDX-License-Identifier: Apache-2.0
"""Taking one tap of the help queue back within ten seconds."""

import datetime
from typing import Any

from bluezone.accounts import undoing
from bluezone.accounts.models import User
from bluezone.rollout.drives import queue, reach
from bluezone.rollout.drives.models import HelpOutcome


def register() -> None:
    """Tell `undoing` what takes the acts of this app back."""
    undoing.reverser("help-claimed")(_give_back)
    undoing.reverser("help-closed")(_open_again)


def _give_back(user: User, values: dict[str, Any], now: datetime.datetime) -> None:
    held = reach.held_by(user).filter(pk=values["asked"], claimed_at=values["at"]).first()
    if held is None:
        raise undoing.UndoTooLate("the request was closed or given back since")
    queue.release(user.username, held, [held.team_id or 0], now)


def _open_again(user: User, values: dict[str, Any], now: datetime.datetime) -> None:
    teams = reach.teams_of(user)
    outcome = HelpOutcome.objects.filter(pk=values["outcome"], team__in=teams).select_related("request").first()
    if outcome is None:
        raise undoing.UndoTooLate("the request was opened again since")
    queue.take_back(user.username, outcome, now)
