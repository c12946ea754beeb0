# SPDX-License-Identifier: Apache-2.0
"""News for programs: one JSON feed that phones fetch, the same for everybody, and RSS 2.0 in each language."""

import datetime
from email.utils import format_datetime
from xml.sax.saxutils import escape

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_safe

from bluezone.identity.audiences import audience
from bluezone.identity.duty import EVERYONE
from bluezone.paper.city_facts import Facts, facts
from bluezone.portal.news import queries
from bluezone.publicpages.assets import Asset
from bluezone.publicpages.page_frame import KEPT


@require_safe
@audience(EVERYONE)
def json_feed(request: HttpRequest) -> HttpResponse:
    """`{"items": [...]}`; bodies in the markup of markup.py. No language, no cookie, no number of a reader in it."""
    items = {"items": list(queries.feed(facts("vi").address))}
    return _cached(request, JsonResponse(items, json_dumps_params={"ensure_ascii": False}))


@require_safe
@audience(EVERYONE)
def rss_vi(request: HttpRequest) -> HttpResponse:
    """RSS in Vietnamese."""
    return _rss(request, "vi")


@require_safe
@audience(EVERYONE)
def rss_en(request: HttpRequest) -> HttpResponse:
    """RSS in English; items that have none come in Vietnamese."""
    return _rss(request, "en")


def _rss(request: HttpRequest, language: str) -> HttpResponse:
    city = facts(language)
    with override(language):
        name = _("Bluezone news of %(city)s") % {"city": city.city}
    newest = queries.published()[: queries.ON_A_PAGE]
    items = "".join(_item(queries.reading(version, language), city) for version in newest)
    xml = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel>'
        f"<title>{escape(name)}</title><link>{escape(city.address)}/news/</link><description>{escape(name)}"
        f"</description><language>{language}</language>{items}</channel></rss>\n"
    )
    return _cached(request, HttpResponse(xml, content_type="application/rss+xml; charset=utf-8"))


def _item(one: queries.Reading, city: Facts) -> str:
    link = escape(f"{city.address}/news/{one.version.item_id}/")
    at = one.version.item.published_at or one.version.at
    return (
        f"<item><title>{escape(one.title)}</title><link>{link}</link><guid>{link}</guid>"
        f"<pubDate>{format_datetime(at.astimezone(datetime.UTC), usegmt=True)}</pubDate>"
        f"<description>{escape(one.html)}</description></item>"
    )


def _cached(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The response, or 304 for whoever has it: news changes seldom and phones ask often."""
    etag = quote_etag(Asset("", response.content, "").sha256[:32])
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = KEPT
    return get_conditional_response(request, etag=etag, response=response) or response
