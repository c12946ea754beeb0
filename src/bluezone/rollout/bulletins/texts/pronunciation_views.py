# SPDX-License-Identifier: Apache-2.0
"""The page of the city's own words: how the machine pronounces them, with a trial of the voice."""

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.directory.scopes import require_more_than_a_ward
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import EDITORS
from bluezone.identity.objects import Ownership, touches
from bluezone.refusal import Refused
from bluezone.rollout.bulletins import sentences
from bluezone.rollout.bulletins.forms import SpokenWordForm
from bluezone.rollout.bulletins.models import (
    Language,
    SpokenWord,
)
from bluezone.rollout.bulletins.texts import pronunciation
from bluezone.speech.voice import can_speak, spoken_mp3

# Characters of a trial of the voice; a sentence or two.
MOST_TRIAL_CHARACTERS = 400


@require_http_methods(["GET", "HEAD", "POST"])
@audience(EDITORS)
@touches(Ownership.WIDE)
def spoken_word_list(request: OfficeRequest) -> HttpResponse:
    """How the machine pronounces the city's own words. GET with `?text=` shows how it reads a text; POST sets a word.

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
        form = SpokenWordForm(words=pronunciation.city_words(), initial={"written": request.GET.get("written", "")})
    tried = request.GET.get("text", "")[:MOST_TRIAL_CHARACTERS]
    context = {
        "form": form,
        "words": SpokenWord.objects.select_related("set_by"),
        "tried": tried,
        "read": pronunciation.read_aloud_form(tried, Language.VI),
        "can_speak": can_speak(),
        "most": MOST_TRIAL_CHARACTERS,
    }
    return render(request, "bulletins/words.html", context, status=acts.form_status(form))


def _set_word(request: OfficeRequest) -> SpokenWordForm | None:
    """Set a word. Returns None, or the form if it has to be shown again."""
    with transaction.atomic():
        # With the lock, a second person who sets the same word sees what the first has stored.
        existing = pronunciation.lock_word(request.POST.get("written", ""))
        form = SpokenWordForm(request.POST, instance=existing, words=pronunciation.city_words())
        if not form.is_valid():
            return form
        written = form.cleaned_data["written"]
        reading = form.cleaned_data["said"]
        word = pronunciation.set_word(written, reading, request.user, timezone.now(), existing)
    messages.success(request, _("Stored: “%(written)s” is spoken this way in everything written from now on.")
                     % {"written": word.written})  # fmt: skip
    return None


@require_safe
@audience(EDITORS)
@touches(Ownership.EVERYBODY)
def try_pronunciation(request: OfficeRequest) -> HttpResponse:
    """The text in the query as MP3, spoken as in a bulletin: 404 no text, 503 with the reason if no voice works."""
    spoken_text = pronunciation.read_aloud_form(request.GET.get("said", "")[:MOST_TRIAL_CHARACTERS], Language.VI)
    if not spoken_text:
        raise Http404
    try:
        content = spoken_mp3(spoken_text, "vi")
    except Refused as refused:
        return HttpResponse(sentences.sentence_of(refused), content_type="text/plain; charset=utf-8", status=503)
    response = HttpResponse(content, content_type="audio/mpeg")
    response.headers["Cache-Control"] = "private, no-store"
    return response


@require_POST
@audience(EDITORS)
@touches(Ownership.WIDE)
def remove_spoken_word(request: OfficeRequest, pk: int) -> HttpResponse:
    """Remove one of the city's words: 302 to the page of words, even if the word was removed meanwhile."""
    require_more_than_a_ward(request.user, EDITORS.roles)
    word = SpokenWord.objects.filter(pk=pk).first()
    if word is not None:
        pronunciation.remove_word(word, request.user, timezone.now())
    messages.success(request, _("Removed: the machine reads the word by its own rules again."))
    return redirect("spoken-words")
