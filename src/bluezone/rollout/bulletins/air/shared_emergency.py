# SPDX-License-Identifier: Apache-2.0
"""The act that needs a second person beyond one ward: an emergency, aired at once or by a schedule."""

import datetime
from collections.abc import Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from bluezone.authority.two_persons import ActGone, Lines, SharedAct
from bluezone.directory.scopes import has_role
from bluezone.identity.models import User
from bluezone.rollout.bulletins import permissions
from bluezone.rollout.bulletins.air import timetable
from bluezone.rollout.bulletins.air.planner import approved_scripts
from bluezone.rollout.bulletins.air.recurrence import Rule
from bluezone.rollout.bulletins.duty import BULLETIN_APPROVERS
from bluezone.rollout.bulletins.models import Bulletin, Language, Outlet, Schedule


def airing_values(
    bulletin: Bulletin, outlets: Sequence[Outlet], languages: Sequence[str], rule: Rule | None = None
) -> dict[str, Any]:
    """The stored values of an emergency that waits for a second person; without a rule it is aired at once."""
    values: dict[str, Any] = {
        "bulletin": bulletin.pk,
        "outlets": sorted(outlet.pk for outlet in outlets),
        "languages": list(languages),
    }
    if rule is not None:
        values["rule"] = {
            "first": str(rule.first),
            "last": str(rule.last) if rule.last else None,
            "times": [f"{time:%H:%M}" for time in sorted(rule.times)],
            "weekdays": sorted(rule.weekdays),
            "exceptions": sorted(str(day) for day in rule.exceptions),
        }
    return values


class EmergencyAiring(SharedAct):
    """Air an emergency bulletin over everything else, beyond one ward."""

    title = _("Air an emergency")
    speaks_to_public = True
    roles: ClassVar = BULLETIN_APPROVERS.roles

    def may_perform(self, user: User, values: dict[str, Any]) -> bool:
        """Whether the person writes or approves for the bulletin's agency and may have it aired at every outlet."""
        bulletin = self._bulletin(values)
        outlets = values["outlets"]
        if bulletin is None or not has_role(user, self.roles, agency=bulletin.agency):
            return False
        return permissions.outlets_for(user, bulletin, self.roles).filter(pk__in=outlets).count() == len(outlets)

    def describe(self, values: dict[str, Any]) -> Lines:
        """The full texts, every outlet and, for a schedule, every time."""
        bulletin = self._bulletin(values)
        if bulletin is None:
            raise ActGone("the bulletin is not there any more")
        scripts = approved_scripts([bulletin.pk])
        places = Outlet.objects.filter(pk__in=values["outlets"]).select_related("agency").order_by("pk")
        texts = []
        for language in values["languages"]:
            script = scripts.get((bulletin.pk, language))
            texts.append((str(Language(language).label), script.text if script else "–"))
        return [
            (_("Bulletin"), bulletin.title),
            *texts,
            (_("Where"), "\n".join(f"{outlet.name} · {outlet.agency.name}" for outlet in places)),
            (_("When"), self._when(values)),
        ]

    def perform(self, asker: User, second: User, values: dict[str, Any], now: datetime.datetime) -> Schedule:
        """Air the emergency or store its schedule. Raises ActGone, and what air_at_once and schedule_airings raise."""
        bulletin = self._bulletin(values)
        outlets = list(Outlet.objects.filter(pk__in=values["outlets"], closed_at=None))
        if bulletin is None or len(outlets) != len(values["outlets"]):
            raise ActGone("the bulletin or an outlet is not there any more")
        if "rule" in values:
            return timetable.schedule_airings(bulletin, outlets, values["languages"], _rule(values["rule"]), asker, now)
        return timetable.air_at_once(bulletin, outlets, values["languages"], asker, now)

    def _bulletin(self, values: dict[str, Any]) -> Bulletin | None:
        return Bulletin.objects.select_related("agency__unit").filter(pk=values["bulletin"]).first()

    def _when(self, values: dict[str, Any]) -> str:
        if "rule" not in values:
            return str(_("at once, interrupting everything else"))
        rule = _rule(values["rule"])
        last = f"{rule.last:%d/%m/%Y}" if rule.last else "…"
        return f"{rule.first:%d/%m/%Y} – {last}, {', '.join(values['rule']['times'])}"


def _rule(stored: dict[str, Any]) -> Rule:
    return Rule(
        first=datetime.date.fromisoformat(stored["first"]),
        last=datetime.date.fromisoformat(stored["last"]) if stored["last"] else None,
        times=tuple(datetime.time.fromisoformat(time) for time in stored["times"]),
        weekdays=frozenset(stored["weekdays"]),
        exceptions=frozenset(datetime.date.fromisoformat(day) for day in stored["exceptions"]),
    )
