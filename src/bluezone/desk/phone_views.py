# SPDX-License-Identifier: Apache-2.0
"""Pages for the telephone that gets notices as text messages: enter it, confirm it by a code, remove it.

A telephone is stored, sealed, only after the code that was sent to it has been entered.
"""

import base64
import datetime
import secrets
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from bluezone.audit import hash_chain
from bluezone.desk.models import Choice
from bluezone.identity.acts import CONFLICT, refusals_as_form_errors
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import ACCOUNT_HOLDERS
from bluezone.identity.factors.confirmation import is_recently_confirmed
from bluezone.identity.factors.second_factors import is_set_up
from bluezone.identity.forms import OwnForm
from bluezone.identity.models import User
from bluezone.identity.objects import Ownership, touches
from bluezone.messaging.sms import outbox
from bluezone.messaging.sms.destinations import mask, read_destination
from bluezone.messaging.sms.models import Purpose
from bluezone.messaging.sms.opt_outs import has_opted_out
from bluezone.messaging.sms.segmentation import without_diacritics
from bluezone.office_secrets import keyed_digest, seal, unseal
from bluezone.refusal import Refused
from bluezone.training import also_in_training
from bluezone.vietnamese.typed import digits_typed

# How long the code for a telephone counts, how often it may be mistyped, and how many codes a browser has sent in one
# session: each goes to a number that may be a stranger's.
CODE_LIFE = datetime.timedelta(minutes=10)
MOST_TRIES = 5
MOST_CODES = 3
# Where the session keeps the number that waits for its code.
PHONE_KEY = "notices_phone"


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
    """Enter a telephone, then the code that was sent to it: 302 stored, 422 bad form, 409 nothing can be sent.

    The page asks for a second factor within five minutes, or for the password if the account has no second factor.
    """
    has_factor = is_set_up(request.user)
    if has_factor and not is_recently_confirmed(request):
        return redirect(f"{reverse('confirm')}?{urlencode({'next': reverse('notices-phone')})}")
    now = timezone.now()
    typed = request.POST if request.method == "POST" else None
    phone_form = PhoneForm(
        typed if typed and "phone" in typed else None, user=request.user, ask_password=not has_factor
    )
    code_form = CodeForm(typed if typed and "code" in typed else None)
    if phone_form.is_valid():
        with refusals_as_form_errors(phone_form, _not_sent, field="phone", conflict=True):
            _send_code(request, phone_form.cleaned_data["phone"], now)
    elif code_form.is_valid():
        number = _confirmed_number(request, code_form.cleaned_data["code"], now)
        if number:
            store_phone(request.user, number)
            messages.success(request, _("The telephone number is stored."))
            return redirect("notices")
        code_form.add_error(
            "code", _("This is not the code, or it has expired after ten minutes. Send yourself another one.")
        )
    number = phone_of(request.user)
    pending = request.session.get(PHONE_KEY, {})
    is_code_valid = bool(pending.get("digest")) and now.timestamp() < pending["until"]
    is_code_expected = is_code_valid and "again" not in request.GET
    context = {
        "phone_form": phone_form,
        "code_form": code_form,
        "code_waits": not phone_form.errors and (is_code_expected or bool(code_form.errors)),
        "phone": mask(number) if number else "",
        "has_sms": settings.SMS is not None,
    }
    status = 200
    if phone_form.has_error("phone", CONFLICT):
        status = 409
    elif phone_form.errors or code_form.errors:
        status = 422
    return render(request, "desk/phone.html", context, status=status)


@also_in_training
@require_POST
@audience(ACCOUNT_HOLDERS)
@touches(Ownership.OWN)
def forget_phone(request: OfficeRequest) -> HttpResponse:
    """Remove one's own telephone: 302."""
    if phone_of(request.user):
        store_phone(request.user, "")
        messages.success(request, _("Your telephone number is no longer kept."))
    return redirect("notices")


def phone_of(user: User) -> str:
    """The telephone that a person has entered, in E.164; "" if there is none."""
    if not user.sealed_phone:
        return ""
    return unseal(bytes(user.sealed_phone), f"phone of {user.pk}").decode()


def store_phone(user: User, number: str) -> None:
    """Store a telephone in E.164, or remove it with "". The audit notes that it changed, but not the number."""
    with transaction.atomic():
        user.sealed_phone = seal(number.encode(), f"phone of {user.pk}") if number else None
        user.save(update_fields=["sealed_phone"])
        if number:
            Choice.objects.update_or_create(user=user, defaults={"text": True})
        hash_chain.record(user.username, "phone_changed", user.username)


class CodesSpent(Refused):
    """This session has used up its codes; nothing was sent."""

    code = "phone_codes_spent"


def _send_code(request: OfficeRequest, number: str, now: datetime.datetime) -> None:
    """Send a code; store the number, sealed, and the code, hashed, in the session.

    Raises CodesSpent and the refusals of `queue_sms`.
    """
    sent = request.session.get(PHONE_KEY, {}).get("sent", 0)
    if sent >= MOST_CODES:
        raise CodesSpent(f"{MOST_CODES} codes were sent in this session")
    if has_opted_out(number):
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
    """The number to which this code was sent; "" for a wrong or expired code, or after too many tries."""
    pending: dict[str, Any] = request.session.get(PHONE_KEY, {})
    if not pending.get("digest") or now.timestamp() >= pending["until"] or pending["tries"] >= MOST_TRIES:
        return ""
    if not secrets.compare_digest(pending["digest"], _code_digest(request.user, digits_typed(code))):
        request.session[PHONE_KEY] = {**pending, "tries": pending["tries"] + 1}
        return ""
    request.session[PHONE_KEY] = {"sent": pending["sent"]}
    return unseal(base64.b64decode(pending["number"]), f"phone of {request.user.pk}").decode()


def _code_digest(user: User, code: str) -> str:
    return keyed_digest("code for a phone", f"{user.pk} {code}")


def _not_sent(refused: Refused) -> str:
    return {
        "sms_not_set": _("This office has no operator for text messages. Nothing was sent or stored."),
        "sms_in_training": _("Training mode sends nothing. End it first, then enter the telephone number."),
        "sms_opted_out": _(
            "The owner of this number does not want messages from the city. Nothing was sent or stored."
        ),
        "phone_codes_spent": _("Three codes have already been sent. Sign in again to get another one."),
    }.get(refused.code) or _("No messages can be sent today: the city’s budget is used up. Nothing was stored.")
