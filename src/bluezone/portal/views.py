# SPDX-License-Identifier: Apache-2.0
"""The public pages, for everybody, without account or session.

Requests for help: a form for people on the public origin, and POST /v1/help for the app and the gates.
"""

import re
import secrets
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from bluezone.devices.audience import json_endpoint, read_json_body
from bluezone.devices.refusals import BodyInvalid, PuzzleRequired
from bluezone.directory.kinds import AgencyKind
from bluezone.directory.models import Agency
from bluezone.face.files import SERVICE_WORKERS, WORKERS
from bluezone.identity.audiences import audience
from bluezone.identity.duty import EVERYONE
from bluezone.paper import androidpackage
from bluezone.paper.phrases import facts
from bluezone.portal import news as portal_news
from bluezone.portal import page_texts, programs
from bluezone.portal.forms import HelpForm
from bluezone.portal.models import NewsItem, NewsState
from bluezone.portal.news import current_version
from bluezone.publicpages.form_limits import FormLimit
from bluezone.publicpages.page_frame import ASSETS, CACHED_A_MINUTE, render_page
from bluezone.publicpages.static_files import ASK_AGAIN, IMMUTABLE, serve_asset
from bluezone.rollout.drives.api import PUBLIC_CHANNELS, HelpChannelUnknown, open_help_request

ON_THE_FIRST_PAGE = 3
MOST_STATIONS = 200
# Languages that the app supports, and names of its screens (face/static/frame.js, recordingName).
_RECORDING = re.compile(r"(?:vi|en|zh|tay|nung|dao|mong)/[a-z0-9-]{1,40}")
# Files that a browser runs or shows as documents. A script or font inside a page has the page's policy; a header of its
# own would only add weight, a hundred times at a first load.
_WITH_A_POLICY = ("text/html", "image/svg+xml")

MOST_BYTES = 8 * 1024
# An office or a school behind one network address may send requests for several people.
help_limit = FormLimit(20, 600)
_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")
_TICKET = re.compile(r"[0-9A-Z]{3}-[0-9A-Z]{3}")
_MEMBERS = ("channel", "contact", "place", "note", "unit")


@require_safe
@audience(EVERYONE)
def home(request: HttpRequest) -> HttpResponse:
    """The first page, also at /k, the short link of leaflets and text messages."""
    news = [
        portal_news.read_in_language(version, _language())
        for version in portal_news.published_versions()[:ON_THE_FIRST_PAGE]
    ]
    return render_page(request, "public/home.html", {"news": news})


@require_safe
@audience(EVERYONE)
def text_page(request: HttpRequest, name: str) -> HttpResponse:
    """A page of the portal's texts."""
    title, parts = page_texts.read_page(name, _language(), facts())
    return render_page(request, "public/text.html", {"title": title, "parts": parts})


@require_safe
@audience(EVERYONE)
def faq(request: HttpRequest) -> HttpResponse:
    """Questions and answers."""
    title, questions = page_texts.read_questions(_language(), facts())
    return render_page(request, "public/faq.html", {"title": title, "questions": questions})


@require_safe
@audience(EVERYONE)
def install(request: HttpRequest) -> HttpResponse:
    """Where to install the app, or how to add the web edition to the home screen."""
    return render_page(request, "public/install.html", {"package": androidpackage.package()})


@require_safe
@audience(EVERYONE)
def install_file(request: HttpRequest) -> HttpResponse:
    """The city's Android app; 404 if it has none."""
    package = androidpackage.package()
    if package is None:
        raise Http404
    return HttpResponse(package.path.read_bytes(), headers=dict(androidpackage.headers(package)))


def _recordings() -> dict[str, list[str]]:
    """Recorded screens of the app: `voice/<language>/<screen>.mp3` in the data folder, by language."""
    screens: dict[str, list[str]] = {}
    for path in sorted((settings.DATA_FOLDER / "voice").glob("*/*.mp3")):
        if _RECORDING.fullmatch(f"{path.parent.name}/{path.stem}"):
            screens.setdefault(path.parent.name, []).append(path.stem)
    return screens


@require_safe
@audience(EVERYONE)
def voices(request: HttpRequest) -> HttpResponse:
    """The recordings that the app can play instead of reading aloud: {language: names of screens}; may be empty."""
    response = JsonResponse(_recordings())
    response.headers["Cache-Control"] = CACHED_A_MINUTE
    return response


@require_safe
@audience(EVERYONE)
def recording(request: HttpRequest, language: str, name: str) -> HttpResponse:
    """A recording; 404 for anything not in the list."""
    if name not in _recordings().get(language, []):
        raise Http404
    sound = (settings.DATA_FOLDER / "voice" / language / f"{name}.mp3").read_bytes()
    return HttpResponse(sound, headers={"Content-Type": "audio/mpeg", "Cache-Control": CACHED_A_MINUTE})


@require_safe
@audience(EVERYONE)
def venue(request: HttpRequest) -> HttpResponse:
    """The page of a venue poster's link: its script passes the part after `#` to the web edition on the phone."""
    return render_page(request, "public/venue.html")


@require_safe
@audience(EVERYONE)
def report(request: HttpRequest) -> HttpResponse:
    """The page of a health worker's link; as for a venue, the code after `#` never leaves the phone."""
    return render_page(request, "public/report.html")


@require_safe
@audience(EVERYONE)
def news(request: HttpRequest) -> HttpResponse:
    """The published items, newest first."""
    page = Paginator(portal_news.published_versions(), portal_news.ON_A_PAGE).get_page(request.GET.get("page"))
    readings = [portal_news.read_in_language(version, _language()) for version in page]
    return render_page(request, "public/news.html", {"news": readings, "page": page})


@require_safe
@audience(EVERYONE)
def news_item(request: HttpRequest, pk: int) -> HttpResponse:
    """A news item: 200 as published or corrected, 410 withdrawn, with the reason, 404 for a draft."""
    item = get_object_or_404(NewsItem, pk=pk)
    version = current_version(item)
    if version is None:
        raise Http404
    is_withdrawn = item.state == NewsState.WITHDRAWN
    context = {"one": portal_news.read_in_language(version, _language()), "item": item, "withdrawn": is_withdrawn}
    return render_page(request, "public/news_item.html", context, status=410 if is_withdrawn else 200)


@require_safe
@audience(EVERYONE)
def asset(request: HttpRequest, digest: str, path: str) -> HttpResponse:
    """A file of the portal; its URL changes with the content, and older URLs return the present file."""
    keep = IMMUTABLE if digest == ASSETS.digest else CACHED_A_MINUTE
    return serve_asset(request, ASSETS.assets.get(path), keep)


@require_safe
@audience(EVERYONE)
def web_edition(request: HttpRequest, path: str) -> HttpResponse:
    """A file of the web edition, which stays the same until the city updates it."""
    asset = programs.web_edition().get(path)
    response = serve_asset(request, asset, ASK_AGAIN)
    if asset and path not in WORKERS and not asset.media_type.startswith(_WITH_A_POLICY):
        response._csp_exempt = response.xframe_options_exempt = True  # type: ignore[attr-defined]
    if path in SERVICE_WORKERS:
        response.headers["Service-Worker-Allowed"] = programs.APP
    return response


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: no such page."""
    return _problem(
        request, 404, _("Page not found"), _("The address may be mistyped. Start again from the first page.")
    )


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: a request that none of our pages makes."""
    return _problem(
        request, 400, _("The request was not understood"), _("Nothing was changed. Start again from the first page.")
    )


def _problem(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    context: dict[str, Any] = {"status": status, "title": title, "text": text}
    return render_page(request, "public/problem.html", context, status=status)


def _language() -> str:
    return "en" if get_language() == "en" else "vi"


@json_endpoint("POST", EVERYONE, status=201)
def submit_help_request_json(request: HttpRequest) -> dict[str, Any]:
    """`{"channel", "contact", "place", "note", "unit"}` -> `{"ticket"}`; `Idempotency-Key` makes repeats harmless.

    201 opened, or opened before under the same key; 400 bad body, 413 too long, 422 bad values, 429 too many.
    The caller's network address is not stored.
    """
    body = read_json_body(request, MOST_BYTES)
    values = {name: body.get(name) or "" for name in _MEMBERS}
    wrong = [name for name, value in values.items() if not isinstance(value, str)]
    if wrong:
        raise BodyInvalid(f"{wrong[0]} is not a text")
    key = request.headers.get("Idempotency-Key", "")
    if key and not _KEY.fullmatch(key):
        raise BodyInvalid("Idempotency-Key is not 8 to 64 letters, digits, - and _")
    if values["channel"] not in PUBLIC_CHANNELS:
        raise HelpChannelUnknown(f"channel is {values['channel'][:20]!r}, expected portal, app or gate")
    help_limit.check(request, timezone.now())
    return {"ticket": open_help_request(**values, repeat_key=key)}


@require_http_methods(["GET", "HEAD", "POST"])
@audience(EVERYONE)
def submit_help_request(request: HttpRequest) -> HttpResponse:
    """The form: 303 to its ticket, 403 sent from another site, 422 bad form, 429 too many from this network."""
    if request.method != "POST":
        return _form(request, HelpForm(), _new_key())
    key = request.POST.get("key", "")
    if not _KEY.fullmatch(key):
        key = _new_key()
    form = HelpForm(request.POST)
    if _from_elsewhere(request):
        return _form(
            request,
            form,
            key,
            403,
            _("Nothing was sent, because the form came from another site. Send it from this site."),
        )
    if not form.is_valid():
        return _form(request, form, key, 422, _("Nothing was sent yet: please correct what is marked below."))
    try:
        help_limit.check(request, timezone.now())
    except PuzzleRequired as refusal:
        return _form(request, form, key, 429, challenge=refusal.challenge.hex())
    values = {name: form.cleaned_data[name] for name in ("contact", "place", "note", "unit")}
    ticket = open_help_request("portal", **values, repeat_key=key)
    response = redirect("help-sent", ticket)
    response.status_code = 303
    return response


@require_safe
@audience(EVERYONE)
def show_help_ticket(request: HttpRequest, ticket: str) -> HttpResponse:
    """The page with the number of a request; it does not reveal whether the request exists."""
    if not _TICKET.fullmatch(ticket):
        return redirect("help")
    return render_page(request, "public/help_sent.html", {"ticket": ticket})


def _form(
    request: HttpRequest, form: HelpForm, key: str, status: int = 200, refused: str = "", challenge: str = ""
) -> HttpResponse:
    stations = Agency.objects.valid_on(timezone.localdate()).filter(kind=AgencyKind.HEALTH).exclude(phone="")
    context = {
        "form": form,
        "key": key,
        "refused": refused,
        "challenge": challenge,
        "stations": stations[:MOST_STATIONS],
    }
    response = render_page(request, "public/help.html", context, status=status)
    # It contains this reader's key.
    response.headers["Cache-Control"] = "no-store"
    return response


def _new_key() -> str:
    return secrets.token_urlsafe(16)


def _from_elsewhere(request: HttpRequest) -> bool:
    """Whether another site sent this form, as the browser reports; without a session there is no token to check."""
    origin = request.headers.get("Origin")
    return bool(origin and urlsplit(origin).netloc != request.get_host())
