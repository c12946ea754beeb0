# SPDX-License-Identifier: Apache-2.0
"""A campaign (phát động): the document it rests on, its days, and the directives that carry it out.

Source: Công văn 458/UBND-VP, clause 3: "căn cứ phát động của cấp tỉnh" the unions run install drives.
"""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.directory.models import Agency
from bluezone.training import PractisedMixin


class Campaign(PractisedMixin):
    """One campaign.

    owner: the agency that calls it, None for one of before campaigns had a page. basis: the document it rests on, as
    written. rests_on: the same where it is in the register. begins, ends: first and last day, None while open.
    """

    name = models.CharField(_("Campaign"), max_length=200)
    owner = models.ForeignKey(
        Agency, on_delete=models.PROTECT, null=True, related_name="campaigns", verbose_name=_("Called by")
    )
    basis = models.CharField(_("Basis document"), max_length=300, blank=True)
    rests_on = models.ForeignKey(
        "directives.Directive",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="founded_campaigns",
        verbose_name=_("Basis document in the register"),
    )
    aim = models.TextField(_("What it is to reach"), max_length=2000, blank=True)
    begins = models.DateField(_("First day"), null=True, blank=True)
    ends = models.DateField(_("Last day"), null=True, blank=True)
    made_at = models.DateTimeField(default=timezone.now, editable=False)

    TRAINING_MOMENT = "made_at"

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(name=""), name="campaign_is_named"),
            models.UniqueConstraint(fields=["name", "training"], name="campaign_name_once"),
            models.CheckConstraint(
                condition=Q(begins__isnull=True) | Q(ends__isnull=True) | Q(ends__gte=F("begins")),
                name="campaign_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return self.name
