# SPDX-License-Identifier: Apache-2.0
"""The administrator's page on text messages, and the meter that counts segments while a person types."""

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
from bluezone.identity.objects import Ownership, touches
from bluezone.messaging.present_city import present_city
from bluezone.messaging.sms import outbox
from bluezone.messaging.sms.models import OPEN_STATES, Message, SenderState, State
from bluezone.messaging.sms.providers import LogFile
from bluezone.messaging.sms.segmentation import MOST_SEGMENTS, SegmentedText, segment_text, without_diacritics
from bluezone.messaging.sms.wording import Notice, arrival_notice
from bluezone.protocol.languages import LANGUAGES
from bluezone.training import also_in_training

# A sender without a report for this long is not running.
SILENT_SECONDS = 120
MOST_CHARACTERS = 2000
# By the code at the beginning of SenderState.trouble.
_TROUBLES = {
    "smpp_bind_refused": _(
        "The message centre refuses the name or the password, or they have expired. Ask the operator for new ones."
    ),
    "smpp_session_lost": _("There is no connection to the message centre. The city will try again automatically."),
    "smpp_garbage": _(
        "The message centre does not answer in SMPP 3.4. If this goes on, check the host and port in BLUEZONE_SMS_URL."
    ),
}


class MeterForm(forms.Form):
    """A text to measure; it is not stored."""

    text = forms.CharField(
        label=_("Text of the message"),
        max_length=MOST_CHARACTERS,
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "true"}),
    )


@dataclass(frozen=True)
class Reading:
    """A text as it would be sent. cost: in đồng, None if the price is not known."""

    name: str
    measured: SegmentedText
    cost: int | None

    @property
    def is_too_long(self) -> bool:
        """Whether it would be refused."""
        return self.measured.segments > MOST_SEGMENTS


@require_safe
@audience(OVERSEERS)
@touches(Ownership.EVERYBODY)
def show_overview(request: OfficeRequest) -> HttpResponse:
    """Whether messages are sent, how many wait, what is spent, and how the messages of the last 35 days ended."""
    now = timezone.now()
    counts = dict(Message.objects.values_list("state").annotate(Count("pk")).order_by())
    sender = SenderState.objects.first()
    context = {
        "is_set": settings.SMS is not None,
        "is_file": isinstance(settings.SMS, LogFile),
        "said": sender,
        "trouble": _trouble(sender.trouble) if sender is not None and sender.trouble else None,
        "is_silent": sender is None or (now - sender.said_at).total_seconds() > SILENT_SECONDS,
        "waiting": sum(counts.get(state, 0) for state in OPEN_STATES),
        "ended": [(state.label, counts.get(state, 0)) for state in State if state not in OPEN_STATES],
        "unknown": counts.get(State.UNKNOWN, 0),
        "budget": outbox.current_budget(now),
        "notices": _notices(),
    }
    return render(request, "sms/overview.html", context)


@also_in_training
@require_http_methods(["GET", "HEAD", "POST"])
@audience(SIGNED_IN)
@touches(Ownership.NOTHING)
def measure_text(request: HttpRequest) -> HttpResponse:
    """Encoding, size, segments and cost of a text and of its variant without diacritics; stores nothing."""
    form = MeterForm(request.POST or None)
    text = form.cleaned_data["text"] if form.is_valid() else ""
    price = present_city().sms_segment_price
    # A form sends line breaks as CR LF; a message has one character for each.
    readings = segmented_readings(text.replace("\r\n", "\n"), price)
    context = {"form": form, "readings": readings, "most": MOST_SEGMENTS, "price": price}
    fragment = request.headers.get("X-Fragment") == "1"
    return render(request, "sms/readings.html" if fragment else "sms/meter.html", context)


def segmented_readings(text: str, price: int) -> list[Reading]:
    """The text as it is, and without diacritics if that differs; none for an empty text."""
    measured = segment_text(text)
    plain = segment_text(without_diacritics(text))
    variants = [(_("as written"), measured)]
    if plain.text != measured.text:
        variants.append((_("without diacritics"), plain))
    return [
        Reading(str(name), variant, variant.cost(price) if price else None)
        for name, variant in variants
        if variant.text
    ]


def _trouble(trouble: str) -> str:
    """The sentence for a trouble that the sender reported."""
    return str(_TROUBLES.get(trouble.partition(":")[0], _("The message centre does not accept messages.")))


def _notices() -> list[Notice]:
    return [arrival_notice(present_city(), language) for language in LANGUAGES]
