# SPDX-License-Identifier: Apache-2.0
"""The staff in coverage: what agencies say of themselves. Only `running` counts; the web edition never does."""

from collections.abc import Iterable
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from bluezone.directory.models import Agency
from bluezone.rollout.coverage.api import Figure, Indicator, Proof, Reporting, Week
from bluezone.rollout.staffing.models import StaffReport


class StaffRunning(Indicator):
    """Staff whose phone runs Bluezone / staff with a smartphone, as their agencies report for a week."""

    key = "staff"
    proof = Proof.SELF_REPORTED
    name = gettext_lazy("staff running it, by their agency’s word")
    base_name = gettext_lazy("staff with a smartphone")
    of_phones = True

    def figures(self, week: Week) -> Iterable[Figure]:
        """One for each agency that reported; one query."""
        shown = week.in_vietnamese() if get_language() == "vi" else week.in_english()
        source = _("staff reports of the agencies, week %(week)s") % {"week": shown}
        rows = StaffReport.objects.filter(week=week.first_day, is_current=True).values_list(
            "agency__unit__path", "agency_id", "running", "with_smartphone", "reported_at"
        )
        zone = timezone.get_current_timezone()
        return [
            Figure(path, agency_id, running, phones, source, at.astimezone(zone).date())
            for path, agency_id, running, phones, at in rows
        ]

    def rows_address(self, unit_id: int, week: Week) -> str:
        """The agency table, narrowed to the unit."""
        return f"{reverse('staff')}?{urlencode({'week': week, 'unit': unit_id, 'show': 'reported'})}"

    def reporting(self, unit_path: str, week: Week) -> Reporting:
        """Agencies that serve the unit or a part of it; two queries."""
        owing = Agency.objects.in_force(week.first_day).filter(unit__path__startswith=unit_path)
        sent = StaffReport.objects.filter(week=week.first_day, is_current=True, agency__in=owing)
        unit_id = unit_path.rstrip("/").rsplit("/", 1)[-1]
        address = f"{reverse('staff')}?{urlencode({'week': week, 'unit': unit_id, 'show': 'missing'})}"
        return Reporting(sent.count(), owing.count(), address)

    def missing(self, unit_path: str, week: Week) -> list[str]:
        """Agencies under a unit that have not reported, by name; one query."""
        sent = StaffReport.objects.filter(week=week.first_day, is_current=True).values("agency_id")
        owing = Agency.objects.in_force(week.first_day).filter(unit__path__startswith=unit_path).exclude(pk__in=sent)
        return list(owing.order_by("unit__path", "name", "pk").values_list("name", flat=True))
