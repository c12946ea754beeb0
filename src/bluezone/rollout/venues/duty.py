# SPDX-License-Identifier: Apache-2.0
"""The registration of the venues app: roles, audited acts, menu, purge and indicators."""

from django.utils.translation import gettext_lazy as _

from bluezone.duties.duty import Audience, Duty, FirstPage, Group, MenuEntry, Work

# The roles that register, approve, suspend and inspect the venues of a ward; and the role of an owner.
VENUE_KEEPERS = Audience("VENUE_KEEPERS", frozenset({"clerk", "lead", "officer"}))
VENUE_OWNERS = Audience("VENUE_OWNERS", frozenset({"venue_owner"}))

DUTY = Duty(
    name="venues",
    app="bluezone.rollout.venues",
    urls="bluezone.rollout.venues.urls",
    public_urls="bluezone.rollout.venues.public_views",
    audiences=(VENUE_KEEPERS, VENUE_OWNERS),
    acts={
        "venue_entered": _("registered a venue in person"),
        "venue_changed": _("changed what is stored of a venue"),
        "venue_approved": _("approved a venue and had its code signed"),
        "venue_refused": _("refused a venue"),
        "venue_renewed": _("replaced the code of a venue"),
        "venue_suspended": _("revoked the code of a venue"),
        "venue_inspected": _("inspected a venue"),
    },
    menu=(
        MenuEntry(
            _("Service venues"),
            "venues",
            100,
            ("venues", "venue"),
            used_by=frozenset({"officer", "venue_owner"}),
            group=Group.FIELD,
        ),
    ),
    first_pages=(FirstPage(VENUE_OWNERS, "venues", 120, _("See my venues")),),
    waiting="bluezone.rollout.venues.matters.matters_of",
    search="bluezone.rollout.venues.queries.search",
    purges=(Work("purge_venues", "bluezone.rollout.venues.retention.purge"),),
    indicators=(
        "bluezone.rollout.venues.queries.VenuesRegistered",
        "bluezone.rollout.venues.queries.VenuesWithPoster",
    ),
)
