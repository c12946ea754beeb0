# SPDX-License-Identifier: Apache-2.0
"""The operator's page of text messages, and the meter that counts while one writes."""

from dataclasses import dataclass

from django import forms
from django.conf import settings
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import OVERSEERS, SIGNED_IN
from bluezone.identity.objects import Whose, touches
from bluezone.messaging.present_city import present_city
from bluezone.messaging.sms import outbox
from bluezone.messaging.sms.models import OPEN_STATES, Message, SenderState, State
from bluezone.messaging.sms.providers import LogFile
from bluezone.messaging.sms.segmentation import MOST_SEGMENTS, Measured, measure, without_diacritics
from bluezone.messaging.sms.wording import Notice, arrival_notice
from bluezone.training import also_in_training

# A sender that has said nothing for so long is not there.
SILENT_SECONDS = 120
MOST_CHARACTERS = 2000
# By the code that the sender's word begins with.
_TROUBLES = {
    "smpp_bind_refused": _(
        "The message centre refuses the name or the password, or they have expired. Ask the operator for new ones."
    ),
    "smpp_session_lost": _("There is no connection to the message centre. The city tries again by itself."),
    "smpp_garbage": _(
        "What answers does not speak SMPP 3.4. If it stays so, check the host and port in BLUEZONE_SMS_URL."
    ),
}


class MeterForm(forms.Form):
    """A text to be measured; stored nowhere."""

    text = forms.CharField(
        label=_("Text of the message"),
        max_length=MOST_CHARACTERS,
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "true"}),
    )


@dataclass(frozen=True)
class Reading:
    """A text as it would travel. cost: in đồng, None where the price is not known."""

    name: str
    measured: Measured
    cost: int | None

    @property
    def is_too_long(self) -> bool:
        """Whether it would be refused."""
        return self.measured.segments > MOST_SEGMENTS


@require_safe
@audience(OVERSEERS)
@touches(Whose.EVERYBODYS)
def overview(request: OfficeRequest) -> HttpResponse:
    """Whether messages go out, how many wait, what is spent, and what became of those of the last 35 days."""
    now = timezone.now()
    counts = dict(Message.objects.values_list("state").annotate(Count("pk")).order_by())
    said = SenderState.objects.first()
    context = {
        "is_set": settings.SMS is not None,
        "is_file": isinstance(settings.SMS, LogFile),
        "said": said,
        "trouble": _trouble(said.trouble) if said is not None and said.trouble else None,
        "is_silent": said is None or (now - said.said_at).total_seconds() > SILENT_SECONDS,
        "waiting": sum(counts.get(state, 0) for state in OPEN_STATES),
        "ended": [(state.label, counts.get(state, 0)) for state in State if state not in OPEN_STATES],
        "unknown": counts.get(State.UNKNOWN, 0),
        "budget": outbox.standing(now),
        "notices": _notices(),
    }
    return render(request, "sms/overview.html", context)


@also_in_training
@require_http_methods(["GET", "HEAD", "POST"])
@audience(SIGNED_IN)
@touches(Whose.NOBODYS)
def meter(request: HttpRequest) -> HttpResponse:
    """Encoding, size, segments and cost of a text and of its variant without diacritics; stores nothing."""
    form = MeterForm(request.POST or None)
    text = form.cleaned_data["text"] if form.is_valid() else ""
    price = present_city().sms_segment_price
    # A form sends line breaks as CR LF; a message has one character for each.
    readings = readings_of(text.replace("\r\n", "\n"), price)
    context = {"form": form, "readings": readings, "most": MOST_SEGMENTS, "price": price}
    fragment = request.headers.get("X-Fragment") == "1"
    return render(request, "sms/readings.html" if fragment else "sms/meter.html", context)


def readings_of(text: str, price: int) -> list[Reading]:
    """The text as it is, and without diacritics where that differs; nothing of an empty text."""
    measured, plain = measure(text), measure(without_diacritics(text))
    found = [(_("as written"), measured)]
    if plain.text != measured.text:
        found.append((_("without diacritics"), plain))
    return [Reading(str(name), one, one.cost(price) if price else None) for name, one in found if one.text]


def _trouble(told: str) -> str:
    """The sentence of what the sender told."""
    return str(_TROUBLES.get(told.partition(":")[0], _("The message centre takes no messages.")))


def _notices() -> list[Notice]:
    return [arrival_notice(present_city(), language) for language in ("vi", "en")]
