# SPDX-License-Identifier: Apache-2.0
"""Letters and campaigns that a person finds by their words."""

from django.urls import reverse
from django.utils.translation import gettext as _

from bluezone.directory import scopes
from bluezone.duties.duty import MOST_HITS, Hit
from bluezone.identity.models import User
from bluezone.rollout.directives import permissions, queries
from bluezone.rollout.directives.matters import letter_label
from bluezone.rollout.directives.models import Campaign, Dispatch
from bluezone.vietnamese.spelling import holds


def search(user: User, words: str) -> list[Hit]:
    """Letters that the person's agencies issued or got, and campaigns, by number, subject or name."""
    issued = queries.directives(scopes.agencies_in_reach(user, permissions.READERS), words)
    hits = [
        Hit(_("Letter"), letter_label(one), reverse("directive", args=[one.pk]), one.get_state_display())
        for one in issued[:MOST_HITS]
    ]
    got = Dispatch.objects.filter(agency__in=permissions.read_agencies(user))
    for word in words.split():
        got = got.filter(directive__folded__contains=word)
    own = {hit.url for hit in hits}
    for one in got.select_related("directive", "agency").defer("directive__text", "directive__proposal")[:MOST_HITS]:
        if reverse("directive", args=[one.directive_id]) not in own:
            url = reverse("inbox-one", args=[one.pk])
            hits.append(Hit(_("Incoming letter"), letter_label(one.directive), url, one.agency.name))
    campaigns = Campaign.objects.filter(owner__in=permissions.read_agencies(user)).order_by("-made_at")[:2000]
    named = [one for one in campaigns if holds(one.name, words)][:MOST_HITS]
    return [
        *hits[:MOST_HITS],
        *(Hit(_("Campaign"), one.name, reverse("campaign", args=[one.pk]), one.basis) for one in named),
    ]
