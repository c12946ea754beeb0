# SPDX-License-Identifier: Apache-2.0
"""The page of a draft's files, and every stored file by its token, for its parties alone."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.objects import Whose, touches
from bluezone.rollout.directives import permissions, sentences
from bluezone.rollout.directives.duty import DIRECTIVE_CLERKS
from bluezone.rollout.directives.files import SHOWN_INLINE
from bluezone.rollout.directives.forms import AttachmentForm
from bluezone.rollout.directives.issuance import attachments
from bluezone.rollout.directives.models import Directive
from bluezone.training import practised


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(DIRECTIVE_CLERKS)
@touches(Whose.AGENCY)
def files(request: OfficeRequest, pk: int) -> HttpResponse:
    """Files of a draft; add one: 302 stored, 422 with a sentence."""
    directive = get_object_or_404(Directive.objects.select_related("issuer__unit", "original"), pk=pk)
    permissions.require_clerk(request.user, directive.issuer)
    form = AttachmentForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        with acts.show_refusals(form, sentences.sentence_of, at="file"):
            attachments.add(directive, file.read(), file.name or "")
            messages.success(request, _("The file is kept with the draft."))
            return redirect("directive-attachments", pk)
    context = {"directive": directive, "form": form, "attachments": list(directive.attachments.order_by("pk"))}
    return render(request, "directives/files_change.html", context, status=422 if form.errors else 200)


@practised
@require_POST
@audience(DIRECTIVE_CLERKS)
@touches(Whose.AGENCY)
def take_away(request: OfficeRequest, pk: int) -> HttpResponse:
    """Delete a file of a draft: 302."""
    directive = get_object_or_404(Directive.objects.select_related("issuer__unit"), pk=pk)
    permissions.require_clerk(request.user, directive.issuer)
    with acts.tell_refusals(request, sentences.sentence_of):
        attachments.take_away(directive, request.POST.get("token", ""))
        messages.success(request, _("The file is deleted."))
    return redirect("directive-attachments", pk)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Whose.AGENCY.by(*permissions.READERS))
def stored_file(request: OfficeRequest, token: str) -> HttpResponse:
    """A stored file with the type its content has; only pictures open in the browser. 404 for whoever is no party."""
    file = attachments.file_for(request.user, token)
    if file is None:
        raise Http404("no such file for this account")
    response = HttpResponse(bytes(file.content), content_type=file.content_type)
    inline = file.content_type in SHOWN_INLINE
    response.headers["Content-Disposition"] = content_disposition_header(not inline, file.name) or "attachment"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
