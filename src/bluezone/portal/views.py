# SPDX-License-Identifier: Apache-2.0
"""The public pages, for everybody, without account, session or form of a person."""

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from bluezone.face.files import SERVICE_WORKERS, WORKERS
from bluezone.identity.audiences import audience
from bluezone.identity.duty import EVERYONE
from bluezone.paper import androidpackage
from bluezone.paper.city_facts import facts
from bluezone.portal import news as portal_news
from bluezone.portal import programs, texts
from bluezone.portal.models import NewsItem, NewsState
from bluezone.portal.news import current
from bluezone.publicpages import assets
from bluezone.publicpages.assets import ASK_AGAIN, IMMUTABLE, answer
from bluezone.publicpages.page_frame import KEPT, show

ON_THE_FIRST_PAGE = 3
# What a browser runs or shows by itself. A script or font inside a page has the page's policy; its own would only
# weigh, a hundred times at a first load.
_WITH_A_POLICY = ("text/html", "image/svg+xml")


@require_safe
@audience(EVERYONE)
def home(request: HttpRequest) -> HttpResponse:
    """What Bluezone is, and one button; also at /k, the short link of leaflets and text messages."""
    news = [portal_news.reading(version, _language()) for version in portal_news.published()[:ON_THE_FIRST_PAGE]]
    return show(request, "public/home.html", {"news": news})


@require_safe
@audience(EVERYONE)
def text_page(request: HttpRequest, name: str) -> HttpResponse:
    """A page of the portal's own texts."""
    title, parts = texts.page(name, _language(), facts())
    return show(request, "public/text.html", {"title": title, "parts": parts})


@require_safe
@audience(EVERYONE)
def faq(request: HttpRequest) -> HttpResponse:
    """Questions and answers."""
    title, questions = texts.questions(_language(), facts())
    return show(request, "public/faq.html", {"title": title, "questions": questions})


@require_safe
@audience(EVERYONE)
def install(request: HttpRequest) -> HttpResponse:
    """Where to install from, or how to keep the web edition."""
    return show(request, "public/install.html", {"package": androidpackage.package()})


@require_safe
@audience(EVERYONE)
def install_file(request: HttpRequest) -> HttpResponse:
    """The Android app as the city hands it out; 404 where it hands out none."""
    found = androidpackage.package()
    if found is None:
        raise Http404
    return HttpResponse(found.path.read_bytes(), headers=dict(androidpackage.headers(found)))


@require_safe
@audience(EVERYONE)
def venue(request: HttpRequest) -> HttpResponse:
    """The page behind a venue's poster: its script hands the part after `#` to the web edition on the phone."""
    return show(request, "public/venue.html")


@require_safe
@audience(EVERYONE)
def report(request: HttpRequest) -> HttpResponse:
    """The page behind a health worker's link; as for a venue, the code stays behind `#` on the phone."""
    return show(request, "public/report.html")


@require_safe
@audience(EVERYONE)
def news(request: HttpRequest) -> HttpResponse:
    """Every published item, newest first."""
    page = Paginator(portal_news.published(), portal_news.ON_A_PAGE).get_page(request.GET.get("page"))
    shown = [portal_news.reading(version, _language()) for version in page]
    return show(request, "public/news.html", {"news": shown, "page": page})


@require_safe
@audience(EVERYONE)
def news_item(request: HttpRequest, pk: int) -> HttpResponse:
    """One item: 200 as published or corrected, 410 withdrawn with its reason, 404 a draft."""
    item = get_object_or_404(NewsItem, pk=pk)
    version = current(item)
    if version is None:
        raise Http404
    gone = item.state == NewsState.WITHDRAWN
    context = {"one": portal_news.reading(version, _language()), "item": item, "withdrawn": gone}
    return show(request, "public/news_item.html", context, status=410 if gone else 200)


@require_safe
@audience(EVERYONE)
def asset(request: HttpRequest, digest: str, path: str) -> HttpResponse:
    """A file of the portal under an address that changes with its content; an older address gives the present file."""
    keep = IMMUTABLE if digest == assets.ASSETS.digest else KEPT
    return answer(request, assets.ASSETS.assets.get(path), keep)


@require_safe
@audience(EVERYONE)
def web_edition(request: HttpRequest, path: str) -> HttpResponse:
    """A file of the web edition; its page is the same at every visit until the city updates it."""
    asset = programs.web_edition().get(path)
    response = answer(request, asset, ASK_AGAIN)
    if asset and path not in WORKERS and not asset.media_type.startswith(_WITH_A_POLICY):
        response._csp_exempt = response.xframe_options_exempt = True  # type: ignore[attr-defined]
    if path in SERVICE_WORKERS:
        response.headers["Service-Worker-Allowed"] = programs.APP
    return response


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: no such page."""
    return _problem(
        request, 404, _("There is no such page"), _("The address may be mistyped. Start again from the first page.")
    )


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: a request that no page of ours makes."""
    return _problem(
        request, 400, _("The request was not understood"), _("Nothing was changed. Start again from the first page.")
    )


def _problem(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    context: dict[str, Any] = {"status": status, "title": title, "text": text}
    return show(request, "public/problem.html", context, status=status)


def _language() -> str:
    return "en" if get_language() == "en" else "vi"
