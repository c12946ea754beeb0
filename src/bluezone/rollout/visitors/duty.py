# SPDX-License-Identifier: Apache-2.0
"""The registration of the notices to visitors: roles, audited acts, menu, purge and indicator."""

from django.utils.translation import gettext_lazy as _

from bluezone.duties.duty import Audience, Duty, Group, MenuEntry, Work

# The roles that have the notice sent to arriving guests, each for the houses (hotels, stations) in its scope.
VISITOR_DESKS = Audience("VISITOR_DESKS", frozenset({"clerk", "lead", "officer", "venue_owner"}))

DUTY = Duty(
    name="visitors",
    app="bluezone.rollout.visitors",
    urls="bluezone.rollout.visitors.urls",
    public_urls="bluezone.rollout.visitors.public_views",
    audiences=(VISITOR_DESKS,),
    acts={
        "visitor_told": _("had the notice sent to a visitor"),
        "visitors_listed": _("had the notice sent to a list of visitors"),
    },
    menu=(
        MenuEntry(
            _("Visitors"), "visitors", 140, ("visitors",), VISITOR_DESKS, frozenset({"venue_owner"}), Group.FIELD
        ),
    ),
    purges=(Work("purge_visitors", "bluezone.rollout.visitors.retention.purge"),),
    indicators=("bluezone.rollout.visitors.queries.NoticesDelivered",),
)
