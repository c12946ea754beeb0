# SPDX-License-Identifier: Apache-2.0
"""The office's pages for alerts with their form, and the public feed and files."""

import datetime
import unicodedata
from contextlib import suppress
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.authority import two_persons
from bluezone.directory.kinds import UnitKind
from bluezone.directory.models import AdminUnit
from bluezone.directory.queries import day_to_show
from bluezone.directory.scopes import OutsideScope, served_units
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import EVERYONE
from bluezone.identity.edits import SharedForm
from bluezone.identity.factors.second_factors import confirm_second_factor
from bluezone.identity.models import User
from bluezone.identity.objects import Ownership, touches
from bluezone.identity.typed_fields import MomentField
from bluezone.messaging.cap import lifecycle
from bluezone.messaging.cap.document import MEDIA_TYPE, feed_xml
from bluezone.messaging.cap.duty import ALERT_SIGNERS, ALERT_WRITERS
from bluezone.messaging.cap.languages import TEXTS, further_languages
from bluezone.messaging.cap.models import Alert, Kind, Status
from bluezone.messaging.cap.signature import AlertKeyUnusable, certificate_fingerprint
from bluezone.messaging.present_city import present_city
from bluezone.networks import origin_of

_OTHER_TEXTS = (("headline", _("Headline"), 160), ("description", _("What is happening"), 1500),
                ("instruction", _("What to do"), 400))  # fmt: skip
_LONG = ("description_vi", "description_en", "instruction_vi", "instruction_en")

IN_THE_FEED = datetime.timedelta(days=30)
MOST_IN_THE_FEED = 50


class AlertForm(SharedForm, forms.ModelForm):  # type: ignore[type-arg]
    """Texts, units and end of an alert. by: the writer, who can choose only units in reach."""

    expires_at = MomentField(label=_("Valid until"))

    class Meta:
        model = Alert
        fields = (
            "headline_vi", "description_vi", "instruction_vi", "headline_en", "description_en", "instruction_en",
            "units", "expires_at", "severity", "urgency", "certainty", "status",
        )  # fmt: skip
        widgets: ClassVar = {
            **{name: forms.Textarea(attrs={"rows": 3}) for name in _LONG},
            "units": forms.SelectMultiple(attrs={"size": 8}),
        }
        help_texts: ClassVar = {
            "instruction_vi": _("At most 600 characters together with the headline, because phones show no more."),
            "status": _("Phones show only “real” alerts."),
        }

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        in_reach = served_units(by, ALERT_WRITERS.roles)
        units = AdminUnit.objects.valid_on(day_to_show(AdminUnit, timezone.localdate())).filter(pk__in=in_reach)
        field: Any = self.fields["units"]
        field.queryset = units.exclude(kind=UnitKind.GROUP).order_by("path")
        for language in further_languages():
            for name, label, most in _OTHER_TEXTS:
                widget = forms.TextInput() if name == "headline" else forms.Textarea(attrs={"rows": 3})
                widget.attrs["lang"] = language.tag
                self.fields[f"{name}_{language.code}"] = forms.CharField(
                    label=f"{language.name}: {label}", required=False, max_length=most, widget=widget
                )
                self.initial[f"{name}_{language.code}"] = self.instance.other.get(language.code, {}).get(name, "")

    @property
    def other_names(self) -> set[str]:
        """Names of the fields for further languages."""
        names: set[str] = set()
        for language in further_languages():
            names |= {f"{name}_{language.code}" for name in TEXTS}
        return names

    @property
    def other_languages_unfolded(self) -> bool:
        """Whether the fields for further languages have a text or an error, so that the page unfolds them."""
        return bool(self.instance.other) or bool(self.other_names & set(self.errors))

    def clean(self) -> dict[str, Any]:
        """Bring texts to NFC without control characters, which XML cannot contain.

        Each further language must have all of its texts or none.
        """
        values: dict[str, Any] = super().clean() or self.cleaned_data
        for name, value in values.items():
            if isinstance(value, str):
                values[name] = _normalize(value)
        other_texts = {}
        for language in further_languages():
            texts = {name: values.get(f"{name}_{language.code}", "").strip() for name in TEXTS}
            if not any(texts.values()):
                continue
            other_texts[language.code] = texts
            for name, text in texts.items():
                if not text:
                    self.add_error(f"{name}_{language.code}", _("Fill this in too, or leave this language out."))
        self.instance.other = other_texts
        return values


def _normalize(text: str) -> str:
    lines = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    return "".join(c for c in lines if c == "\n" or unicodedata.category(c) not in ("Cc", "Cs", "Cn", "Co"))


@require_safe
@audience(ALERT_WRITERS)
@touches(Ownership.EVERYBODY)
def alert_list(request: OfficeRequest) -> HttpResponse:
    """The newest alerts."""
    newest = Alert.objects.prefetch_related("units")[:MOST_IN_THE_FEED]
    city = present_city()
    now = timezone.now()
    certificate = ""
    if city.cap_signed:
        with suppress(AlertKeyUnusable):
            digits = certificate_fingerprint(now)
            # In groups of four, so that it wraps on a telephone and can be read aloud.
            certificate = " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))
    context = {"alerts": newest, "now": now, "host": city.public_host, "trusted": certificate}
    return render(request, "cap/alerts.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(ALERT_WRITERS)
@touches(Ownership.WARD)
def edit_alert(request: OfficeRequest, pk: int | None = None, refers_to: int | None = None) -> HttpResponse:
    """Write a draft, or an update of a sent alert: 302 to its preview, 422 bad form, 409 sent in the meantime.

    pk: the draft. refers_to: the alert to update. Without either, the draft is new.
    """
    if pk is not None:
        draft = get_object_or_404(Alert, pk=pk)
    elif refers_to is not None:
        before = get_object_or_404(Alert.objects.exclude(sent_at=None), pk=refers_to)
        _require_reach(request, before)
        draft = lifecycle.draft_update(before)
    else:
        draft = Alert()
    _require_reach(request, draft)
    initial = {"units": draft.refers_to.units.all()} if pk is None and draft.refers_to else {}
    form = AlertForm(request.POST or None, instance=draft, initial=initial, by=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            stored = lifecycle.save_draft(request.user, form.instance, list(form.cleaned_data["units"]), timezone.now())
        except lifecycle.AlertTooLong:
            form.add_error(
                "instruction_vi",
                gettext("In one language, the headline and the instructions together have over 600 characters."),
            )
        except lifecycle.AlertExpired:
            form.add_error("expires_at", gettext("This time has passed. Choose a later one."))
        except lifecycle.AlertReleased:
            return _notice(request, draft, gettext("This alert has been sent in the meantime. Update or cancel it."))
        else:
            return redirect("alert", stored.pk)
    return render(request, "cap/edit.html", {"form": form, "draft": draft}, status=422 if form.errors else 200)


@require_safe
@audience(ALERT_WRITERS)
@touches(Ownership.EVERYBODY)
def show_alert(request: OfficeRequest, pk: int) -> HttpResponse:
    """An alert as phones will show it, and as XML."""
    return _page(request, _alert_or_404(pk))


@require_POST
@audience(ALERT_SIGNERS)
@touches(Ownership.WARD)
@confirm_second_factor
def release_alert(request: OfficeRequest, pk: int) -> HttpResponse:
    """Send another person's draft: 302 to the alert or to the act that waits for a second person.

    409 with the reason if it cannot be sent.
    """
    alert = _alert_or_404(pk)
    now = timezone.now()
    _require_reach(request, alert, ALERT_SIGNERS.roles)
    try:
        second_person_missing = lifecycle.needs_second_person(request.user, alert) and not lifecycle.has_two_people(
            alert, request.user, now
        )
        if second_person_missing and (
            alert.written_by != request.user.username or two_persons.broken_glass(request.user, now)
        ):
            return _ask_second_person(request, "alert-released", alert, now)
        lifecycle.release_alert(request.user, alert, now)
    except lifecycle.OwnAlertReleased:
        return _notice(request, alert, gettext("You wrote this alert. Another signatory has to release it."))
    except lifecycle.AlertExpired:
        return _notice(request, alert, gettext("The alert would end before it is sent. Set a later end."))
    except lifecycle.AlertReleased:
        return _notice(request, alert, gettext("The alert has already been sent."))
    except AlertKeyUnusable:
        return _notice(request, alert, _key_unusable())
    messages.success(
        request, gettext("Sent: it is in the public feed. Give the file to the operator for the cell broadcast.")
    )
    return redirect("alert", pk)


@require_POST
@audience(ALERT_WRITERS)
@touches(Ownership.WARD)
@confirm_second_factor
def cancel_alert(request: OfficeRequest, pk: int) -> HttpResponse:
    """Cancel a sent alert: 302 to the cancellation or to the act that waits for a second person.

    409 if the alert is no longer valid.
    """
    alert = _alert_or_404(pk)
    now = timezone.now()
    _require_reach(request, alert)
    try:
        if lifecycle.needs_second_person(request.user, alert):
            lifecycle.require_cancellable(alert)
            return _ask_second_person(request, "alert-cancelled", alert, now)
        cancellation = lifecycle.cancel_alert(request.user, alert, now)
    except lifecycle.AlertReleased:
        return _notice(request, alert, gettext("Only a current alert can be cancelled."))
    except AlertKeyUnusable:
        return _notice(request, alert, _key_unusable())
    messages.success(request, gettext("Cancelled. Give the new file to the operator, so that phones are informed."))
    return redirect("alert", cancellation.pk)


@require_safe
@audience(ALERT_WRITERS)
@touches(Ownership.EVERYBODY)
def download_alert(request: OfficeRequest, pk: int) -> HttpResponse:
    """The file for the operator's cell broadcast; a draft has "draft" in its name."""
    alert = _alert_or_404(pk)
    response = _xml(alert)
    draft = "" if alert.sent_at else "draft-"
    response.headers["Content-Disposition"] = f'attachment; filename="{draft}{alert.identifier}.xml"'
    return response


@require_safe
@audience(EVERYONE)
def alert_feed(request: HttpRequest) -> HttpResponse:
    """Atom feed of the alerts of the last 30 days, newest first; exercises and tests are marked in the files."""
    city = present_city()
    now = timezone.now()
    published = _sent_alerts().filter(sent_at__gte=now - IN_THE_FEED).order_by("-sent_at")[:MOST_IN_THE_FEED]
    base = f"{origin_of(city.public_host, tls=settings.TLS)}/cap"
    entries = [(lifecycle.cap_message(alert, city, now), f"{base}/{alert.identifier}.xml") for alert in published]
    newest = entries[0][0].sent if entries else timezone.localtime(now).replace(hour=0, minute=0, second=0)
    # The name of the city only once if it is the same in both languages.
    title = " · ".join(dict.fromkeys(("CAP", city.name_vi, city.name_en)))
    response = HttpResponse(feed_xml(title, f"{base}/feed.xml", newest, entries), content_type="application/atom+xml")
    response.headers["Cache-Control"] = "public, max-age=60"
    return response


@require_safe
@audience(EVERYONE)
def public_alert(request: HttpRequest, identifier: str) -> HttpResponse:
    """A sent alert; 404 for a draft or none."""
    alert = _sent_alerts().filter(identifier=identifier).first()
    if alert is None:
        raise Http404
    response = _xml(alert)
    response.headers["Cache-Control"] = "public, max-age=60"
    return response


def _require_reach(request: OfficeRequest, alert: Alert, roles: frozenset[str] = ALERT_WRITERS.roles) -> None:
    if not lifecycle.has_reach(request.user, alert, roles):
        raise OutsideScope("the role does not reach every unit of the alert")


def _ask_second_person(request: OfficeRequest, kind: str, alert: Alert, now: datetime.datetime) -> HttpResponse:
    """Ask for a second person, or do the act at once behind a broken glass."""
    act, sent = two_persons.perform_or_request(kind, request.user, {"alert": alert.pk}, now)
    if act is None:
        messages.success(request, gettext("It is in the public feed. Give the file to the operator."))
        return redirect("alert", sent.pk if sent else alert.pk)
    messages.warning(request, gettext("Nothing is sent yet: a second person has to confirm it."))
    return redirect("waiting-act", act.pk)


def _sent_alerts() -> Any:
    return Alert.objects.exclude(sent_at=None).prefetch_related("units").select_related("refers_to")


def _alert_or_404(pk: int) -> Alert:
    return get_object_or_404(Alert.objects.prefetch_related("units").select_related("refers_to"), pk=pk)


def _xml(alert: Alert) -> HttpResponse:
    return HttpResponse(lifecycle.alert_file(alert, present_city(), timezone.now()), content_type=MEDIA_TYPE)


def _key_unusable() -> str:
    return gettext("Nothing was sent: the office’s key for alerts cannot be used. Tell an administrator.")


def _notice(request: OfficeRequest, alert: Alert, sentence: str) -> HttpResponse:
    return _page(request, alert, sentence, 409)


def _page(request: OfficeRequest, alert: Alert, sentence: str = "", status: int = 200) -> HttpResponse:
    now = timezone.now()
    message = lifecycle.cap_message(alert, present_city(), now)
    successor = alert.followed_by.exclude(sent_at=None).first()
    context = {
        "alert": alert,
        "message": message,
        "refused": sentence,
        "followed": successor,
        "may_write": lifecycle.has_reach(request.user, alert),
        "may_release": lifecycle.has_reach(request.user, alert, ALERT_SIGNERS.roles),
        "in_force": bool(alert.sent_at) and successor is None and alert.kind != Kind.CANCEL and alert.expires_at > now,
        "is_real": alert.status == Status.ACTUAL,
        "xml": lifecycle.alert_file(alert, present_city(), now).decode(),
    }
    return render(request, "cap/alert.html", context, status=status)
