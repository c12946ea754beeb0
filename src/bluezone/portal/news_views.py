# SPDX-License-Identifier: Apache-2.0
"""Pages for news: the desk in the office, and the feeds on the public origin (JSON and RSS)."""

import datetime
from email.utils import format_datetime
from typing import Any
from xml.sax.saxutils import escape

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_http_methods, require_safe

from bluezone.directory.scopes import reaches_beyond_a_ward, require_more_than_a_ward
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import EDITORS, EVERYONE
from bluezone.identity.factors.confirmation import is_recently_confirmed
from bluezone.identity.factors.second_factors import confirm_second_factor, redirect_to_confirmation, releases
from bluezone.identity.objects import Ownership, touches
from bluezone.paper.phrases import Facts, facts
from bluezone.portal import news
from bluezone.portal.forms import NewsForm, NoteForm
from bluezone.portal.models import NewsItem, NewsState
from bluezone.publicpages.page_frame import CACHED_A_MINUTE
from bluezone.publicpages.static_files import Asset
from bluezone.refusal import Refused

ON_A_PAGE = 30


@require_safe
@audience(EDITORS)
@touches(Ownership.EVERYBODY)
def item_list(request: OfficeRequest) -> HttpResponse:
    """All items, newest first; an editor of a ward gets links only to their own."""
    page = Paginator(NewsItem.objects.select_related("written_by"), ON_A_PAGE).get_page(request.GET.get("page"))
    edits_all = reaches_beyond_a_ward(request.user, EDITORS.roles)
    open_here = {item.pk for item in page if edits_all or item.written_by_id == request.user.pk}
    return render(request, "portal/desk.html", {"page": page, "open_here": open_here, "keeps": edits_all})


@require_http_methods(["GET", "HEAD", "POST"])
@audience(EDITORS)
@touches(Ownership.EVERYBODY)
def new_item(request: OfficeRequest) -> HttpResponse:
    """Write a new item: 302 to its preview, 422 bad form."""
    return _write(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(EDITORS)
@touches(Ownership.OWN, Ownership.WIDE)
def edit_item(request: OfficeRequest, pk: int) -> HttpResponse:
    """Edit an item: 302 to its preview, 422 bad form, 409 withdrawn in the meantime.

    An editor of an agency or a unit edits their own drafts, an editor of the city every item.
    """
    item = get_object_or_404(NewsItem, pk=pk)
    if item.written_by_id != request.user.pk or item.state != NewsState.DRAFT:
        require_more_than_a_ward(request.user, EDITORS.roles)
    return _write(request, item)


def _write(request: OfficeRequest, item: NewsItem | None) -> HttpResponse:
    form = NewsForm(request.POST or None, instance=item)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            try:
                stored = news.save_item(news.Texts(**form.cleaned_data), request.user, timezone.now(), item)
            except news.NewsWithdrawn:
                return _conflict_page(request, item, _("This news item was withdrawn. Write a new one."))
            return redirect("news-preview", stored.pk)
        status = 422
    return render(request, "portal/edit.html", {"form": form, "item": item}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(EDITORS)
@touches(Ownership.OWN, Ownership.WIDE)
@releases
def preview_item(request: OfficeRequest, pk: int) -> HttpResponse:
    """The working text in both languages; POST publishes it: 302, 422 without a required note, 409 refused.

    An editor of a ward may read their own items; only editors of the city publish, since news is the city's.
    """
    item = get_object_or_404(NewsItem, pk=pk)
    if request.method == "POST" or item.written_by_id != request.user.pk:
        require_more_than_a_ward(request.user, EDITORS.roles)
    if request.method == "POST" and not is_recently_confirmed(request):
        return redirect_to_confirmation(request.path)
    before = news.current_version(item)
    form = NoteForm(request.POST or None, prefix="note") if before else None
    if request.method == "POST" and (form is None or form.is_valid()):
        note = form.cleaned_data["note"] if form else ""
        try:
            news.publish_news_item(item, request.user, timezone.now(), note)
        except news.NewsUnchanged:
            return _conflict_page(request, item, _("Readers already see this text."))
        except Refused:
            return _conflict_page(request, item, _("This news item was withdrawn. Write a new one."))
        messages.success(request, _("Published. Readers see it within a minute."))
        return redirect("news-desk")
    readings = [("vi", news.working_text(item, "vi"))]
    if item.title_en:
        readings.append(("en", news.working_text(item, "en")))
    context: dict[str, Any] = {"item": item, "readings": readings, "form": form, "before": before}
    return render(request, "portal/preview.html", context, status=422 if form and form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(EDITORS)
@touches(Ownership.WIDE)
@confirm_second_factor
def withdraw_item(request: OfficeRequest, pk: int) -> HttpResponse:
    """Ask for the reason, then withdraw the item: 302, 422 without a reason, 409 a draft or withdrawn before."""
    require_more_than_a_ward(request.user, EDITORS.roles)
    item = get_object_or_404(NewsItem, pk=pk)
    form = NoteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            news.withdraw_item(item, form.cleaned_data["note"], request.user, timezone.now())
        except Refused:
            return _conflict_page(request, item, _("Only published news can be withdrawn, and only once."))
        messages.success(request, _("Withdrawn. Anyone who opens its address sees the reason."))
        return redirect("news-desk")
    context = {"item": item, "form": form, "out": item.state == NewsState.PUBLISHED}
    return render(request, "portal/withdraw.html", context, status=422 if form.errors else 200)


def _conflict_page(request: HttpRequest, item: NewsItem | None, words: str) -> HttpResponse:
    return render(request, "portal/refused.html", {"item": item, "words": words}, status=409)


@require_safe
@audience(EVERYONE)
def json_feed(request: HttpRequest) -> HttpResponse:
    """`{"items": [...]}`; bodies in the markup of texts.py. The same for all: no language, cookie or id of a reader."""
    items = {"items": list(news.news_feed(facts("vi").address))}
    return _cached(request, JsonResponse(items, json_dumps_params={"ensure_ascii": False}))


@require_safe
@audience(EVERYONE)
def rss_vi(request: HttpRequest) -> HttpResponse:
    """RSS in Vietnamese."""
    return _rss(request, "vi")


@require_safe
@audience(EVERYONE)
def rss_en(request: HttpRequest) -> HttpResponse:
    """RSS in English; items without English are in Vietnamese."""
    return _rss(request, "en")


def _rss(request: HttpRequest, language: str) -> HttpResponse:
    city = facts(language)
    with override(language):
        name = _("Bluezone news of %(city)s") % {"city": city.city}
    newest = news.published_versions()[: news.ON_A_PAGE]
    items = "".join(_rss_item(news.read_in_language(version, language), city) for version in newest)
    xml = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel>'
        f"<title>{escape(name)}</title><link>{escape(city.address)}/news/</link><description>{escape(name)}"
        f"</description><language>{language}</language>{items}</channel></rss>\n"
    )
    return _cached(request, HttpResponse(xml, content_type="application/rss+xml; charset=utf-8"))


def _rss_item(reading: news.Reading, city: Facts) -> str:
    link = escape(f"{city.address}/news/{reading.version.item_id}/")
    at = reading.version.item.published_at or reading.version.at
    return (
        f"<item><title>{escape(reading.title)}</title><link>{link}</link><guid>{link}</guid>"
        f"<pubDate>{format_datetime(at.astimezone(datetime.UTC), usegmt=True)}</pubDate>"
        f"<description>{escape(reading.html)}</description></item>"
    )


def _cached(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The response, or 304 for clients that have it: news changes rarely and phones fetch it often."""
    etag = quote_etag(Asset("", response.content, "").sha256[:32])
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = CACHED_A_MINUTE
    return get_conditional_response(request, etag=etag, response=response) or response
