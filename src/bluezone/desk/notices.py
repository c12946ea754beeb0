# SPDX-License-Identifier: Apache-2.0
"""Being told of what waits: a person's choice, their browsers and telephone, and the round that tells of what is new.

A notice says how many matters are new and how many are overdue, and nothing of what they are: it is shown on locked
screens. The page says which ways work in this office, for an office may have no mail server and no operator for text
messages. A telephone is stored, sealed, once the code that was sent to it has come back.
"""

import base64
import datetime
import json
import logging
import secrets
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import get_language, gettext_lazy, ngettext, override
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.audit import hash_chain
from bluezone.desk.home import gather
from bluezone.desk.models import Choice, PushBrowser
from bluezone.duties.duty import Matter
from bluezone.identity.acts import CONFLICT, refusals_as_form_errors
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import ACCOUNT_HOLDERS, EVERYONE
from bluezone.identity.factors.confirmation import is_recently_confirmed
from bluezone.identity.factors.second_factors import is_set_up
from bluezone.identity.forms import OwnForm
from bluezone.identity.models import User
from bluezone.identity.objects import Ownership, touches
from bluezone.identity.signin.sessions import browser_of
from bluezone.identity.typed_fields import TimeOfDayField
from bluezone.keyserver.push import PushSubscriptionInvalid, Subscription, read_subscription
from bluezone.logs import event_fields
from bluezone.messaging.announcer import Outcome, Provider
from bluezone.messaging.sms import outbox
from bluezone.messaging.sms.destinations import mask, read_destination
from bluezone.messaging.sms.models import OptOut, Purpose
from bluezone.messaging.sms.segmentation import without_diacritics
from bluezone.office_keyserver import key_server
from bluezone.office_secrets import keyed_digest, seal, unseal
from bluezone.refusal import Refused
from bluezone.training import also_in_training
from bluezone.vietnamese.typed import digits_typed

# A person is told again after this long at the earliest, and so many people are looked at in one round. Each text
# message costs the city money.
PAUSE = datetime.timedelta(minutes=5)
TEXT_PAUSE = datetime.timedelta(hours=1)
PEOPLE_A_ROUND = 20
URGENT = datetime.timedelta(hours=4)
MOST_BROWSERS = 10
# How long the code for a telephone counts, how often it may be mistyped, and how many codes a browser has sent in one
# session: each goes to a number that may be a stranger's.
CODE_LIFE = datetime.timedelta(minutes=10)
MOST_TRIES = 5
MOST_CODES = 3
# Where the session keeps the number that waits for its code.
PHONE_KEY = "notices_phone"
_MOST_TOLD = 400
_MOST_BODY = 2048

log = logging.getLogger(__name__)


class ChoiceForm(forms.ModelForm):  # type: ignore[type-arg]
    """How one wants to be told."""

    class Meta:
        model = Choice
        fields = ("mail", "push", "text", "only_urgent", "quiet_from", "quiet_to")
        field_classes: ClassVar = {"quiet_from": TimeOfDayField, "quiet_to": TimeOfDayField}


def choice_of(user: User) -> Choice:
    """The person's choice, not stored where they made none."""
    return Choice.objects.filter(user=user).first() or Choice(user=user)


@also_in_training
@require_http_methods(["GET", "HEAD", "POST"])
@audience(ACCOUNT_HOLDERS)
@touches(Ownership.OWN)
def notices(request: OfficeRequest) -> HttpResponse:
    """Choose how to be told: 302 stored, 422 bad form."""
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
        "wants_no_texts": bool(number) and _wants_none(number),
        "address": request.user.email,
        "push_key": key_server().secrets.push_public,
    }
    return render(request, "desk/notices.html", context, status=422 if form.errors else 200)


@also_in_training
@require_POST
@audience(ACCOUNT_HOLDERS)
@touches(Ownership.OWN)
def add_browser(request: OfficeRequest) -> HttpResponse:
    """Keep the browser's subscription, a JSON body as browsers make it: 201, 422 not one, 409 too many."""
    body = request.body[: _MOST_BODY + 1]
    try:
        found = read_subscription(body, key_server().city.push_services)
    except PushSubscriptionInvalid as refused:
        return JsonResponse({"code": refused.code}, status=422)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=request.user.pk)
        own = request.user.push_browsers.exclude(endpoint=found.endpoint)
        if own.count() >= MOST_BROWSERS:
            return JsonResponse({"code": "too_many_browsers"}, status=409)
        PushBrowser.objects.update_or_create(
            endpoint=found.endpoint,
            defaults={
                "user": request.user, "p256dh": found.p256dh, "auth": found.auth, "name": browser_of(request)[:40],
                "added_at": timezone.now(),
            },
        )  # fmt: skip
        Choice.objects.get_or_create(user=request.user)
    return JsonResponse({}, status=201)


@require_safe
@audience(EVERYONE)
def worker(_request: HttpRequest) -> HttpResponse:
    """The browser's part that shows notices, at an address that stays, as its registration does."""
    source = files("bluezone.web") / "static" / "noticeworker.js"
    return HttpResponse(source.read_bytes(), content_type="text/javascript; charset=utf-8")


@also_in_training
@require_POST
@audience(ACCOUNT_HOLDERS)
@touches(Ownership.OWN)
def remove_browser(request: OfficeRequest, pk: int) -> HttpResponse:
    """Tell this browser no more: 302."""
    get_object_or_404(PushBrowser, pk=pk, user=request.user).delete()
    messages.success(request, _("That browser will not get any more notices."))
    return redirect("notices")


class PhoneForm(OwnForm):
    """The telephone for text messages."""

    phone = forms.CharField(
        label=gettext_lazy("Telephone for work"),
        max_length=30,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "data-secret": ""}),
    )
    field_order = ("phone", "present")

    def clean_phone(self) -> str:
        """The number in E.164."""
        try:
            return read_destination(self.cleaned_data["phone"])
        except Refused:
            raise forms.ValidationError(
                _("This is not a mobile number. Enter 10 digits starting with 0, or + and the country code.")
            ) from None


class CodeForm(forms.Form):
    """The code that was sent to the telephone."""

    code = forms.CharField(
        label=gettext_lazy("The six digits in the message"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


@also_in_training
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@audience(ACCOUNT_HOLDERS)
@touches(Ownership.OWN)
def phone(request: OfficeRequest) -> HttpResponse:
    """Give a telephone, then the code that was sent to it: 302 stored, 422 bad form, 409 nothing can be sent.

    It asks for the second factor within five minutes, and for the password of whoever has none.
    """
    has_factor = is_set_up(request.user)
    if has_factor and not is_recently_confirmed(request):
        return redirect(f"{reverse('confirm')}?{urlencode({'next': reverse('notices-phone')})}")
    now = timezone.now()
    typed = request.POST if request.method == "POST" else None
    asked = PhoneForm(typed if typed and "phone" in typed else None, user=request.user, ask_password=not has_factor)
    answer = CodeForm(typed if typed and "code" in typed else None)
    if asked.is_valid():
        with refusals_as_form_errors(asked, _not_sent, field="phone", conflict=True):
            _send_code(request, asked.cleaned_data["phone"], now)
    elif answer.is_valid():
        number = _confirmed_number(request, answer.cleaned_data["code"], now)
        if number:
            keep_phone(request.user, number)
            messages.success(request, _("The telephone number is stored."))
            return redirect("notices")
        answer.add_error(
            "code", _("This is not the code, or it has expired after ten minutes. Send yourself another one.")
        )
    number = phone_of(request.user)
    kept = request.session.get(PHONE_KEY, {})
    under_way = bool(kept.get("digest")) and now.timestamp() < kept["until"] and "again" not in request.GET
    waits = not asked.errors and (under_way or bool(answer.errors))
    context = {"phone_form": asked, "code_form": answer, "code_waits": waits, "phone": mask(number) if number else ""}
    status = 409 if asked.has_error("phone", CONFLICT) else 422 if asked.errors or answer.errors else 200
    return render(request, "desk/phone.html", {**context, "has_sms": settings.SMS is not None}, status=status)


@also_in_training
@require_POST
@audience(ACCOUNT_HOLDERS)
@touches(Ownership.OWN)
def forget_phone(request: OfficeRequest) -> HttpResponse:
    """Take the own telephone away: 302."""
    if phone_of(request.user):
        keep_phone(request.user, "")
        messages.success(request, _("Your telephone number is no longer kept."))
    return redirect("notices")


def phone_of(user: User) -> str:
    """The telephone that a person gave, in E.164; "" where they gave none."""
    return unseal(bytes(user.sealed_phone), f"phone of {user.pk}").decode() if user.sealed_phone else ""


def keep_phone(user: User, number: str) -> None:
    """Store a telephone in E.164, or with "" forget it. The audit says that it changed, not to what."""
    with transaction.atomic():
        user.sealed_phone = seal(number.encode(), f"phone of {user.pk}") if number else None
        user.save(update_fields=["sealed_phone"])
        if number:
            Choice.objects.update_or_create(user=user, defaults={"text": True})
        hash_chain.record(user.username, "phone_changed", user.username)


class CodesSpent(Refused):
    """This session has had its codes; nothing was sent."""

    code = "phone_codes_spent"


def _send_code(request: OfficeRequest, number: str, now: datetime.datetime) -> None:
    """Send a code and keep both, sealed and hashed, in the session. Raises CodesSpent and what `queue_sms` does."""
    sent = request.session.get(PHONE_KEY, {}).get("sent", 0)
    if sent >= MOST_CODES:
        raise CodesSpent(f"{MOST_CODES} codes were sent in this session")
    if _wants_none(number):
        raise outbox.SmsOptedOut("the owner of this number wants no messages; nothing was queued")
    code = f"{secrets.randbelow(1_000_000):06}"
    text = without_diacritics(_("Bluezone: code for notices to this telephone: %(code)s") % {"code": code})
    outbox.queue_sms(number, text, get_language() or "vi", Purpose.CODE, now=now)
    sealed = seal(number.encode(), f"phone of {request.user.pk}")
    request.session[PHONE_KEY] = {
        "number": base64.b64encode(sealed).decode(), "digest": _code_digest(request.user, code),
        "until": (now + CODE_LIFE).timestamp(), "tries": 0, "sent": sent + 1,
    }  # fmt: skip


def _confirmed_number(request: OfficeRequest, code: str, now: datetime.datetime) -> str:
    """The number that this is the code for; "" for any other, one too late or tried too often."""
    kept: dict[str, Any] = request.session.get(PHONE_KEY, {})
    if not kept.get("digest") or now.timestamp() >= kept["until"] or kept["tries"] >= MOST_TRIES:
        return ""
    if not secrets.compare_digest(kept["digest"], _code_digest(request.user, digits_typed(code))):
        request.session[PHONE_KEY] = {**kept, "tries": kept["tries"] + 1}
        return ""
    request.session[PHONE_KEY] = {"sent": kept["sent"]}
    return unseal(base64.b64decode(kept["number"]), f"phone of {request.user.pk}").decode()


def _code_digest(user: User, code: str) -> str:
    return keyed_digest("code for a phone", f"{user.pk} {code}")


def _wants_none(number: str) -> bool:
    return OptOut.objects.filter(destination_hash=outbox.destination_hash(number)).exists()


def _not_sent(refused: Refused) -> str:
    return {
        "sms_not_set": _("This office has no operator for text messages. Nothing was sent or stored."),
        "sms_in_training": _("Training mode sends nothing. End it first, then enter the telephone number."),
        "sms_opted_out": _(
            "The owner of this number does not want messages from the city. Nothing was sent or stored."
        ),
        "phone_codes_spent": _("Three codes have already been sent. Sign in again to get another one."),
    }.get(refused.code) or _("No messages can be sent today: the city’s budget is used up. Nothing was stored.")


def is_quiet(choice: Choice, now: datetime.datetime) -> bool:
    """Whether `now` lies in the person's quiet hours; equal times mean none."""
    clock = timezone.localtime(now).time()
    begin, end = choice.quiet_from, choice.quiet_to
    return begin <= clock < end if begin <= end else clock >= begin or clock < end


def news_for(choice: Choice, matters: Sequence[Matter], now: datetime.datetime, known: Sequence[str]) -> list[Matter]:
    """Of what waits, what this person is to be told of and was not told of yet. known: keys of what they were told."""
    told = set(known)
    return [one for one in matters if one.key not in told and (not choice.only_urgent or one.by <= now + URGENT)]


def tell(now: datetime.datetime) -> None:
    """One round: tell some people of what is new, those whose turn is longest ago first. Safe to repeat."""
    if settings.SMS is not None:
        tell_by_text(now)
    if not PushBrowser.objects.exists():
        return
    tell_by(_city_provider(), now)


def _city_provider() -> Provider:
    # The library that signs and seals takes a fifth of a start to load; most offices need it never.
    from bluezone.messaging.webpush import WebPushProvider

    server = key_server()
    contact = f"https://{server.city.public_host.rsplit(':', 1)[0]}"
    return WebPushProvider(server.secrets.push_key, contact)


class NoticeNotSent(Refused):
    """No browser of this person takes notices, or no push service took the notice."""

    code = "notice_not_sent"


def send_notice(user: User, text: str, provider: Provider | None = None) -> None:
    """Show a text in the browsers of a person, now, quiet hours or not. Raises NoticeNotSent.

    provider: how it is sent; None for the push services of these browsers.
    """
    if not user.push_browsers.exists():
        raise NoticeNotSent("this person has no browser that takes notices")
    if not _send(provider or _city_provider(), user, json.dumps({"type": "work", "text": text})):
        raise NoticeNotSent("no push service took the notice")


def tell_by(provider: Provider, now: datetime.datetime) -> int:
    """Tell browsers by a given way to send; how many notices were sent."""

    def send(choice: Choice, new: Sequence[Matter]) -> int:
        return _send(provider, choice.user, pushed(new, now))

    return _go_round(Choice.objects.filter(push=True, user__push_browsers__isnull=False), "told", PAUSE, send, now)


def tell_by_text(now: datetime.datetime) -> int:
    """Tell telephones; how many messages were queued."""

    def send(choice: Choice, new: Sequence[Matter]) -> int:
        text = without_diacritics(f"Bluezone: {_words(new, now)}")
        try:
            outbox.queue_sms(phone_of(choice.user), text, "vi", Purpose.REMINDER, now=now)
        except Refused as refused:
            # It is told of after the next pause, as where the budget of the day is spent.
            Choice.objects.filter(pk=choice.pk).update(texted=choice.texted)
            log.warning("notices: %s", refused.code, extra=event_fields("sms_refused", code=refused.code))
            return 0
        return 1

    held = Choice.objects.filter(text=True, user__sealed_phone__isnull=False)
    return _go_round(held, "texted", TEXT_PAUSE, send, now)


def _go_round(
    choices: QuerySet[Choice],
    told: str,
    pause: datetime.timedelta,
    send: Callable[[Choice, Sequence[Matter]], int],
    now: datetime.datetime,
) -> int:
    """Tell some people of what is new by one way; how often it was sent. told: the field that remembers, beside _at."""
    at = f"{told}_at"
    due = choices.filter(Q(**{f"{at}__isnull": True}) | Q(**{f"{at}__lte": now - pause}), user__is_active=True)
    sent = 0
    for choice in due.select_related("user").distinct().order_by(F(at).asc(nulls_first=True), "pk")[:PEOPLE_A_ROUND]:
        if is_quiet(choice, now):
            # Looked at again after the pause; what came at night is told in the morning, in one notice.
            Choice.objects.filter(pk=choice.pk).update(**{at: now})
            continue
        with override("vi"):
            matters = [matter for _duty, matter in gather(choice.user, now)]
        before = getattr(choice, told)
        new = news_for(choice, matters, now, before)
        keys = {one.key for one in matters}
        # What waits no longer is forgotten, so that it is told of again when it comes back.
        known = [key for key in before if key in keys] + [one.key for one in new]
        mine = Choice.objects.filter(pk=choice.pk, **{at: getattr(choice, at)})
        if mine.update(**{told: known[-_MOST_TOLD:], at: now}) and new:
            sent += send(choice, new)
    return sent


def pushed(new: Sequence[Matter], now: datetime.datetime) -> str:
    """What a browser is sent of new matters, for its service worker (noticeworker.js)."""
    return json.dumps({"type": "work", "text": _words(new, now)})


def _words(new: Sequence[Matter], now: datetime.datetime) -> str:
    """What a notice says, in Vietnamese: numbers alone."""
    late = sum(one.stated and one.by <= now for one in new)
    with override("vi"):
        text = ngettext(
            "%(count)d new matter is waiting for you.", "%(count)d new matters are waiting for you.", len(new)
        )
        text %= {"count": len(new)}
        if late:
            text += " " + ngettext("%(count)d is overdue.", "%(count)d are overdue.", late) % {"count": late}
    return text


def _send(provider: Provider, user: User, body: str) -> int:
    browsers = list(user.push_browsers.all()[:MOST_BROWSERS])
    subscriptions = [Subscription(one.endpoint, bytes(one.p256dh), bytes(one.auth)) for one in browsers]
    outcomes = provider.send(subscriptions, body) if subscriptions else []
    gone = [one.pk for one, outcome in zip(browsers, outcomes, strict=True) if outcome is Outcome.GONE]
    PushBrowser.objects.filter(pk__in=gone).delete()
    return sum(outcome is Outcome.SENT for outcome in outcomes)
