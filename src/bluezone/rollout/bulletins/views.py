# SPDX-License-Identifier: Apache-2.0
"""Pages of bulletins: the list, one bulletin with its versions and sound; write, record, listen, approve, withdraw."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.directory.models import Agency
from bluezone.directory.queries import day_to_show
from bluezone.directory.scopes import agencies_in_reach, has_role, reaches_beyond_a_ward, require_more_than_a_ward
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import EDITORS, SIGNED_IN
from bluezone.identity.factors.second_factors import releases
from bluezone.identity.models import Role
from bluezone.identity.objects import Ownership, touches
from bluezone.messaging.present_city import present_city
from bluezone.paper.phrases import facts
from bluezone.refusal import Refused
from bluezone.rollout.bulletins import scope
from bluezone.rollout.bulletins import scripts as bulletins_scripts
from bluezone.rollout.bulletins.duty import BULLETIN_APPROVERS
from bluezone.rollout.bulletins.forms import BulletinForm, ReasonForm, RecordingForm, SpokenWordForm, WrittenForm
from bluezone.rollout.bulletins.models import (
    MACHINE_LANGUAGES,
    Bulletin,
    Importance,
    Language,
    Script,
    Sound,
    SpokenWord,
)
from bluezone.speech.voice import can_speak, spoken_mp3
from bluezone.training import practised

A_PAGE = 30
# Characters of a trial of the voice; a sentence or two.
MOST_TRIAL_CHARACTERS = 400


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def bulletin_list(request: OfficeRequest) -> HttpResponse:
    """Every bulletin, newest first, with the newest version of each language."""
    bulletins = Bulletin.objects.select_related("agency").prefetch_related("scripts")
    page = Paginator(bulletins, A_PAGE).get_page(request.GET.get("page"))
    rows = [(bulletin, _newest(bulletin)) for bulletin in page.object_list]
    context = {"page": page, "rows": rows, "writes": scope.may_write_for(request), "sets_words": _sets_words(request)}
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
        relay = (values["relay"], values["relay_minutes"]) if values.get("relay") else ("", 0)
        bulletin = bulletins_scripts.enter_bulletin(
            request.user, values["agency"], values["title"], values["importance"], texts, timezone.now(), relay
        )
        messages.success(request, _("The bulletin has been stored. Listen to it; someone else has to approve it."))
        return redirect("bulletin", bulletin.pk)
    return render(request, "bulletins/new.html", {"form": form}, status=422 if form.errors else 200)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def bulletin(request: OfficeRequest, pk: int) -> HttpResponse:
    """One bulletin: each language with its newest and its approved version, its schedules, its files."""
    bulletin = get_object_or_404(Bulletin.objects.select_related("agency__unit", "made_by"), pk=pk)
    scripts = bulletin.scripts.select_related("machine", "recording", "written_by", "approved_by")
    scripts = scripts.defer("machine__content", "recording__content").order_by("language", "-number")
    writes = scope.may_write_for(request, bulletin.agency)
    hears = writes or has_role(request.user, scope.APPROVERS, agency=bulletin.agency)
    versions_by_language: dict[str, list[Script]] = {}
    for script in scripts:
        versions_by_language.setdefault(script.language, []).append(script)
    languages = [
        {
            "language": Language(language),
            "newest": versions[0],
            "older": versions[1:],
            "approved": next((version for version in versions if version.approved_at), None),
            "heard": bulletins_scripts.has_heard(versions[0], request.user),
            "is_author": versions[0].written_by_id == request.user.pk,
            "reads_otherwise": _is_pronounced_differently_now(versions[0]),
        }
        for language, versions in sorted(versions_by_language.items(), key=lambda pair: Language.values.index(pair[0]))
    ]
    context = {
        "bulletin": bulletin,
        "languages": languages,
        "writes": writes,
        "sets_words": _sets_words(request),
        "hears": hears,
        "approves": has_role(request.user, scope.APPROVERS, agency=bulletin.agency),
        "schedules": bulletin.schedules.prefetch_related("outlets").order_by("-pk"),
        "is_ready": any(language["approved"] for language in languages) and not bulletin.withdrawn_at,
        "public_address": facts("vi").address,
        "is_emergency": bulletin.importance == Importance.EMERGENCY,
    }
    return render(request, "bulletins/bulletin.html", context)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(EDITORS)
@touches(Ownership.AGENCY)
def write_text(request: OfficeRequest, pk: int) -> HttpResponse:
    """Write the next version of a text: 302 to the bulletin.

    409 withdrawn or written meanwhile, 422 bad form; 403 another agency's.
    """
    bulletin = scope.own_bulletin(request, pk)
    newest = {script.language: script for script in _newest(bulletin)}
    form = WrittenForm(request.POST or None, initial=_initial(request, bulletin), before=newest, bulletin=bulletin)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        with acts.refusals_as_form_errors(form, scope.sentence_of, conflict=True):
            language = values["language"]
            correction = values["said"]
            bulletins_scripts.write_version(
                bulletin, language, values["text"], request.user, timezone.now(), correction
            )
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
def record(request: OfficeRequest, pk: int) -> HttpResponse:
    """Add a person's recording: 302 to the bulletin, 409 withdrawn, 422 it cannot be aired; 403 another agency's."""
    bulletin = scope.own_bulletin(request, pk)
    form = RecordingForm(request.POST or None, request.FILES or None, initial=_initial(request, bulletin))
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        data = values["file"].read()
        with acts.refusals_as_form_errors(form, scope.sentence_of, field="file"):
            bulletins_scripts.record_version(
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
def withdraw(request: OfficeRequest, pk: int) -> HttpResponse:
    """Ask why, then withdraw: 302 to the bulletin; 403 another agency's."""
    bulletin = scope.own_bulletin(request, pk)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        bulletins_scripts.withdraw_bulletin(bulletin, form.cleaned_data["reason"], request.user, timezone.now())
        messages.success(request, _("The bulletin has been withdrawn and is no longer aired. The log stays."))
        return redirect("bulletin", pk)
    status = 422 if form.errors else 200
    return render(request, "bulletins/withdraw.html", {"bulletin": bulletin, "form": form}, status=status)


def _is_pronounced_differently_now(script: Script) -> bool:
    """Whether the machine would read a version differently now than when it was written."""
    if script.correction or script.recording or not script.reading:
        return False
    return script.reading != bulletins_scripts.read_aloud_form(script.text, script.language)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(EDITORS)
@touches(Ownership.WIDE)
def spoken_words(request: OfficeRequest) -> HttpResponse:
    """How the machine pronounces the city's own words. GET with `?text=` tries a text; POST sets a word.

    302 set, 409 set meanwhile, 422 bad form; 403 for an editor of one ward: the words apply to the whole city.
    """
    require_more_than_a_ward(request.user, EDITORS.roles)
    if request.method == "POST":
        try:
            form = _set_word(request)
        except IntegrityError:
            # Another request has just stored the same new word; now the form can show it.
            form = _set_word(request)
        if form is None:
            return redirect("spoken-words")
    else:
        form = SpokenWordForm(words=bulletins_scripts.city_words(), initial={"written": request.GET.get("written", "")})
    tried = request.GET.get("text", "")[:MOST_TRIAL_CHARACTERS]
    context = {
        "form": form,
        "words": SpokenWord.objects.select_related("set_by"),
        "tried": tried,
        "read": bulletins_scripts.read_aloud_form(tried, Language.VI),
        "can_speak": can_speak(),
        "most": MOST_TRIAL_CHARACTERS,
    }
    return render(request, "bulletins/words.html", context, status=acts.form_status(form))


def _set_word(request: OfficeRequest) -> SpokenWordForm | None:
    """Set a word. Returns None, or the form if it has to be shown again."""
    with transaction.atomic():
        # If two people set a word at the same time, the second sees what the first has stored.
        existing = bulletins_scripts.lock_word(request.POST.get("written", ""))
        form = SpokenWordForm(request.POST, instance=existing, words=bulletins_scripts.city_words())
        if not form.is_valid():
            return form
        written = form.cleaned_data["written"]
        pronunciation = form.cleaned_data["said"]
        word = bulletins_scripts.set_word(written, pronunciation, request.user, timezone.now(), existing)
    messages.success(request, _("Stored: “%(written)s” is spoken this way in everything written from now on.")
                     % {"written": word.written})  # fmt: skip
    return None


@require_safe
@audience(EDITORS)
@touches(Ownership.EVERYBODY)
def spoken_words_sound(request: OfficeRequest) -> HttpResponse:
    """A text of the query as MP3, read as in a bulletin: 200, 404 no text, 503 with the reason why no voice works."""
    spoken_text = bulletins_scripts.read_aloud_form(request.GET.get("said", "")[:MOST_TRIAL_CHARACTERS], Language.VI)
    if not spoken_text:
        raise Http404
    try:
        content = spoken_mp3(spoken_text, "vi")
    except Refused as refused:
        return HttpResponse(scope.sentence_of(refused), content_type="text/plain; charset=utf-8", status=503)
    response = HttpResponse(content, content_type="audio/mpeg")
    response.headers["Cache-Control"] = "private, no-store"
    return response


@require_POST
@audience(EDITORS)
@touches(Ownership.WIDE)
def remove_spoken_word(request: OfficeRequest, pk: int) -> HttpResponse:
    """Remove one of the city's words: 302 to the others, also if it was removed meanwhile."""
    require_more_than_a_ward(request.user, EDITORS.roles)
    word = SpokenWord.objects.filter(pk=pk).first()
    if word is not None:
        bulletins_scripts.remove_word(word, request.user, timezone.now())
    messages.success(request, _("Removed: the machine reads the word by its own rules again."))
    return redirect("spoken-words")


def _sets_words(request: OfficeRequest) -> bool:
    """Whether the reader may set how the machine pronounces a word in every bulletin of the city."""
    return reaches_beyond_a_ward(request.user, EDITORS.roles)


def _initial(request: OfficeRequest, bulletin: Bulletin) -> dict[str, str]:
    language = request.GET.get("language", "")
    if language not in Language.values:
        return {}
    newest = bulletin.scripts.filter(language=language).order_by("-number").first()
    if newest is None:
        return {"language": language}
    # The link "Correct the reading" opens the form with the present reading.
    correction = newest.spoken_text if "said" in request.GET else newest.correction
    return {"language": language, "text": newest.text, "said": correction}


def _newest(bulletin: Bulletin) -> list[Script]:
    """The newest version of each language, from the prefetched scripts."""
    newest: dict[str, Script] = {}
    for script in sorted(bulletin.scripts.all(), key=lambda script: script.number):
        newest[script.language] = script
    return list(newest.values())


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.AGENCY.for_roles(*scope.APPROVERS, *scope.WRITERS))
def sound(request: OfficeRequest, pk: int) -> HttpResponse:
    """The MP3 of a version, for those who write or approve for its agency; 403 others, 404 without sound."""
    script = scope.script_to_approve(request, pk)
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
def listening(request: OfficeRequest, pk: int) -> HttpResponse:
    """Note that playing has started, or with `stage=heard` ended: 200; 409 with a sentence if parts were skipped."""
    script = scope.script_to_approve(request, pk)
    try:
        if request.POST.get("stage") == "heard":
            bulletins_scripts.end_listening(script, request.user, timezone.now())
        else:
            bulletins_scripts.begin_listening(script, request.user, timezone.now())
    except Refused as refused:
        return JsonResponse({"said": scope.sentence_of(refused)}, status=409)
    return JsonResponse({"said": _("You have listened to the end.")})


@practised
@require_POST
@audience(BULLETIN_APPROVERS)
@touches(Ownership.AGENCY)
@releases
def approve(request: OfficeRequest, pk: int) -> HttpResponse:
    """Approve a version: 302 to its bulletin, with the sentence if it was refused; 403 another agency's."""
    script = scope.script_to_approve(request, pk)
    with acts.refusals_as_messages(request, scope.sentence_of):
        bulletins_scripts.approve_version(script, request.user, timezone.now())
        messages.success(request, _("Approved: from now on this version is aired wherever the bulletin is planned."))
    return redirect("bulletin", script.bulletin_id)
