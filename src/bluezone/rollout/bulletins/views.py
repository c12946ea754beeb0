# SPDX-License-Identifier: Apache-2.0
"""Pages of bulletins: list and show them; write, record, listen to and approve their texts; withdraw a bulletin."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.directory.models import Agency
from bluezone.directory.queries import day_to_show
from bluezone.directory.scopes import agencies_in_reach, has_role, reaches_beyond_a_ward
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import EDITORS, SIGNED_IN
from bluezone.identity.factors.second_factors import releases
from bluezone.identity.models import Role, User
from bluezone.identity.objects import Ownership, touches
from bluezone.messaging.present_city import present_city
from bluezone.paper.phrases import facts
from bluezone.refusal import Refused
from bluezone.rollout.bulletins import permissions, sentences
from bluezone.rollout.bulletins.duty import BULLETIN_APPROVERS
from bluezone.rollout.bulletins.forms import BulletinForm, ReasonForm, RecordingForm, WrittenForm
from bluezone.rollout.bulletins.models import (
    MACHINE_LANGUAGES,
    Bulletin,
    Importance,
    Language,
    Script,
    Sound,
)
from bluezone.rollout.bulletins.texts import approval, pronunciation, scripts
from bluezone.training import practised

A_PAGE = 30


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def bulletin_list(request: OfficeRequest) -> HttpResponse:
    """Every bulletin, newest first, with the newest version of each language."""
    bulletins = Bulletin.objects.select_related("agency").prefetch_related("scripts")
    page = Paginator(bulletins, A_PAGE).get_page(request.GET.get("page"))
    rows = [(bulletin, _newest_versions(bulletin)) for bulletin in page.object_list]
    context = {
        "page": page,
        "rows": rows,
        "writes": permissions.may_write_for(request),
        "sets_words": _may_set_words(request),
    }
    return render(request, "bulletins/list.html", context)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(EDITORS)
@touches(Ownership.CREATED)
def new_bulletin(request: OfficeRequest) -> HttpResponse:
    """Write a bulletin: 302 to its page, 422 bad form."""
    current_agencies = Agency.objects.valid_on(day_to_show(Agency, timezone.localdate()))
    own_agencies = agencies_in_reach(request.user, [Role.EDITOR]).filter(pk__in=current_agencies)
    form = BulletinForm(
        request.POST or None, agencies=own_agencies, stations=present_city().relay_stations,
        initial={"importance": Importance.NORMAL},
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        texts = {"vi": values["text_vi"], "en": values["text_en"]}
        relay = ("", 0)
        if values.get("relay"):
            relay = (values["relay"], values["relay_minutes"])
        bulletin = scripts.create_bulletin(
            request.user, values["agency"], values["title"], values["importance"], texts, timezone.now(), relay
        )
        messages.success(request, _("The bulletin has been stored. Listen to it; someone else has to approve it."))
        return redirect("bulletin", bulletin.pk)
    return render(request, "bulletins/new.html", {"form": form}, status=422 if form.errors else 200)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def show_bulletin(request: OfficeRequest, pk: int) -> HttpResponse:
    """One bulletin: the newest and the approved version of each language, the schedules and the files."""
    bulletin = get_object_or_404(Bulletin.objects.select_related("agency__unit", "made_by"), pk=pk)
    writes = permissions.may_write_for(request, bulletin.agency)
    approves = has_role(request.user, permissions.APPROVERS, agency=bulletin.agency)
    languages = _languages_of(bulletin, request.user)
    context = {
        "bulletin": bulletin,
        "languages": languages,
        "writes": writes,
        "sets_words": _may_set_words(request),
        "hears": writes or approves,
        "approves": approves,
        "schedules": bulletin.schedules.prefetch_related("outlets").order_by("-pk"),
        "is_ready": any(language["approved"] for language in languages) and not bulletin.withdrawn_at,
        "public_address": facts("vi").address,
        "is_emergency": bulletin.importance == Importance.EMERGENCY,
    }
    return render(request, "bulletins/bulletin.html", context)


def _languages_of(bulletin: Bulletin, reader: User) -> list[dict[str, Any]]:
    """The languages of a bulletin in the order of Language, each with its versions.

    heard: whether the reader has listened to the newest version. reads_otherwise: whether the machine would read it
    differently now.
    """
    stored = bulletin.scripts.select_related("machine", "recording", "written_by", "approved_by")
    versions_by_language: dict[str, list[Script]] = {}
    for version in stored.defer("machine__content", "recording__content").order_by("-number"):
        versions_by_language.setdefault(version.language, []).append(version)
    languages = []
    for language in Language:
        versions = versions_by_language.get(language)
        if not versions:
            continue
        newest = versions[0]
        languages.append(
            {
                "language": language,
                "newest": newest,
                "older": versions[1:],
                "approved": next((version for version in versions if version.approved_at), None),
                "heard": approval.has_heard(newest, reader),
                "is_author": newest.written_by_id == reader.pk,
                "reads_otherwise": _is_pronounced_differently_now(newest),
            }
        )
    return languages


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(EDITORS)
@touches(Ownership.AGENCY)
def write_text(request: OfficeRequest, pk: int) -> HttpResponse:
    """Write the next version of a text: 302 to the bulletin.

    409 withdrawn or written meanwhile, 422 bad form, 403 the bulletin of another agency.
    """
    bulletin = permissions.own_bulletin(request, pk)
    newest = {script.language: script for script in _newest_versions(bulletin)}
    form = WrittenForm(request.POST or None, initial=_initial_text(request, bulletin), before=newest, bulletin=bulletin)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        with acts.refusals_as_form_errors(form, sentences.sentence_of, conflict=True):
            language = values["language"]
            correction = values["said"]
            scripts.add_machine_version(bulletin, language, values["text"], request.user, timezone.now(), correction)
            if language not in MACHINE_LANGUAGES:
                messages.info(request, _("No machine speaks this language. Add a person’s recording."))
            messages.success(
                request, _("The new version has been stored. It is aired once someone else has approved it.")
            )
            return redirect("bulletin", pk)
    context = {"bulletin": bulletin, "form": form, "records": False}
    return render(request, "bulletins/write.html", context, status=acts.form_status(form))


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(EDITORS)
@touches(Ownership.AGENCY)
def record_text(request: OfficeRequest, pk: int) -> HttpResponse:
    """Add a person's recording of a text: 302 to the bulletin.

    409 withdrawn, 422 the recording cannot be aired, 403 the bulletin of another agency.
    """
    bulletin = permissions.own_bulletin(request, pk)
    form = RecordingForm(request.POST or None, request.FILES or None, initial=_initial_text(request, bulletin))
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        data = values["file"].read()
        with acts.refusals_as_form_errors(form, sentences.sentence_of, field="file"):
            scripts.add_recorded_version(
                bulletin, values["language"], values["text"], data, request.user, timezone.now()
            )
            messages.success(
                request, _("The recording has been stored. It is aired once someone else has approved it.")
            )
            return redirect("bulletin", pk)
    context = {"bulletin": bulletin, "form": form, "records": True}
    return render(request, "bulletins/write.html", context, status=422 if form.errors else 200)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(EDITORS)
@touches(Ownership.AGENCY)
def withdraw_bulletin(request: OfficeRequest, pk: int) -> HttpResponse:
    """Ask for the reason and withdraw the bulletin: 302 to the bulletin, 403 that of another agency."""
    bulletin = permissions.own_bulletin(request, pk)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        scripts.withdraw_bulletin(bulletin, form.cleaned_data["reason"], request.user, timezone.now())
        messages.success(request, _("The bulletin has been withdrawn and is no longer aired. The log stays."))
        return redirect("bulletin", pk)
    status = 422 if form.errors else 200
    return render(request, "bulletins/withdraw.html", {"bulletin": bulletin, "form": form}, status=status)


def _is_pronounced_differently_now(script: Script) -> bool:
    """Whether the machine would read a version differently now than when it was written."""
    if script.correction or script.recording or not script.reading:
        return False
    return script.reading != pronunciation.read_aloud_form(script.text, script.language)


def _may_set_words(request: OfficeRequest) -> bool:
    """Whether the reader may set how the machine pronounces a word in every bulletin of the city."""
    return reaches_beyond_a_ward(request.user, EDITORS.roles)


def _initial_text(request: OfficeRequest, bulletin: Bulletin) -> dict[str, str]:
    language = request.GET.get("language", "")
    if language not in Language.values:
        return {}
    newest = bulletin.scripts.filter(language=language).order_by("-number").first()
    if newest is None:
        return {"language": language}
    correction = newest.correction
    if "said" in request.GET:
        # The link "Correct the reading" opens the form with the present reading.
        correction = newest.spoken_text
    return {"language": language, "text": newest.text, "said": correction}


def _newest_versions(bulletin: Bulletin) -> list[Script]:
    """The newest version of each language, from the prefetched scripts."""
    newest: dict[str, Script] = {}
    for script in sorted(bulletin.scripts.all(), key=lambda script: script.number):
        newest[script.language] = script
    return list(newest.values())


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.AGENCY.for_roles(*permissions.APPROVERS, *permissions.WRITERS))
def script_sound(request: OfficeRequest, pk: int) -> HttpResponse:
    """The MP3 of a version, for those who write or approve for its agency: 403 for others, 404 without a sound."""
    script = permissions.script_to_approve(request, pk)
    if script.sound is None:
        raise Http404
    content = Sound.objects.values_list("content", flat=True).get(pk=script.sound.pk)
    response = HttpResponse(bytes(content), content_type="audio/mpeg")
    response.headers["Cache-Control"] = "private, no-store"
    return response


@practised
@require_POST
@audience(BULLETIN_APPROVERS)
@touches(Ownership.AGENCY)
def store_listening(request: OfficeRequest, pk: int) -> HttpResponse:
    """Store that the sound has started, or with `stage=heard` that it has ended.

    200; 409 with a sentence if the sound cannot have played to its end, or if there is none.
    """
    script = permissions.script_to_approve(request, pk)
    try:
        if request.POST.get("stage") == "heard":
            approval.end_listening(script, request.user, timezone.now())
        else:
            approval.begin_listening(script, request.user, timezone.now())
    except Refused as refused:
        return JsonResponse({"said": sentences.sentence_of(refused)}, status=409)
    return JsonResponse({"said": _("You have listened to the end.")})


@practised
@require_POST
@audience(BULLETIN_APPROVERS)
@touches(Ownership.AGENCY)
@releases
def approve_script(request: OfficeRequest, pk: int) -> HttpResponse:
    """Approve a version: 302 to its bulletin, with a sentence if it was refused; 403 that of another agency."""
    script = permissions.script_to_approve(request, pk)
    with acts.refusals_as_messages(request, sentences.sentence_of):
        approval.approve_script(script, request.user, timezone.now())
        messages.success(request, _("Approved: from now on this version is aired wherever the bulletin is planned."))
    return redirect("bulletin", script.bulletin_id)
