# SPDX-License-Identifier: Apache-2.0
"""The pupils in coverage: what schools say of their classes, self-reported."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from bluezone.directory.models import AdminUnit
from bluezone.rollout.coverage.api import Figure, Indicator, Place, Proof, Reporting, Week
from bluezone.rollout.schools import queries
from bluezone.rollout.schools.suppression import SchoolSum, kept_back


@dataclass(frozen=True)
class PupilFigure(Figure):
    """A school's week; pupils: all of them, from whom those without a smartphone could be worked out."""

    pupils: int = 0


class PupilsRunning(Indicator):
    """Pupils whose phone runs Bluezone / pupils with a smartphone, as schools report of their classes for a week."""

    key = "pupils"
    proof = Proof.SELF_REPORTED
    name = gettext_lazy("pupils running it, by their school’s word")
    base_name = gettext_lazy("pupils with a smartphone")
    of_phones = True

    def figures(self, week: Week) -> Iterable[Figure]:
        """One for each school that reported; one query."""
        shown = week.in_vietnamese() if get_language() == "vi" else week.in_english()
        source = _("class reports of the schools, week %(week)s") % {"week": shown}
        day = min(week.last_day, timezone.localdate())
        for one in queries.school_sums(week):
            pupils, phones, running, _relatives = one.counts
            yield PupilFigure(one.path, one.school_id, running, phones, source, day, pupils)

    def kept_back(self, figures: Sequence[Figure]) -> tuple[set[Place], set[Place]]:
        """As in the table of the schools: also where those without a smartphone or not running are few."""
        sums = [
            SchoolSum(
                figure.agency_id or 0, figure.unit_path,
                (figure.pupils if isinstance(figure, PupilFigure) else figure.base, figure.base, figure.count, 0), 1,
            )
            for figure in figures
        ]  # fmt: skip
        hidden = kept_back(sums)
        return hidden["running"], hidden["with_smartphone"]

    def rows_address(self, unit_id: int, week: Week) -> str:
        """The table of the schools, narrowed to the unit."""
        return f"{reverse('schools')}?{urlencode({'week': week, 'unit': unit_id})}"

    def reporting(self, unit_path: str, week: Week) -> Reporting | None:
        """Schools that serve the unit or a part of it; None where there is no school."""
        complete, owing = queries.reporting(week, unit_path)
        if not owing:
            return None
        unit_id = unit_path.rstrip("/").rsplit("/", 1)[-1]
        address = f"{reverse('schools')}?{urlencode({'week': week, 'unit': unit_id, 'show': 'missing'})}"
        return Reporting(complete, owing, address)

    def missing(self, unit_path: str, week: Week) -> list[str]:
        """Schools that have not sent everything, with the classes that are missing."""
        return queries.missing_schools(week, AdminUnit.objects.filter(path=unit_path).first())
