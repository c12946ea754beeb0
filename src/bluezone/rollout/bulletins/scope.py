# SPDX-License-Identifier: Apache-2.0
"""What the pages of bulletins read from a request (day or week, outlet, what the reader may do), and the sentences
that they show for refusals.
"""

import datetime
from collections.abc import Iterable
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.db.models import Count, Min, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bluezone.directory.models import AdminUnit, Agency
from bluezone.directory.request_parameters import chosen_day, chosen_number
from bluezone.directory.scopes import (
    agencies_in_reach,
    grants_for,
    has_role,
    is_within_own_ward,
    require_role,
    rows_at_the_desk,
)
from bluezone.duties.duty import MOST_HITS, MOST_MATTERS, Hit, Matter, Pile, shorten
from bluezone.identity.audiences import OfficeRequest
from bluezone.identity.duty import EDITORS, ROLES
from bluezone.identity.models import User
from bluezone.refusal import Refused
from bluezone.rollout.bulletins.air.timetable import ScheduleInQuietHours, ScheduleOverlaps
from bluezone.rollout.bulletins.duty import AIRING_KEEPERS, BULLETIN_APPROVERS
from bluezone.rollout.bulletins.indicators import week_span
from bluezone.rollout.bulletins.models import Airing, Bulletin, Importance, Outlet, OutletKind, Schedule, Script
from bluezone.rollout.report_week import Week, parse_week
from bluezone.vietnamese.spelling import holds

WRITERS = EDITORS.roles
APPROVERS = BULLETIN_APPROVERS.roles
KEEPERS = AIRING_KEEPERS.roles
_SENTENCES = {
    "bulletin_withdrawn": lambda: _("The bulletin was withdrawn. Nothing was changed: write a new one."),
    "recording_unreadable": lambda: _(
        "The recording is damaged or is not MP3, WAV, M4A, OGG, FLAC or WebM. Nothing was stored: play it on your "
        "own machine, save it as MP3 and send it again."
    ),
    "recording_too_long": lambda: _(
        "A recording must last from 1 second to 10 minutes. Nothing was stored: trim it to the bulletin "
        "and send it again."
    ),
    "recording_silent": lambda: _(
        "The recording is silent. Nothing was stored: check the microphone and record again."
    ),
    "sound_unavailable": lambda: _(
        "This server has no program for sound (espeak-ng, ffmpeg). Nothing was stored: ask its operator "
        "to install them."
    ),
    "listened_too_short": lambda: _("Please listen to the end; skipping does not count. Nothing was changed."),
    "not_listened": lambda: _("Please listen to this version to the end first. Nothing was changed."),
    "approver_is_author": lambda: _(
        "You cannot approve a version that you wrote. Nothing was changed: ask another editor or the "
        "head of the agency."
    ),
    "script_without_sound": lambda: _("There is no sound yet. Add a person’s recording first."),
    "script_not_approved": lambda: _(
        "A language that is to be aired has no approved text. Nothing was stored: have it approved first."
    ),
    "schedule_never_due": lambda: _("This schedule has no future days. Nothing was stored: check the days."),
    "schedule_ends_before_start": lambda: _(
        "The last day is before the first. Nothing was stored: correct one of them."
    ),
    "schedule_unreadable": lambda: _("The schedule has no time of day. Nothing was stored."),
    "not_an_emergency": lambda: _("Only a bulletin of the class Emergency can be aired at once. Nothing was changed."),
    "airing_not_yet": lambda: _("This airing is in the future. Nothing was stored."),
    "airing_already_said": lambda: _("The result of this airing has already been recorded. Nothing was changed."),
    "airing_without_evidence": lambda: _(
        "For radio, television, newspapers and websites “Aired” needs a link or a photo as evidence. Nothing was "
        "stored: add one of them."
    ),
    "photo_unreadable": lambda: _("The photo is not a readable JPEG or PNG. Nothing was stored."),
    "outlet_name_taken": lambda: _("This name is already used. Nothing was stored: choose another name."),
}


def own_bulletin(request: OfficeRequest, pk: int) -> Bulletin:
    """A bulletin that the reader writes. Raises Http404, OutsideScope (403)."""
    bulletin = get_object_or_404(Bulletin.objects.select_related("agency__unit"), pk=pk)
    require_role(request.user, WRITERS, agency=bulletin.agency)
    return bulletin


def script_to_approve(request: OfficeRequest, pk: int) -> Script:
    """A version of an agency for which the reader writes or approves. Raises Http404, OutsideScope (403)."""
    scripts = Script.objects.select_related("bulletin__agency__unit", "machine", "recording")
    script = get_object_or_404(scripts.defer("machine__content", "recording__content"), pk=pk)
    require_role(request.user, APPROVERS | WRITERS, agency=script.bulletin.agency)
    return script


def own_schedule(request: OfficeRequest, pk: int) -> Schedule:
    """A schedule that the reader may change: as a writer of its bulletin, or as the keeper of all its outlets.

    Raises Http404, OutsideScope (403).
    """
    schedule = get_object_or_404(Schedule.objects.select_related("bulletin__agency__unit"), pk=pk)
    if not may_change(request, schedule):
        require_role(request.user, WRITERS, agency=schedule.bulletin.agency)
    return schedule


def may_change(request: OfficeRequest, schedule: Schedule) -> bool:
    """Whether the reader may stop a schedule or leave days of it out."""
    if has_role(request.user, WRITERS, agency=schedule.bulletin.agency):
        return True
    outlets = schedule.outlets.select_related("agency__unit")
    return all(has_role(request.user, KEEPERS, agency=outlet.agency) for outlet in outlets)


def own_airing(request: OfficeRequest, pk: int) -> Airing:
    """An airing at an outlet that the reader keeps. Raises Http404, OutsideScope (403)."""
    airings = Airing.objects.select_related("outlet__agency__unit", "schedule__bulletin")
    airing = get_object_or_404(airings, pk=pk)
    require_role(request.user, KEEPERS, agency=airing.outlet.agency)
    return airing


def own_outlet(request: OfficeRequest, pk: int) -> Outlet:
    """An outlet that the reader keeps. Raises Http404, OutsideScope (403)."""
    outlet = get_object_or_404(Outlet.objects.select_related("agency__unit", "unit"), pk=pk)
    require_role(request.user, KEEPERS, agency=outlet.agency)
    return outlet


def outlets_for(user: User, bulletin: Bulletin, roles: Iterable[str] = WRITERS) -> QuerySet[Outlet]:
    """Outlets at which the person may have a bulletin aired: those within reach, and those lent to its agency."""
    above = [pk for pk, path in Agency.objects.values_list("pk", "path") if bulletin.agency.path.startswith(path)]
    lent = Q(pk__in=Outlet.lent_to.through.objects.filter(agency__in=above).values("outlet"))
    return Outlet.objects.filter(Q(agency__in=agencies_in_reach(user, roles)) | lent, closed_at=None).select_related(
        "agency__unit", "unit"
    )


def may_air_at(user: User, outlet: Outlet) -> bool:
    """Whether the person may air at an outlet: it is within reach, or lent to an agency for which they write."""
    if has_role(user, WRITERS | KEEPERS, agency=outlet.agency):
        return True
    lent = [agency.path for agency in outlet.lent_to.all()]
    own = agencies_in_reach(user, WRITERS).values_list("path", flat=True)
    return any(path.startswith(tuple(lent)) for path in own)


def is_heard_in_ward_only(user: User, outlets: Iterable[Outlet], roles: Iterable[str] = WRITERS) -> bool:
    """Whether an airing is heard only in the person's own ward: every outlet is a group of its loudspeakers."""
    outlets = list(outlets)
    if any(outlet.kind != OutletKind.LOUDSPEAKERS for outlet in outlets):
        return False
    return is_within_own_ward(user, roles, [outlet.territory for outlet in outlets])


def kept_agencies(request: OfficeRequest) -> frozenset[int]:
    """Agencies for which the reader keeps the outlets."""
    return frozenset(agencies_in_reach(request.user, KEEPERS).values_list("pk", flat=True))


def may_write_for(request: OfficeRequest, agency: Agency | None = None) -> bool:
    """Whether the reader may write bulletins for this agency; without an agency, for any."""
    return has_role(request.user, WRITERS, agency=agency)


def chosen_outlet(request: HttpRequest) -> Outlet | None:
    """The outlet of `?outlet=`, None for all."""
    pk = chosen_number(request, "outlet")
    return Outlet.objects.filter(pk=pk).first() if pk is not None else None


def filter_query(outlet: Outlet | None, unit: AdminUnit | None) -> str:
    """The query string that keeps a page filtered by outlet and unit, for its links: "outlet=3&unit=5"."""
    chosen = {"outlet": outlet, "unit": unit}
    return urlencode({name: row.pk for name, row in chosen.items() if row is not None})


def week_of(request: HttpRequest) -> Week:
    """The week of `?week=`, else that of the day `?on=`, else this week."""
    return parse_week(request.GET.get("week", ""), Week.of(chosen_day(request, timezone.localdate())))


def span_of(request: HttpRequest) -> tuple[datetime.datetime, datetime.datetime]:
    """The week of `?week=`, else the day of `?on=`, else today: [since, until)."""
    if request.GET.get("week"):
        return week_span(parse_week(request.GET["week"], Week.of(timezone.localdate())))
    return day_span(chosen_day(request, timezone.localdate()))


def day_span(day: datetime.date) -> tuple[datetime.datetime, datetime.datetime]:
    """One local day as [since, until)."""
    zone = ZoneInfo(timezone.get_default_timezone_name())
    since = datetime.datetime.combine(day, datetime.time(), zone)
    return since, datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time(), zone)


def sentence_of(refused: Refused) -> str:
    """The sentence of a refusal in the reader's language."""
    if isinstance(refused, ScheduleInQuietHours):
        return _(
            "%(time)s is in the quiet hours of %(outlet)s, when only emergencies are aired. Nothing was stored:"
            " choose another time or another place."
        ) % {"time": f"{refused.time:%H:%M}", "outlet": refused.outlet.name}
    if isinstance(refused, ScheduleOverlaps):
        at = localtime(refused.at)
        return _(
            "This bulletin is already scheduled at %(outlet)s at %(time)s on %(day)s. Nothing was stored: choose"
            " another time, or stop the other schedule."
        ) % {"outlet": refused.outlet.name, "time": f"{at:%H:%M}", "day": date_format(at.date(), "j/n/Y")}
    return _SENTENCES.get(refused.code, lambda: refused.message)()


def waiting(user: User, now: datetime.datetime) -> list[Matter]:
    """Texts by others that this person may approve, and past airings of the last week that they should attest."""
    matters: list[Matter] = []
    if grants_for(user, APPROVERS):
        matters += _texts_to_approve(user)
    if grants_for(user, KEEPERS):
        matters += _airings_to_attest(user, now)
    return matters


def _texts_to_approve(user: User) -> list[Matter]:
    newest = Script.objects.filter(bulletin=OuterRef("bulletin"), language=OuterRef("language")).order_by("-number")
    texts = Script.objects.filter(
        rows_at_the_desk(user, APPROVERS, "bulletin__agency", Q(bulletin__isnull=False)),
        approved_at=None, bulletin__withdrawn_at=None, pk=Subquery(newest.values("pk")[:1]),
    ).exclude(written_by=user)  # fmt: skip
    matters = []
    oldest_first = texts.select_related("bulletin__agency").defer("text", "correction").order_by("written_at")
    for script in oldest_first[: MOST_MATTERS + 1]:
        is_emergency = script.bulletin.importance == Importance.EMERGENCY
        by = script.written_at + datetime.timedelta(days=0 if is_emergency else 1)
        what = f"{script.bulletin.title} · {script.get_language_display()}"
        url = reverse("bulletin", args=[script.bulletin_id])
        act = _("Listen and approve")
        matters.append(
            Matter(f"script {script.pk}", what, act, url, by, Pile.AGENCY, where=script.bulletin.agency.name)
        )
    return shorten(matters, reverse("bulletins"), texts.count)


def _airings_to_attest(user: User, now: datetime.datetime) -> list[Matter]:
    unattested = Airing.objects.filter(
        rows_at_the_desk(user, KEEPERS, "outlet__agency", Q(outlet__isnull=False)),
        attestation=None, displaced="", due_at__gt=now - datetime.timedelta(days=7), due_at__lte=now,
    ).exclude(outlet__kind=OutletKind.LOUDSPEAKERS)  # fmt: skip
    rows = unattested.order_by().values_list("outlet", "outlet__name").annotate(count=Count("pk"), first=Min("due_at"))
    matters = []
    for outlet, name, count, first in rows.order_by("first", "outlet"):
        what = ngettext("%(count)d airing without a report", "%(count)d airings without a report", count)
        url = f"{reverse('air-log')}?{urlencode({'outlet': outlet, 'week': Week.of(localtime(first).date())})}"
        by = first + datetime.timedelta(days=1)
        key = f"air {outlet} {first}"
        act = _("Record what was aired")
        matters.append(Matter(key, what % {"count": count}, act, url, by, Pile.AGENCY, where=name))
    return shorten(matters, reverse("air-log"))


def search(user: User, words: str) -> list[Hit]:
    """Bulletins by title; anyone who is signed in may read them."""
    if not grants_for(user, ROLES):
        return []
    bulletins = Bulletin.objects.select_related("agency")[:2000]
    matches = [bulletin for bulletin in bulletins if holds(bulletin.title, words)]
    return [
        Hit(_("Bulletin"), bulletin.title, reverse("bulletin", args=[bulletin.pk]), bulletin.agency.name)
        for bulletin in matches[:MOST_HITS]
    ]
