# SPDX-License-Identifier: Apache-2.0
"""What editors do with news: write, publish, correct, withdraw. Each is in the audit; readers see versions only."""

import datetime
from dataclasses import asdict, dataclass

from django.db import transaction
from django.db.models import Max

from bluezone.audit import hash_chain
from bluezone.identity.models import User
from bluezone.portal.models import NewsItem, NewsState, NewsVersion
from bluezone.refusal import Refused

_TEXTS = ("title_vi", "body_vi", "title_en", "body_en")


class NewsWithdrawn(Refused):
    """A withdrawn item is not changed or published again; a new one is written."""

    code = "news_withdrawn"


class NewsUnchanged(Refused):
    """What is to be published is what readers see already."""

    code = "news_unchanged"


class NewsNotOut(Refused):
    """An item that was never published cannot be withdrawn."""

    code = "news_not_out"


class CorrectionUnexplained(Refused):
    """A correction has to say what was wrong."""

    code = "correction_unexplained"


@dataclass(frozen=True)
class Texts:
    """The four texts of an item, valid as NewsForm says."""

    title_vi: str
    body_vi: str
    title_en: str = ""
    body_en: str = ""


def write(texts: Texts, by: User, now: datetime.datetime, item: NewsItem | None = None) -> NewsItem:
    """Keep the text at work, of a new item or of `item`; readers see none of it yet. Raises NewsWithdrawn."""
    with transaction.atomic():
        if item is None:
            item = NewsItem.objects.create(**asdict(texts), written_by=by, written_at=now)
        else:
            item = _locked(item)
            for name in _TEXTS:
                setattr(item, name, getattr(texts, name))
            item.written_by, item.written_at = by, now
            item.save()
        hash_chain.record(by.username, "news_written", str(item.pk), now=now)
        return item


def publish(item: NewsItem, by: User, now: datetime.datetime, note: str = "") -> NewsVersion:
    """Show the text at work to readers: the first time as news, later as a correction that says what was wrong.

    note: what was corrected; needed from the second version on.
    Raises NewsWithdrawn, NewsUnchanged, CorrectionUnexplained; readers see what they saw then.
    """
    with transaction.atomic():
        item = _locked(item)
        newest = current(item)
        if newest is not None:
            if all(getattr(newest, name) == getattr(item, name) for name in _TEXTS):
                raise NewsUnchanged("readers see this text already")
            if not note.strip():
                raise CorrectionUnexplained("a correction has to say what was wrong")
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


def withdraw(item: NewsItem, reason: str, by: User, now: datetime.datetime) -> None:
    """Take an item from the readers and tell those who come by its address why. Raises NewsWithdrawn, NewsNotOut."""
    with transaction.atomic():
        item = _locked(item)
        if item.state != NewsState.PUBLISHED:
            raise NewsNotOut("nobody has seen this item; there is nothing to withdraw")
        item.state, item.withdrawn_at, item.withdrawn_reason = NewsState.WITHDRAWN, now, reason.strip()
        item.save(update_fields=["state", "withdrawn_at", "withdrawn_reason"])
        hash_chain.record(by.username, "news_withdrawn", str(item.pk), now=now)


def current(item: NewsItem) -> NewsVersion | None:
    """The version that readers see, None for a draft."""
    return item.versions.order_by("-number").first()


def _locked(item: NewsItem) -> NewsItem:
    locked = NewsItem.objects.select_for_update().get(pk=item.pk)
    if locked.state == NewsState.WITHDRAWN:
        raise NewsWithdrawn("the item was withdrawn; write a new one")
    return locked
