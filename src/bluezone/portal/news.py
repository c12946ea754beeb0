# SPDX-License-Identifier: Apache-2.0
"""News of the public site: writing, publishing, correcting and withdrawing, and the readers' view."""

import datetime
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.db.models import F, Max, OuterRef, QuerySet, Subquery
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from bluezone.audit import hash_chain
from bluezone.directory.scopes import grants_for, reaches_beyond_a_ward
from bluezone.duties.duty import MOST_HITS, Hit
from bluezone.identity.duty import EDITORS
from bluezone.identity.models import User
from bluezone.portal import markup
from bluezone.portal.models import NewsItem, NewsState, NewsVersion
from bluezone.refusal import Refused
from bluezone.vietnamese.spelling import holds

_TEXTS = ("title_vi", "body_vi", "title_en", "body_en")

ON_A_PAGE = 20
# Items that a phone fetches: enough for two busy weeks, small enough for a slow network.
IN_THE_FEED = 30
FEED_BYTES = 200_000
_EXCERPT = 160


class NewsWithdrawn(Refused):
    """A withdrawn item cannot be changed or published again; write a new one."""

    code = "news_withdrawn"


class NewsUnchanged(Refused):
    """Readers already see the text to publish."""

    code = "news_unchanged"


class NewsNotPublished(Refused):
    """An item that was never published cannot be withdrawn."""

    code = "news_not_out"


class CorrectionUnexplained(Refused):
    """A correction has no note of what was wrong."""

    code = "correction_unexplained"


@dataclass(frozen=True)
class Texts:
    """The four texts of an item, as NewsForm validates them."""

    title_vi: str
    body_vi: str
    title_en: str = ""
    body_en: str = ""


def save_item(texts: Texts, by: User, now: datetime.datetime, item: NewsItem | None = None) -> NewsItem:
    """Store the working text of a new item or of `item`; readers do not see it yet. Raises NewsWithdrawn."""
    with transaction.atomic():
        if item is None:
            item = NewsItem.objects.create(**asdict(texts), written_by=by, written_at=now)
        else:
            item = _lock(item)
            for name in _TEXTS:
                setattr(item, name, getattr(texts, name))
            item.written_by = by
            item.written_at = now
            item.save()
        hash_chain.record(by.username, "news_written", str(item.pk), now=now)
        return item


def publish_news_item(item: NewsItem, by: User, now: datetime.datetime, note: str = "") -> NewsVersion:
    """Publish the working text: the first time as news, later as a correction.

    note: what was corrected; required from the second version on.
    Raises NewsWithdrawn, NewsUnchanged, CorrectionUnexplained; nothing changes for readers then.
    """
    with transaction.atomic():
        item = _lock(item)
        newest = current_version(item)
        if newest is not None:
            if all(getattr(newest, name) == getattr(item, name) for name in _TEXTS):
                raise NewsUnchanged("readers see this text already")
            if not note.strip():
                raise CorrectionUnexplained("a correction needs a note of what was wrong")
        number = (item.versions.aggregate(most=Max("number"))["most"] or 0) + 1
        texts = {name: getattr(item, name) for name in _TEXTS}
        version = NewsVersion.objects.create(
            item=item, number=number, note=note.strip() if newest else "", at=now, by=by, **texts
        )
        item.state = NewsState.PUBLISHED
        item.published_at = item.published_at or now
        item.save(update_fields=["state", "published_at"])
        act = "news_corrected" if newest else "news_published"
        hash_chain.record(by.username, act, str(item.pk), now=now, version=number)
        return version


def withdraw_item(item: NewsItem, reason: str, by: User, now: datetime.datetime) -> None:
    """Remove an item from the site; its address shows the reason. Raises NewsWithdrawn, NewsNotPublished."""
    with transaction.atomic():
        item = _lock(item)
        if item.state != NewsState.PUBLISHED:
            raise NewsNotPublished("this item was never published; there is nothing to withdraw")
        item.state = NewsState.WITHDRAWN
        item.withdrawn_at = now
        item.withdrawn_reason = reason.strip()
        item.save(update_fields=["state", "withdrawn_at", "withdrawn_reason"])
        hash_chain.record(by.username, "news_withdrawn", str(item.pk), now=now)


def current_version(item: NewsItem) -> NewsVersion | None:
    """The version that readers see, None for a draft."""
    return item.versions.order_by("-number").first()


def _lock(item: NewsItem) -> NewsItem:
    row = NewsItem.objects.select_for_update().get(pk=item.pk)
    if row.state == NewsState.WITHDRAWN:
        raise NewsWithdrawn("the item was withdrawn; write a new one")
    return row


@dataclass(frozen=True)
class Reading:
    """A version in one language. fallback: whether it is in Vietnamese because there is no English."""

    version: NewsVersion
    title: str
    body: str
    fallback: bool

    @property
    def html(self) -> SafeString:
        """The body as HTML."""
        return markup.render_markup(self.body)

    @property
    def excerpt(self) -> str:
        """The first words of the body."""
        words = markup.plain_text(self.body)
        if len(words) <= _EXCERPT:
            return words
        return words[:_EXCERPT].rsplit(" ", 1)[0] + "…"


def published_versions() -> QuerySet[NewsVersion]:
    """The newest versions of all published items, the last published item first."""
    newest = NewsVersion.objects.filter(item=OuterRef("item")).order_by("-number").values("number")[:1]
    out = NewsVersion.objects.filter(item__state=NewsState.PUBLISHED, number=Subquery(newest))
    return out.select_related("item").order_by(F("item__published_at").desc(), "-item")


def read_in_language(version: NewsVersion, language: str) -> Reading:
    """A version in "vi" or "en"."""
    if language == "en" and version.title_en:
        return Reading(version, version.title_en, version.body_en, fallback=False)
    return Reading(version, version.title_vi, version.body_vi, fallback=language == "en")


def working_text(item: NewsItem, language: str) -> Reading:
    """The working text as readers would see it."""
    fields = {name: getattr(item, name) for name in ("title_vi", "body_vi", "title_en", "body_en")}
    return read_in_language(NewsVersion(item=item, number=1, at=item.written_at, **fields), language)


def news_feed(address: str) -> Iterator[dict[str, Any]]:
    """The items that phones fetch, the same for everybody, at most FEED_BYTES of texts.

    address: of the public origin, without a trailing slash.
    """
    room = FEED_BYTES
    for version in published_versions()[:IN_THE_FEED]:
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


def search_news(user: User, words: str) -> list[Hit]:
    """News that match, for editors: all items for an editor of the city, else the person's own."""
    if not grants_for(user, EDITORS.roles):
        return []
    items = NewsItem.objects.defer("body_vi", "body_en")
    if not reaches_beyond_a_ward(user, EDITORS.roles):
        items = items.filter(written_by=user)
    matches = [
        item for item in items.order_by("-written_at")[:2000] if holds(f"{item.title_vi} {item.title_en}", words)
    ]
    return [
        Hit(_("News"), item.title_vi, reverse("news-preview", args=[item.pk]), item.get_state_display())
        for item in matches[:MOST_HITS]
    ]
