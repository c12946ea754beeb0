# SPDX-License-Identifier: Apache-2.0
"""The notices to visitors in coverage: the operator's receipts, of all that desks asked to have sent."""

from collections.abc import Iterable
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bluezone.rollout.coverage.api import Figure, Indicator, Proof, Week
from bluezone.rollout.visitors.queries import week_of_houses


class NoticesDelivered(Indicator):
    """Notices that the operator's receipt says were delivered / notices that desks had sent."""

    key = "visitor-notices"
    # A receipt says that a phone got the message, not that anything runs on it.
    proof = Proof.ATTESTED
    name = gettext_lazy("notices delivered to visitors’ phones")
    base_name = gettext_lazy("notices that desks had sent")
    of_phones = False
    adds_up = True

    def figures(self, week: Week) -> Iterable[Figure]:
        """One for each house; two queries."""
        source = _("receipts of the mobile operators")
        for one in week_of_houses(week.first_day, week.last_day):
            agency_id = int(one.house[1:]) if one.house.startswith("a") else None
            yield Figure(one.unit_path, agency_id, one.delivered, one.asked, source, week.last_day)

    def rows_address(self, unit_id: int, week: Week) -> str:
        """The houses of the unit in that week."""
        return f"{reverse('visitors-week')}?{urlencode({'week': week, 'unit': unit_id})}"
