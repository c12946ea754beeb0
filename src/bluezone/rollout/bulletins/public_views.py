# SPDX-License-Identifier: Apache-2.0
"""Public downloads for stations and the press: RSS of the approved bulletins, press kits, sounds, the air plan."""

import datetime
import hashlib
from email.utils import format_datetime
from xml.sax.saxutils import escape, quoteattr
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_safe

from bluezone.identity.audiences import audience
from bluezone.identity.duty import EVERYONE
from bluezone.paper.phrases import Facts, facts
from bluezone.rollout.bulletins.air.planner import approved_scripts, script_seconds
from bluezone.rollout.bulletins.air.press import press_kit, write_calendar
from bluezone.rollout.bulletins.models import Bulletin, Schedule, Script, Sound

MOST_ITEMS = 30
_CACHE_CONTROL = "public, max-age=300"


@require_safe
@audience(EVERYONE)
def bulletin_feed(request: HttpRequest) -> HttpResponse:
    """RSS 2.0 of the newest approved bulletins in Vietnamese, each with its MP3 and the address of its press kit."""
    city = facts("vi")
    with override("vi"):
        name = _("Bulletins of %(city)s for stations and the press") % {"city": city.city}
    approved = Bulletin.objects.filter(withdrawn_at=None, scripts__approved_at__isnull=False).distinct()
    bulletins = list(approved.order_by("-made_at")[:MOST_ITEMS])
    scripts = approved_scripts(bulletin.pk for bulletin in bulletins)
    items = "".join(
        _item(bulletin, scripts[bulletin.pk, "vi"], city) for bulletin in bulletins if (bulletin.pk, "vi") in scripts
    )
    own_address = quoteattr(f"{city.address}/bulletins/rss.xml")
    xml = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel>'
        f"<title>{escape(name)}</title><link>{escape(city.address)}/</link><description>{escape(name)}</description>"
        f'<language>vi</language><atom:link href={own_address} rel="self" type="application/rss+xml"/>{items}'
        "</channel></rss>\n"
    )
    return _cached(request, xml.encode(), "application/rss+xml; charset=utf-8")


@require_safe
@audience(EVERYONE)
def calendar_file(request: HttpRequest) -> HttpResponse:
    """The schedules that are not over, as iCalendar."""
    city = facts("vi")
    now = timezone.now()
    zone = ZoneInfo(timezone.get_default_timezone_name())
    running = Schedule.objects.filter(stopped_at=None, at_once=None, bulletin__withdrawn_at=None)
    running = running.select_related("bulletin").prefetch_related("outlets")
    schedules = [schedule for schedule in running if schedule.last is None or schedule.last >= timezone.localdate(now)]
    scripts = approved_scripts({schedule.bulletin_id for schedule in schedules})
    with override("vi"):
        name = _("Air plan of %(city)s") % {"city": city.city}
        timed = [
            (schedule, sum(script_seconds(script) for key, script in scripts.items() if _is_aired(schedule, key)))
            for schedule in schedules
        ]
        host = city.address.split("//")[-1].split(":")[0]
        # DTSTAMP changes once an hour, so that a calendar which fetches again within the hour gets 304.
        content = write_calendar(timed, name, host, zone, now.replace(minute=0, second=0, microsecond=0))
    return _cached(request, content, "text/calendar; charset=utf-8")


@require_safe
@audience(EVERYONE)
def download_press_kit(request: HttpRequest, pk: int) -> HttpResponse:
    """The press kit of a bulletin as ZIP; 404 if no text of it is approved, or if it was withdrawn."""
    bulletin = _public_bulletin(pk)
    response = _cached(request, press_kit(bulletin), "application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="bluezone-ban-tin-{pk}.zip"'
    return response


@require_safe
@audience(EVERYONE)
def script_sound(request: HttpRequest, pk: int, language: str) -> HttpResponse:
    """The MP3 of a bulletin's newest approved version in a language; 404 without one, or if it was withdrawn."""
    script = approved_scripts([_public_bulletin(pk).pk]).get((pk, language))
    if script is None or script.sound is None:
        raise Http404
    content = Sound.objects.values_list("content", flat=True).get(pk=script.sound.pk)
    return _cached(request, bytes(content), "audio/mpeg")


def _is_aired(schedule: Schedule, key: tuple[int, str]) -> bool:
    return key[0] == schedule.bulletin_id and key[1] in schedule.languages


def _public_bulletin(pk: int) -> Bulletin:
    approved = Bulletin.objects.filter(withdrawn_at=None, scripts__approved_at__isnull=False).distinct()
    bulletin: Bulletin = get_object_or_404(approved, pk=pk)
    return bulletin


def _item(bulletin: Bulletin, script: Script, city: Facts) -> str:
    """The RSS item of a bulletin. script: its Vietnamese text."""
    base = f"{city.address}/bulletins/{bulletin.pk}/"
    guid = f"bulletin-{bulletin.pk}-{script.number}@{city.address.split('//')[-1]}"
    at = script.approved_at or script.written_at
    enclosure = ""
    if script.sound is not None:
        size = len(bytes(Sound.objects.values_list("content", flat=True).get(pk=script.sound.pk)))
        enclosure = f'<enclosure url={quoteattr(base + "vi.mp3")} length="{size}" type="audio/mpeg"/>'
    return (
        f"<item><title>{escape(bulletin.title)}</title><link>{escape(base)}press-kit.zip</link>"
        f'<guid isPermaLink="false">{escape(guid)}</guid>'
        f"<pubDate>{format_datetime(at.astimezone(datetime.UTC), usegmt=True)}</pubDate>"
        f"<category>{escape(str(bulletin.importance))}</category>"
        f"<description>{escape(script.text)}</description>{enclosure}</item>"
    )


def _cached(request: HttpRequest, content: bytes, kind: str) -> HttpResponse:
    """The content with its ETag; 304 if the request names this ETag."""
    etag = quote_etag(hashlib.sha256(content).hexdigest()[:32])
    response = HttpResponse(content, content_type=kind)
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = _CACHE_CONTROL
    return get_conditional_response(request, etag=etag, response=response) or response


urlpatterns = [
    path("bulletins/rss.xml", bulletin_feed, name="bulletins-rss"),
    path("bulletins/air-plan.ics", calendar_file, name="bulletins-calendar"),
    path("bulletins/<int:pk>/press-kit.zip", download_press_kit, name="press-kit"),
    path("bulletins/<int:pk>/<slug:language>.mp3", script_sound, name="bulletin-sound"),
]
