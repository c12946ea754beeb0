# SPDX-License-Identifier: Apache-2.0
"""Pages of bulletins: the list, one bulletin with its versions and sound, writing, recording, listening and approving,
withdrawing.
"""

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
from bluezone.directory.scopes import agencies_of, may, reaches_beyond_a_ward, require_more_than_a_ward
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import EDITORS, SIGNED_IN
from bluezone.identity.models import Role
from bluezone.identity.objects import Whose, touches
from bluezone.identity.second_factors import releases
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
# What is tried by ear at once; a sentence or two.
MOST_TRIED = 400


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
def bulletin_list(request: OfficeRequest) -> HttpResponse:
    """Every bulletin, newest first, with how many of its texts wait for approval."""
    found = Bulletin.objects.select_related("agency").prefetch_related("scripts")
    page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    rows = [(one, _newest(one)) for one in page.object_list]
    context = {"page": page, "rows": rows, "writes": scope.writes_for(request), "sets_words": _sets_words(request)}
    return render(request, "bulletins/list.html", context)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(EDITORS)
@touches(Whose.GIVEN)
def new_bulletin(request: OfficeRequest) -> HttpResponse:
    """Write a bulletin: 302 to its page, 422 bad form."""
    in_force = Agency.objects.in_force(day_to_show(Agency, timezone.localdate()))
    reached = agencies_of(request.user, [Role.EDITOR]).filter(pk__in=in_force)
    form = BulletinForm(
        request.POST or None, agencies=reached, stations=present_city().relay_stations,
        initial={"importance": Importance.NORMAL},
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        texts = {"vi": values["text_vi"], "en": values["text_en"]}
        made = bulletins_scripts.new_bulletin(
            request.user, values["agency"], values["title"], values["importance"], texts, timezone.now(),
            (values["relay"], values["relay_minutes"]) if values.get("relay") else ("", 0),
        )  # fmt: skip
        messages.success(request, _("The bulletin is stored. Listen to it; somebody else approves it."))
        return redirect("bulletin", made.pk)
    return render(request, "bulletins/new.html", {"form": form}, status=422 if form.errors else 200)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
def bulletin(request: OfficeRequest, pk: int) -> HttpResponse:
    """One bulletin: each language with its newest and its approved version, its schedules, its files."""
    found = get_object_or_404(Bulletin.objects.select_related("agency__unit", "made_by"), pk=pk)
    scripts = found.scripts.select_related("machine", "recording", "written_by", "approved_by")
    scripts = scripts.defer("machine__content", "recording__content").order_by("language", "-number")
    writes = scope.writes_for(request, found.agency)
    hears = writes or may(request.user, scope.APPROVERS, agency=found.agency)
    languages: dict[str, list[Script]] = {}
    for script in scripts:
        languages.setdefault(script.language, []).append(script)
    shown = [
        {
            "language": Language(language),
            "newest": versions[0],
            "older": versions[1:],
            "approved": next((one for one in versions if one.approved_at), None),
            "heard": bulletins_scripts.has_heard(versions[0], request.user),
            "is_author": versions[0].written_by_id == request.user.pk,
            "reads_otherwise": _reads_otherwise(versions[0]),
        }
        for language, versions in sorted(languages.items(), key=lambda pair: Language.values.index(pair[0]))
    ]
    context = {
        "bulletin": found,
        "languages": shown,
        "writes": writes,
        "sets_words": _sets_words(request),
        "hears": hears,
        "approves": may(request.user, scope.APPROVERS, agency=found.agency),
        "schedules": found.schedules.prefetch_related("outlets").order_by("-pk"),
        "is_ready": any(one["approved"] for one in shown) and not found.withdrawn_at,
        "public_address": facts("vi").address,
        "is_emergency": found.importance == Importance.EMERGENCY,
    }
    return render(request, "bulletins/bulletin.html", context)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(EDITORS)
@touches(Whose.AGENCY)
def write_text(request: OfficeRequest, pk: int) -> HttpResponse:
    """Write the next version of a text: 302 to the bulletin, 409 withdrawn or written meanwhile, 422 bad form; 403
    another agency's.
    """
    found = scope.bulletin_of_ours(request, pk)
    before = {script.language: script for script in _newest(found)}
    form = WrittenForm(request.POST or None, initial=_initial(request, found), before=before, bulletin=found)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        with acts.show_refusals(form, scope.sentence_of, conflict=True):
            language, text, said = values["language"], values["text"], values["said"]
            bulletins_scripts.write(found, language, text, request.user, timezone.now(), said)
            if values["language"] not in MACHINE_LANGUAGES:
                messages.info(request, _("No machine speaks this language: put in a person’s recording."))
            messages.success(request, _("The new version is stored. It is aired once somebody else has approved it."))
            return redirect("bulletin", pk)
    context = {"bulletin": found, "form": form, "records": False}
    return render(request, "bulletins/write.html", context, status=acts.status_of(form))


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(EDITORS)
@touches(Whose.AGENCY)
def record(request: OfficeRequest, pk: int) -> HttpResponse:
    """Put in a person's recording: 302 to the bulletin, 409 withdrawn, 422 what cannot be aired; 403 another's."""
    found = scope.bulletin_of_ours(request, pk)
    form = RecordingForm(request.POST or None, request.FILES or None, initial=_initial(request, found))
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        data = values["file"].read()
        with acts.show_refusals(form, scope.sentence_of, at="file"):
            bulletins_scripts.record(found, values["language"], values["text"], data, request.user, timezone.now())
            messages.success(request, _("The recording is stored. It is aired once somebody else has approved it."))
            return redirect("bulletin", pk)
    context = {"bulletin": found, "form": form, "records": True}
    return render(request, "bulletins/write.html", context, status=422 if form.errors else 200)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(EDITORS)
@touches(Whose.AGENCY)
def withdraw(request: OfficeRequest, pk: int) -> HttpResponse:
    """Ask why, then withdraw: 302 to the bulletin; 403 another agency's."""
    found = scope.bulletin_of_ours(request, pk)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        bulletins_scripts.withdraw(found, form.cleaned_data["reason"], request.user, timezone.now())
        messages.success(request, _("The bulletin is withdrawn: nothing of it is aired any more. The log stays."))
        return redirect("bulletin", pk)
    status = 422 if form.errors else 200
    return render(request, "bulletins/withdraw.html", {"bulletin": found, "form": form}, status=status)


def _reads_otherwise(script: Script) -> bool:
    """Whether the machine would now read a version otherwise than it did when that was written."""
    if script.said or script.recording or not script.reading:
        return False
    return script.reading != bulletins_scripts.read(script.text, script.language)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(EDITORS)
@touches(Whose.WIDE)
def spoken_words(request: OfficeRequest) -> HttpResponse:
    """How the machine says the city's own words: tried with `?text=`, set by POST: 302, 409 set meanwhile, 422.

    403 for an editor of one ward: every bulletin of the city is read so.
    """
    require_more_than_a_ward(request.user, EDITORS.roles)
    if request.method == "POST":
        try:
            form = _set_word(request)
        except IntegrityError:
            # Somebody else has entered the same new word in this moment; now it is there to be shown.
            form = _set_word(request)
        if form is None:
            return redirect("spoken-words")
    else:
        form = SpokenWordForm(words=bulletins_scripts.words(), initial={"written": request.GET.get("written", "")})
    tried = request.GET.get("text", "")[:MOST_TRIED]
    context = {
        "form": form,
        "words": SpokenWord.objects.select_related("set_by"),
        "tried": tried,
        "read": bulletins_scripts.read(tried, Language.VI),
        "can_speak": can_speak(),
        "most": MOST_TRIED,
    }
    return render(request, "bulletins/words.html", context, status=acts.status_of(form))


def _set_word(request: OfficeRequest) -> SpokenWordForm | None:
    """The form where it is to be shown again, None once the word is set."""
    with transaction.atomic():
        # Of two who set a word in one moment the second sees what the first has stored.
        held = bulletins_scripts.held_word(request.POST.get("written", ""))
        form = SpokenWordForm(request.POST, instance=held, words=bulletins_scripts.words())
        if not form.is_valid():
            return form
        written, said = form.cleaned_data["written"], form.cleaned_data["said"]
        word = bulletins_scripts.set_word(written, said, request.user, timezone.now(), held)
    messages.success(request, _("Stored: “%(written)s” is said so in what is written from now on.")
                     % {"written": word.written})  # fmt: skip
    return None


@require_safe
@audience(EDITORS)
@touches(Whose.EVERYBODYS)
def spoken_words_sound(request: OfficeRequest) -> HttpResponse:
    """The MP3 of `?said=`, read as in a bulletin: 200, 404 nothing to say, 503 with the reason without a voice."""
    said = bulletins_scripts.read(request.GET.get("said", "")[:MOST_TRIED], Language.VI)
    if not said:
        raise Http404
    try:
        content = spoken_mp3(said, "vi")
    except Refused as refused:
        return HttpResponse(scope.sentence_of(refused), content_type="text/plain; charset=utf-8", status=503)
    response = HttpResponse(content, content_type="audio/mpeg")
    response.headers["Cache-Control"] = "private, no-store"
    return response


@require_POST
@audience(EDITORS)
@touches(Whose.WIDE)
def remove_spoken_word(request: OfficeRequest, pk: int) -> HttpResponse:
    """Take a word of the city's back: 302 to the others; also when somebody else has taken it back meanwhile."""
    require_more_than_a_ward(request.user, EDITORS.roles)
    word = SpokenWord.objects.filter(pk=pk).first()
    if word is not None:
        bulletins_scripts.remove_word(word, request.user, timezone.now())
    messages.success(request, _("Taken back: the machine reads the word by its own rules again."))
    return redirect("spoken-words")


def _sets_words(request: OfficeRequest) -> bool:
    """Whether the reader may say how the machine reads a word in every bulletin of the city."""
    return reaches_beyond_a_ward(request.user, EDITORS.roles)


def _initial(request: OfficeRequest, found: Bulletin) -> dict[str, str]:
    language = request.GET.get("language", "")
    if language not in Language.values:
        return {}
    newest = found.scripts.filter(language=language).order_by("-number").first()
    if newest is None:
        return {"language": language}
    # The form opens with the machine's reading where it is to be corrected, or was.
    said = newest.spoken_text if "said" in request.GET else newest.said
    return {"language": language, "text": newest.text, "said": said}


def _newest(found: Bulletin) -> list[Script]:
    """The newest version of each language, from what was prefetched."""
    newest: dict[str, Script] = {}
    for script in sorted(found.scripts.all(), key=lambda one: one.number):
        newest[script.language] = script
    return list(newest.values())


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Whose.AGENCY.by(*scope.APPROVERS, *scope.WRITERS))
def sound(request: OfficeRequest, pk: int) -> HttpResponse:
    """The MP3 of a version, for its author and whoever may approve it; 403 others, 404 without sound."""
    script = scope.script_to_hear(request, pk)
    if script.sound is None:
        raise Http404
    content = Sound.objects.values_list("content", flat=True).get(pk=script.sound.pk)
    response = HttpResponse(bytes(content), content_type="audio/mpeg")
    response.headers["Cache-Control"] = "private, no-store"
    return response


@practised
@require_POST
@audience(BULLETIN_APPROVERS)
@touches(Whose.AGENCY)
def listening(request: OfficeRequest, pk: int) -> HttpResponse:
    """The page says `stage=begun` or `stage=heard`: 200, 409 with a sentence when it was skipped."""
    script = scope.script_to_hear(request, pk)
    act = bulletins_scripts.end_listening if request.POST.get("stage") == "heard" else bulletins_scripts.begin_listening
    try:
        act(script, request.user, timezone.now())
    except Refused as refused:
        return JsonResponse({"said": scope.sentence_of(refused)}, status=409)
    return JsonResponse({"said": _("Heard to the end.")})


@practised
@require_POST
@audience(BULLETIN_APPROVERS)
@touches(Whose.AGENCY)
@releases
def approve(request: OfficeRequest, pk: int) -> HttpResponse:
    """Approve a version that was heard: 302 to its bulletin, with the reason when it was not; 403 another agency's."""
    script = scope.script_to_hear(request, pk)
    with acts.tell_refusals(request, scope.sentence_of):
        bulletins_scripts.approve(script, request.user, timezone.now())
        messages.success(request, _("Approved: from now on this version is what is aired, wherever it is planned."))
    return redirect("bulletin", script.bulletin_id)
