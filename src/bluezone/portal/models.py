# SPDX-License-Identifier: Apache-2.0
"""News of the city: the texts that editors work on, and their published versions."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

MOST_TITLE = 120
MOST_BODY = 6000
MOST_NOTE = 300


class NewsState(models.TextChoices):
    """The state of a news item."""

    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("On the site")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class NewsItem(models.Model):
    """A news item with its working text, which readers see only after it is published as a version.

    title_vi, body_vi: required. title_en, body_en: may be empty. Bodies are in the markup of `markup.py`.
    withdrawn_reason:  shown to readers of the old address.
    Personal data: the accounts of editors, an official duty. Retained as the record of what the city published.
    """

    state = models.CharField(max_length=12, choices=NewsState, default=NewsState.DRAFT)
    title_vi = models.CharField(_("Title in Vietnamese"), max_length=MOST_TITLE)
    body_vi = models.TextField(_("Text in Vietnamese"), max_length=MOST_BODY)
    title_en = models.CharField(_("Title in English"), max_length=MOST_TITLE, blank=True)
    body_en = models.TextField(_("Text in English"), max_length=MOST_BODY, blank=True)
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_reason = models.CharField(_("Why it is withdrawn"), max_length=MOST_NOTE, blank=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(title_vi="") & ~Q(body_vi=""), name="news_is_vietnamese_first"),
            models.CheckConstraint(
                condition=(Q(title_en="") & Q(body_en="")) | (~Q(title_en="") & ~Q(body_en="")),
                name="news_english_whole_or_absent",
            ),
            models.CheckConstraint(
                condition=Q(state=NewsState.DRAFT) | Q(published_at__isnull=False), name="news_out_has_its_time"
            ),
            models.CheckConstraint(
                condition=Q(state=NewsState.WITHDRAWN, withdrawn_at__isnull=False)
                | (~Q(state=NewsState.WITHDRAWN) & Q(withdrawn_at__isnull=True)),
                name="news_withdrawn_has_its_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.title_vi}"


class NewsVersion(models.Model):
    """The texts of a publication or correction, as readers see or saw them. Never changed.

    note: what was corrected, shown with the item; empty for the first version.
    """

    item = models.ForeignKey(NewsItem, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    title_vi = models.CharField(max_length=MOST_TITLE)
    body_vi = models.TextField()
    title_en = models.CharField(max_length=MOST_TITLE, blank=True)
    body_en = models.TextField(blank=True)
    note = models.CharField(_("What was corrected"), max_length=MOST_NOTE, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering: ClassVar = ["item", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["item", "number"], name="news_version_once"),
            models.CheckConstraint(condition=Q(number=1) | ~Q(note=""), name="a_correction_says_what"),
        ]

    def __str__(self) -> str:
        return f"{self.item_id} v{self.number}"
