# SPDX-License-Identifier: Apache-2.0
"""The news desk in the office: write, see as readers will, publish, correct, withdraw.

Nothing here is done in training mode: what is published is public.
"""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import EDITORS
from bluezone.identity.objects import Whose, touches
from bluezone.portal.forms import NewsForm, NoteForm
from bluezone.portal.models import NewsItem, NewsState
from bluezone.portal.news import publication, queries
from bluezone.refusal import Refused

ON_A_PAGE = 30


@require_safe
@audience(EDITORS)
def desk(request: OfficeRequest) -> HttpResponse:
    """Every item, the newest first."""
    page = Paginator(NewsItem.objects.select_related("written_by"), ON_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "portal/desk.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
@audience(EDITORS)
@touches(Whose.EVERYBODYS)
def edit(request: OfficeRequest, pk: int | None = None) -> HttpResponse:
    """Write a new item or work on one: 302 to its preview, 422 what to correct, 409 withdrawn meanwhile."""
    item = get_object_or_404(NewsItem, pk=pk) if pk else None
    form = NewsForm(request.POST or None, instance=item)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            try:
                kept = publication.write(publication.Texts(**form.cleaned_data), request.user, timezone.now(), item)
            except publication.NewsWithdrawn:
                return _refused(request, item, _("This news was withdrawn. Write a new item."))
            return redirect("news-preview", kept.pk)
        status = 422
    return render(request, "portal/edit.html", {"form": form, "item": item}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(EDITORS)
@touches(Whose.EVERYBODYS)
def preview(request: OfficeRequest, pk: int) -> HttpResponse:
    """The text at work in both languages; publishing it: 302, 422 without a note where one is needed, 409 refused."""
    item = get_object_or_404(NewsItem, pk=pk)
    before = publication.current(item)
    form = NoteForm(request.POST or None, prefix="note") if before else None
    if request.method == "POST" and (form is None or form.is_valid()):
        note = form.cleaned_data["note"] if form else ""
        try:
            publication.publish(item, request.user, timezone.now(), note)
        except publication.NewsUnchanged:
            return _refused(request, item, _("Readers see this text already."))
        except Refused:
            return _refused(request, item, _("This news was withdrawn. Write a new item."))
        messages.success(request, _("Published. Readers see it within a minute."))
        return redirect("news-desk")
    readings = [("vi", queries.at_work(item, "vi"))]
    if item.title_en:
        readings.append(("en", queries.at_work(item, "en")))
    context: dict[str, Any] = {"item": item, "readings": readings, "form": form, "before": before}
    return render(request, "portal/preview.html", context, status=422 if form and form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(EDITORS)
@touches(Whose.EVERYBODYS)
def withdraw(request: OfficeRequest, pk: int) -> HttpResponse:
    """Ask why, then take the item from the readers: 302, 422 without a reason, 409 a draft or withdrawn before."""
    item = get_object_or_404(NewsItem, pk=pk)
    form = NoteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            publication.withdraw(item, form.cleaned_data["note"], request.user, timezone.now())
        except Refused:
            return _refused(request, item, _("Only published news can be withdrawn, and once."))
        messages.success(request, _("Withdrawn. Whoever opens its address reads why."))
        return redirect("news-desk")
    context = {"item": item, "form": form, "out": item.state == NewsState.PUBLISHED}
    return render(request, "portal/withdraw.html", context, status=422 if form.errors else 200)


def _refused(request: HttpRequest, item: NewsItem | None, words: str) -> HttpResponse:
    return render(request, "portal/refused.html", {"item": item, "words": words}, status=409)
