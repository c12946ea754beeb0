# SPDX-License-Identifier: Apache-2.0
"""Pages on which a person chooses how to be notified, and their browsers."""

from importlib.resources import files
from typing import ClassVar

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.desk.models import Choice, PushBrowser
from bluezone.desk.phone_views import phone_of
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import ACCOUNT_HOLDERS, EVERYONE
from bluezone.identity.models import User
from bluezone.identity.objects import Ownership, touches
from bluezone.identity.signin.sessions import browser_of
from bluezone.identity.typed_fields import TimeOfDayField
from bluezone.keyserver.push import PushSubscriptionInvalid, read_subscription
from bluezone.messaging.sms.destinations import mask
from bluezone.messaging.sms.opt_outs import has_opted_out
from bluezone.office_keyserver import key_server
from bluezone.training import also_in_training

MOST_BROWSERS = 10
_MOST_BODY = 2048


class ChoiceForm(forms.ModelForm):  # type: ignore[type-arg]
    """How a person wants to be notified."""

    class Meta:
        model = Choice
        fields = ("mail", "push", "text", "only_urgent", "quiet_from", "quiet_to")
        field_classes: ClassVar = {"quiet_from": TimeOfDayField, "quiet_to": TimeOfDayField}


def choice_of(user: User) -> Choice:
    """The person's choice; a new one, not stored, if they have made none."""
    return Choice.objects.filter(user=user).first() or Choice(user=user)


@also_in_training
@require_http_methods(["GET", "HEAD", "POST"])
@audience(ACCOUNT_HOLDERS)
@touches(Ownership.OWN)
def notices(request: OfficeRequest) -> HttpResponse:
    """Choose how to be notified: 302 stored, 422 bad form."""
    form = ChoiceForm(request.POST or None, instance=choice_of(request.user))
    number = phone_of(request.user)
    if not number:
        del form.fields["text"]
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Stored."))
        return redirect("notices")
    context = {
        "form": form,
        "browsers": request.user.push_browsers.all(),
        "has_mail": settings.SMTP is not None,
        "has_sms": settings.SMS is not None,
        "phone": mask(number) if number else "",
        "wants_no_texts": bool(number) and has_opted_out(number),
        "address": request.user.email,
        "push_key": key_server().secrets.push_public,
    }
    return render(request, "desk/notices.html", context, status=422 if form.errors else 200)


@also_in_training
@require_POST
@audience(ACCOUNT_HOLDERS)
@touches(Ownership.OWN)
def add_browser(request: OfficeRequest) -> HttpResponse:
    """Store the browser's subscription, a JSON body as browsers make it: 201; 422 invalid; 409 too many browsers."""
    body = request.body[: _MOST_BODY + 1]
    try:
        subscription = read_subscription(body, key_server().city.push_services)
    except PushSubscriptionInvalid as refused:
        return JsonResponse({"code": refused.code}, status=422)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=request.user.pk)
        own = request.user.push_browsers.exclude(endpoint=subscription.endpoint)
        if own.count() >= MOST_BROWSERS:
            return JsonResponse({"code": "too_many_browsers"}, status=409)
        PushBrowser.objects.update_or_create(
            endpoint=subscription.endpoint,
            defaults={
                "user": request.user,
                "p256dh": subscription.p256dh,
                "auth": subscription.auth,
                "name": browser_of(request)[:40],
                "added_at": timezone.now(),
            },
        )
        Choice.objects.get_or_create(user=request.user)
    return JsonResponse({}, status=201)


@require_safe
@audience(EVERYONE)
def worker(_request: HttpRequest) -> HttpResponse:
    """The service worker that shows notices; browsers register its address, so it never changes."""
    source = files("bluezone.web") / "static" / "noticeworker.js"
    return HttpResponse(source.read_bytes(), content_type="text/javascript; charset=utf-8")


@also_in_training
@require_POST
@audience(ACCOUNT_HOLDERS)
@touches(Ownership.OWN)
def remove_browser(request: OfficeRequest, pk: int) -> HttpResponse:
    """Send no more notices to this browser: 302."""
    get_object_or_404(PushBrowser, pk=pk, user=request.user).delete()
    messages.success(request, _("That browser will not get any more notices."))
    return redirect("notices")
