# SPDX-License-Identifier: Apache-2.0
"""Pages of the first day: the list, the places of the city pack, slips with invitations, health stations, trials."""

import datetime
from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.audit import hash_chain
from bluezone.authority.people_views import chosen_people
from bluezone.desk.notices import NoticeNotSent
from bluezone.directory.kinds import AgencyKind, UnitKind
from bluezone.directory.models import Agency
from bluezone.directory.records.entries import DirectoryRefused
from bluezone.directory.records.store import ImportUnderWay
from bluezone.directory.scopes import holds_for_the_city, require_city
from bluezone.firstday import trials
from bluezone.firstday.checklist import checklist
from bluezone.firstday.city_pack import Found, city_pack
from bluezone.firstday.city_setup import (
    DemoCityInUse,
    Office,
    is_demo_city_there,
    offices_below,
    offices_of,
    set_up,
)
from bluezone.firstday.invitations import Invitation, ask_for_links, invite_by_message, invite_everybody, seats_on
from bluezone.firstday.models import Trial
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import ADMINS
from bluezone.identity.edits import SharedForm, SharedRows
from bluezone.identity.models import Role
from bluezone.identity.objects import Whose, touches
from bluezone.identity.second_factors import confirm_second_factor
from bluezone.identity.signin import LINK_LIFE
from bluezone.identity.typed_fields import PhoneLineField
from bluezone.messaging.email.outbox import EmailAddressInvalid
from bluezone.messaging.sms.destinations import DestinationInvalid
from bluezone.paper.qr_codes import qr_picture
from bluezone.refusal import Refused

_ADMIN = [Role.ADMIN]
# Two fields each; Django takes 400 in a form.
MOST_STATIONS = 190


@require_safe
@audience(ADMINS)
@touches(Whose.REACHED)
def first_day(request: OfficeRequest) -> HttpResponse:
    """What is done and what waits; an administrator of one agency or unit begins at the accounts within reach."""
    if not holds_for_the_city(request.user, _ADMIN):
        return redirect("accounts")
    return render(request, "firstday/first_day.html", {"list": checklist(timezone.now())})


@require_safe
@audience(ADMINS)
@touches(Whose.CITY)
def places(request: OfficeRequest) -> HttpResponse:
    """Look up a province, commune, ward or special zone; `?q=` finds it also by a name of before 2025.

    Without a word, the provinces.
    """
    require_city(request.user, _ADMIN)
    words = request.GET.get("q", "").strip()[:100]
    pack = city_pack()
    provinces = [Found(place) for place in pack.places.values() if place.province is None]
    found = pack.find(words) if words else provinces
    return render(request, "firstday/places.html", {"words": words, "found": found})


@require_http_methods(["GET", "HEAD", "POST"])
@audience(ADMINS)
@touches(Whose.CITY)
def set_up_place(request: OfficeRequest, code: str) -> HttpResponse:
    """Choose the offices of a place and enter all of it, with an account each: 201 with the slips, 409, 422.

    409 where the directory contradicts it or a list is being stored; nothing is stored then.
    """
    require_city(request.user, _ADMIN)
    place = city_pack().places.get(code)
    if place is None:
        raise Http404
    own = offices_of(place)
    below = offices_below(place, city_pack()) if place.kind is UnitKind.PROVINCE else []
    status = 200
    if request.method == "POST":
        status = 409
        try:
            made = set_up(request.user.username, place, _chosen(request, own, below))
        except DirectoryRefused as refused:
            messages.error(
                request,
                _("The directory holds something that contradicts this: %(key)s. Nothing was stored; look at it first.")
                % {"key": refused.key},
            )
        except ImportUnderWay:
            messages.error(request, _("A list is being stored. Wait until that is done, then try again."))
        else:
            counts = {"units": made.units, "agencies": made.agencies}
            told = (
                _("%(units)d units and %(agencies)d agencies are entered.")
                if made.units
                else _("%(agencies)d agencies are entered.")
            )
            messages.success(request, told % counts)
            return _slips(request, invite_everybody(request.user.username, timezone.now()))
    context = {"place": place, "offices": own[1:], "issuer": own[0], "below": _by_kind(below)}
    return render(request, "firstday/place.html", context, status=status)


def _chosen(request: OfficeRequest, own: list[Office], below: list[Office]) -> list[Office]:
    """What was left ticked; the People's Committee, which issues, is always in."""
    ticked = set(request.POST.getlist("office"))
    kinds = set(request.POST.getlist("below"))
    return [own[0], *(one for one in own[1:] if one.key in ticked), *(one for one in below if one.key in kinds)]


def _by_kind(below: list[Office]) -> list[tuple[str, str, int]]:
    """The offices of a province's communes, all of one kind by one tick: key, one of them, how many."""
    kinds = {office.key: office for office in below}
    return [(key, one.name, sum(office.key == key for office in below)) for key, one in kinds.items()]


@require_http_methods(["GET", "HEAD", "POST"])
@audience(ADMINS)
@touches(Whose.CITY)
def invitations(request: OfficeRequest) -> HttpResponse:
    """Who has an account and who has not come in yet; POST makes what is missing: 201 with the slips."""
    require_city(request.user, _ADMIN)
    if request.method == "POST":
        return _invite(request)
    seats = seats_on(timezone.localdate())
    return render(request, "firstday/invitations.html", {"seats": seats, "inside": seats.count - len(seats.empty)})


@confirm_second_factor
def _invite(request: OfficeRequest) -> HttpResponse:
    return _slips(request, invite_everybody(request.user.username, timezone.now()))


def _slips(request: OfficeRequest, invited: list[Invitation]) -> HttpResponse:
    """The slips of one-time links, shown once, and which links wait for a second person."""
    slips = []
    for one in invited:
        link = request.build_absolute_uri(reverse("start", args=[one.token]))
        slips.append({"invitation": one, "link": link, "picture": qr_picture(link)})
    asked = ask_for_links(request.user, timezone.now())
    context = {"slips": slips, "asked": asked, "hours": int(LINK_LIFE.total_seconds() // 3600)}
    return render(request, "firstday/slips.html", context, status=201)


class StationForm(SharedForm, forms.ModelForm):  # type: ignore[type-arg]
    """Telephone and hours of one health station."""

    class Meta:
        model = Agency
        fields = ("phone", "hours")
        field_classes = {"phone": PhoneLineField}  # noqa: RUF012 - Django's own way
        widgets = {  # noqa: RUF012
            "hours": forms.TextInput(attrs={"placeholder": "7:00–17:00", "autocomplete": "off"}),
        }


@require_POST
@audience(ADMINS)
@touches(Whose.REACHED)
@confirm_second_factor
def send_invitations(request: OfficeRequest) -> HttpResponse:
    """Send a new link to each account that is ticked, by mail or text message: 302, with who is to get a slip."""
    found = chosen_people(request)
    if not found:
        return redirect("invitations")
    sent = invite_by_message(
        request.user, found, lambda token: request.build_absolute_uri(reverse("start", args=[token])), timezone.now()
    )
    if sent.mailed or sent.texted:
        counts = {"mailed": sent.mailed, "texted": sent.texted}
        messages.success(request, _("Invitations sent: %(mailed)d by mail, %(texted)d by text message.") % counts)
    if sent.unreached:
        names = ", ".join(account.name for account in sent.unreached[:20])
        messages.warning(
            request,
            _("Print a slip for those without a telephone number or e-mail that works: %(names)s") % {"names": names},
        )
    return redirect("invitations")


@require_http_methods(["GET", "HEAD", "POST"])
@audience(ADMINS)
@touches(Whose.CITY)
def stations(request: OfficeRequest) -> HttpResponse:
    """Telephone and hours of every health station on one page: 302 stored, 409 changed meanwhile, 422 bad form."""
    require_city(request.user, _ADMIN)
    if request.method != "POST":
        return _stations_page(request, _station_rows(None))
    with transaction.atomic():
        # Of two who store in one moment the second sees what the first has stored.
        list(_stations().select_for_update().values_list("pk"))
        rows = _station_rows(request.POST)
        good = [row.is_valid() for row in rows]
        if not all(good):
            return _stations_page(request, rows)
        changed = [row for row in rows if row.has_changed()]
        for row in changed:
            row.instance.save(update_fields=row.changed_data)
            hash_chain.record(request.user.username, "entry_changed", row.instance.key, fields=sorted(row.changed_data))
    messages.success(request, _("Stored: %(count)d health stations.") % {"count": len(changed)})
    return redirect("first-day")


def _stations() -> QuerySet[Agency]:
    found = Agency.objects.in_force(timezone.localdate()).filter(kind=AgencyKind.HEALTH)
    return found.order_by("path")[:MOST_STATIONS]


def _station_rows(typed: QueryDict | None) -> list[StationForm]:
    return [StationForm(typed, instance=one, prefix=str(one.pk)) for one in _stations()]


def _stations_page(request: OfficeRequest, rows: list[StationForm]) -> HttpResponse:
    table = SharedRows([(row.instance.name, row) for row in rows])
    return render(request, "firstday/stations.html", {"rows": rows, "table": table}, status=acts.status_of(*rows))


@require_safe
@audience(ADMINS)
@touches(Whose.CITY)
def phone(request: OfficeRequest) -> HttpResponse:
    """A picture that leads some telephone to the public site; the page turns green when it has come."""
    require_city(request.user, _ADMIN)
    if Trial.Kind.PHONE in trials.passed() and "again" not in request.GET:
        return render(request, "firstday/phone.html", {"passed": True})
    address, since = trials.offer_to_phone(), int(timezone.now().timestamp())
    return render(request, "firstday/phone.html", {"address": address, "picture": qr_picture(address), "since": since})


@require_safe
@audience(ADMINS)
@touches(Whose.CITY)
def phone_state(request: OfficeRequest) -> HttpResponse:
    """The piece of that page which turns green for a telephone that came after `?since=`; the header says it too."""
    require_city(request.user, _ADMIN)
    found, since = trials.passed().get(Trial.Kind.PHONE), request.GET.get("since", "0")
    asked = int(since) if since.isdecimal() and len(since) < 12 else 0
    passed = found is not None and found.passed_at is not None and found.passed_at.timestamp() >= asked
    response = render(request, "firstday/phone_state.html", {"passed": passed})
    response.headers["X-Code-State"] = "passed" if passed else "open"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@audience(ADMINS)
@touches(Whose.CITY)
def demo(request: OfficeRequest) -> HttpResponse:
    """Plant a letter of practice that is under way, or remove all that was practised: 302 to the same page."""
    require_city(request.user, _ADMIN)
    by, now = request.user.username, timezone.now()
    if request.method == "POST":
        if "remove" in request.POST:
            trials.note_practice(now)
            try:
                trials.remove_demo(by, now)
            except DemoCityInUse:
                messages.error(
                    request,
                    _("Something that you made belongs to the demo city, such as an account. Remove that first."),
                )
            except ImportUnderWay:
                messages.error(request, _("A list is being stored. Wait until that is done, then try again."))
            else:
                messages.success(request, _("All that was practised is removed. Nothing real was touched."))
        elif "city" in request.POST:
            _plant_city(request, now)
        elif trials.plant_demo(by, now):
            messages.success(request, _("A letter is under way in training mode."))
        else:
            messages.error(request, _("Nothing was planted: choose your place first."))
        return redirect("first-day-demo")
    context = {"planted": trials.is_demo_planted(), "city": is_demo_city_there()}
    return render(request, "firstday/demo.html", context)


def _plant_city(request: OfficeRequest, now: datetime.datetime) -> None:
    try:
        trials.plant_demo_city(request.user.username, now)
    except (DirectoryRefused, ImportUnderWay):
        messages.error(request, _("A list is being stored. Wait until that is done, then try again."))
    else:
        messages.success(request, _("The demo city is there, with a letter under way in training mode."))


class AskForm(forms.Form):
    """Where a code is sent: an address or a telephone number, kept no longer than the message waits."""

    to = forms.CharField(label=gettext_lazy("Your own address or number"), max_length=100)


class AnswerForm(forms.Form):
    """What came back."""

    code = forms.CharField(
        label=gettext_lazy("What arrived"),
        max_length=12,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@audience(ADMINS)
@touches(Whose.CITY)
def trial(request: OfficeRequest, kind: str) -> HttpResponse:
    """Send a code to oneself and type it, or the end of the recovery key: 302 passed, 404 no such trial, 422."""
    require_city(request.user, _ADMIN)
    if kind not in (Trial.Kind.MAIL, Trial.Kind.SMS, Trial.Kind.PUSH, Trial.Kind.KEY):
        raise Http404
    sends = kind != Trial.Kind.KEY
    typed = request.POST if request.method == "POST" else None
    refusal = ""
    asked = AskForm(typed if typed and "to" in typed else None, initial={"to": request.user.email})
    answer = AnswerForm(typed if typed and "code" in typed else None)
    status = 200
    if asked.is_bound:
        status = _sent(request, kind, asked)
    elif answer.is_bound:
        status = _answered(request, kind, answer)
        if status == 200:
            return redirect("first-day")
    elif typed is not None and kind == Trial.Kind.PUSH:
        status, refusal = _noticed(request)
    waits = Trial.objects.filter(kind=kind, passed_at=None).exclude(digest="").exists()
    context = {
        "kind": kind, "sends": sends, "ask": asked, "answer": answer, "waits": waits or not sends, "refusal": refusal,
    }  # fmt: skip
    return render(request, "firstday/trial.html", context, status=status)


def _sent(request: OfficeRequest, kind: str, form: AskForm) -> int:
    if not form.is_valid():
        return 422
    send: Callable[..., None] = trials.send_mail if kind == Trial.Kind.MAIL else trials.send_sms
    try:
        send(form.cleaned_data["to"].strip(), timezone.now())
    except DestinationInvalid:
        form.add_error("to", _("This is no telephone number: 10 digits that begin with 0, or + and the country code."))
        return 422
    except EmailAddressInvalid:
        form.add_error("to", _("This is no e-mail address."))
        return 422
    except Refused:
        form.add_error("to", _("Nothing was sent. The page of text messages says why: no operator, or a spent budget."))
        return 422
    messages.success(request, _("A code is on its way. It counts for 24 hours."))
    return 200


def _noticed(request: OfficeRequest) -> tuple[int, str]:
    try:
        trials.send_notice(request.user, timezone.now())
    except NoticeNotSent:
        return 422, _(
            "Nothing was sent. Allow notices in this browser first, under “Notices”; if that is done, the server does "
            "not reach the push service of the browser’s maker."
        )
    messages.success(request, _("A code is on its way. It counts for 24 hours."))
    return 200, ""


def _answered(request: OfficeRequest, kind: str, form: AnswerForm) -> int:
    if not form.is_valid():
        return 422
    code, by, now = form.cleaned_data["code"], request.user.username, timezone.now()
    try:
        if kind == Trial.Kind.KEY:
            trials.prove_key(code, by, now)
        else:
            trials.give_back(cast(Any, Trial.Kind(kind)), code, by, now)
    except trials.TrialRefused:
        form.add_error("code", _("This is not it. Compare once more; after five wrong tries wait a day."))
        return 422
    messages.success(request, _("It works. The list has it."))
    return 200
