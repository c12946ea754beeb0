# SPDX-License-Identifier: Apache-2.0
"""What readers see of the news: the newest version of each published item, newest first."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import F, OuterRef, QuerySet, Subquery
from django.utils.safestring import SafeString

from bluezone.portal import markup
from bluezone.portal.models import NewsItem, NewsState, NewsVersion

ON_A_PAGE = 20
# What a phone fetches: enough for two busy weeks, small enough for a slow network.
IN_THE_FEED = 30
FEED_BYTES = 200_000
_EXCERPT = 160


@dataclass(frozen=True)
class Reading:
    """A version in one language; `fallback` when there is no English and the Vietnamese is shown."""

    version: NewsVersion
    title: str
    body: str
    fallback: bool

    @property
    def html(self) -> SafeString:
        """The body as HTML."""
        return markup.render(self.body)

    @property
    def excerpt(self) -> str:
        """The first words of the body."""
        words = markup.plain(self.body)
        return words if len(words) <= _EXCERPT else words[:_EXCERPT].rsplit(" ", 1)[0] + "…"


def published() -> QuerySet[NewsVersion]:
    """Newest versions of the items that are out, the last published item first."""
    newest = NewsVersion.objects.filter(item=OuterRef("item")).order_by("-number").values("number")[:1]
    out = NewsVersion.objects.filter(item__state=NewsState.PUBLISHED, number=Subquery(newest))
    return out.select_related("item").order_by(F("item__published_at").desc(), "-item")


def reading(version: NewsVersion, language: str) -> Reading:
    """A version in "vi" or "en"."""
    if language == "en" and version.title_en:
        return Reading(version, version.title_en, version.body_en, fallback=False)
    return Reading(version, version.title_vi, version.body_vi, fallback=language == "en")


def at_work(item: NewsItem, language: str) -> Reading:
    """The text at work as readers would see it."""
    texts = {name: getattr(item, name) for name in ("title_vi", "body_vi", "title_en", "body_en")}
    return reading(NewsVersion(item=item, number=1, at=item.written_at, **texts), language)


def feed(address: str) -> Iterator[dict[str, Any]]:
    """What phones fetch, the same for everybody, at most FEED_BYTES of texts.

    address: of the public origin, without a trailing slash.
    """
    room = FEED_BYTES
    for version in published()[:IN_THE_FEED]:
        room -= sum(len(getattr(version, name).encode()) for name in ("title_vi", "title_en", "body_vi", "body_en"))
        if room < 0:
            return
        yield {
            "id": version.item_id,
            "title_vi": version.title_vi,
            "title_en": version.title_en,
            "body_vi": version.body_vi,
            "body_en": version.body_en,
            "published_at": int(version.item.published_at.timestamp()),  # type: ignore[union-attr]
            "corrected_at": int(version.at.timestamp()) if version.number > 1 else None,
            "url": f"{address}/news/{version.item_id}/",
        }
