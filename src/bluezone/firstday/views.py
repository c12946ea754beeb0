# SPDX-License-Identifier: Apache-2.0
"""Pages of the first day: the list, the places of the city pack, slips with invitations, health stations, trials."""

import datetime
from collections import Counter
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
from bluezone.authority.people.people_views import chosen_people
from bluezone.desk.notices import NoticeNotSent
from bluezone.directory.kinds import AgencyKind, UnitKind
from bluezone.directory.models import Agency
from bluezone.directory.records.entries import DirectoryRefused
from bluezone.directory.records.store import ImportUnderWay
from bluezone.directory.scopes import has_city_role, require_city_role
from bluezone.firstday import trials
from bluezone.firstday.checklist import build_checklist
from bluezone.firstday.city_pack import PlaceMatch, city_pack
from bluezone.firstday.city_setup import (
    DemoCityInUse,
    Office,
    commune_offices,
    is_demo_city_there,
    set_up,
    usual_offices,
)
from bluezone.firstday.invitations import Invitation, invite_by_message, invite_everybody, request_links, seats_on
from bluezone.firstday.models import Trial
from bluezone.identity import acts
from bluezone.identity.account_links import LINK_LIFE
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import ADMINS
from bluezone.identity.edits import SharedForm, SharedRows
from bluezone.identity.factors.second_factors import confirm_second_factor
from bluezone.identity.models import Role
from bluezone.identity.objects import Ownership, touches
from bluezone.identity.typed_fields import PhoneLineField
from bluezone.messaging.email.outbox import EmailAddressInvalid
from bluezone.messaging.sms.destinations import DestinationInvalid
from bluezone.paper.qr_codes import qr_picture
from bluezone.refusal import Refused

_ADMIN = [Role.ADMIN]
# Each has two fields; Django accepts 400 in a form.
MOST_STATIONS = 190


@require_safe
@audience(ADMINS)
@touches(Ownership.REACHED)
def first_day(request: OfficeRequest) -> HttpResponse:
    """The checklist; an administrator of only an agency or unit is sent to the accounts within reach."""
    if not has_city_role(request.user, _ADMIN):
        return redirect("accounts")
    return render(request, "firstday/first_day.html", {"list": build_checklist(timezone.now())})


@require_safe
@audience(ADMINS)
@touches(Ownership.CITY)
def places(request: OfficeRequest) -> HttpResponse:
    """Look up a province, commune, ward or special zone; `?q=` also finds it by a name from before the reform.

    Without `q`, lists the provinces.
    """
    require_city_role(request.user, _ADMIN)
    words = request.GET.get("q", "").strip()[:100]
    pack = city_pack()
    provinces = [PlaceMatch(place) for place in pack.places.values() if place.province is None]
    matches = pack.find(words) if words else provinces
    return render(request, "firstday/places.html", {"words": words, "found": matches})


@require_http_methods(["GET", "HEAD", "POST"])
@audience(ADMINS)
@touches(Ownership.CITY)
def set_up_place(request: OfficeRequest, code: str) -> HttpResponse:
    """Choose the offices of a place and enter them, with an account for each: 201 with the slips, or 409.

    409 if the directory contradicts it or a list is being stored; nothing is stored then.
    """
    require_city_role(request.user, _ADMIN)
    place = city_pack().places.get(code)
    if place is None:
        raise Http404
    own = usual_offices(place)
    below = commune_offices(place, city_pack()) if place.kind is UnitKind.PROVINCE else []
    status = 200
    if request.method == "POST":
        status = 409
        try:
            result = set_up(request.user.username, place, _chosen(request, own, below))
        except DirectoryRefused as refused:
            messages.error(
                request,
                _("The directory contains an entry that contradicts this: %(key)s. Nothing was stored; check it first.")
                % {"key": refused.key},
            )
        except ImportUnderWay:
            messages.error(request, _("A list is being stored. Wait until that is finished, then try again."))
        else:
            counts = {"units": result.units, "agencies": result.agencies}
            text = _("%(agencies)d agencies have been entered.")
            if result.units:
                text = _("%(units)d units and %(agencies)d agencies have been entered.")
            messages.success(request, text % counts)
            return _slips(request, invite_everybody(request.user.username, timezone.now()))
    context = {"place": place, "offices": own[1:], "issuer": own[0], "below": _by_kind(below)}
    return render(request, "firstday/place.html", context, status=status)


def _chosen(request: OfficeRequest, own: list[Office], below: list[Office]) -> list[Office]:
    """The ticked offices; the People's Committee, which issues letters, is always included."""
    ticked = set(request.POST.getlist("office"))
    kinds = set(request.POST.getlist("below"))
    chosen_own = [office for office in own[1:] if office.key in ticked]
    chosen_below = [office for office in below if office.key in kinds]
    return [own[0], *chosen_own, *chosen_below]


def _by_kind(below: list[Office]) -> list[tuple[str, str, int]]:
    """The offices of a province's communes by kind, for one tick each: key, name of an example, how many."""
    counts = Counter(office.key for office in below)
    examples = {office.key: office.name for office in below}
    return [(key, name, counts[key]) for key, name in examples.items()]


@require_http_methods(["GET", "HEAD", "POST"])
@audience(ADMINS)
@touches(Ownership.CITY)
def invitations(request: OfficeRequest) -> HttpResponse:
    """Show who has an account and who has not signed in yet; POST makes the missing accounts: 201 with the slips."""
    require_city_role(request.user, _ADMIN)
    if request.method == "POST":
        return _invite(request)
    seats = seats_on(timezone.localdate())
    return render(request, "firstday/invitations.html", {"seats": seats, "inside": seats.count - len(seats.empty)})


@confirm_second_factor
def _invite(request: OfficeRequest) -> HttpResponse:
    return _slips(request, invite_everybody(request.user.username, timezone.now()))


def _slips(request: OfficeRequest, invited: list[Invitation]) -> HttpResponse:
    """The slips of one-time links, displayed once, and the links that wait for a second person."""
    slips = []
    for invitation in invited:
        link = request.build_absolute_uri(reverse("start", args=[invitation.token]))
        slips.append({"invitation": invitation, "link": link, "picture": qr_picture(link)})
    requested = request_links(request.user, timezone.now())
    context = {"slips": slips, "asked": requested, "hours": int(LINK_LIFE.total_seconds() // 3600)}
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
@touches(Ownership.REACHED)
@confirm_second_factor
def send_invitations(request: OfficeRequest) -> HttpResponse:
    """Send a new link to each ticked account, by mail or text message: 302, and name those who need a slip."""
    people = chosen_people(request)
    if not people:
        return redirect("invitations")
    sent = invite_by_message(
        request.user, people, lambda token: request.build_absolute_uri(reverse("start", args=[token])), timezone.now()
    )
    if sent.mailed or sent.texted:
        counts = {"mailed": sent.mailed, "texted": sent.texted}
        messages.success(request, _("Invitations sent: %(mailed)d by e-mail, %(texted)d by text message.") % counts)
    if sent.unreached:
        names = ", ".join(account.name for account in sent.unreached[:20])
        messages.warning(
            request,
            _("Print a slip for people without a working telephone number or e-mail: %(names)s") % {"names": names},
        )
    return redirect("invitations")


@require_http_methods(["GET", "HEAD", "POST"])
@audience(ADMINS)
@touches(Ownership.CITY)
def stations(request: OfficeRequest) -> HttpResponse:
    """Edit telephone and hours of all health stations: 302 stored, 409 changed by others meanwhile, 422 bad form."""
    require_city_role(request.user, _ADMIN)
    if request.method != "POST":
        return _stations_page(request, _station_rows(None))
    with transaction.atomic():
        # If two people store at the same moment, the second sees what the first has stored.
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
    agencies = Agency.objects.valid_on(timezone.localdate()).filter(kind=AgencyKind.HEALTH)
    return agencies.order_by("path")[:MOST_STATIONS]


def _station_rows(typed: QueryDict | None) -> list[StationForm]:
    return [StationForm(typed, instance=agency, prefix=str(agency.pk)) for agency in _stations()]


def _stations_page(request: OfficeRequest, rows: list[StationForm]) -> HttpResponse:
    table = SharedRows([(row.instance.name, row) for row in rows])
    return render(request, "firstday/stations.html", {"rows": rows, "table": table}, status=acts.form_status(*rows))


@require_safe
@audience(ADMINS)
@touches(Ownership.CITY)
def phone(request: OfficeRequest) -> HttpResponse:
    """Show a QR code that leads any telephone to the public site; the page turns green when one has opened it."""
    require_city_role(request.user, _ADMIN)
    if Trial.Kind.PHONE in trials.passed_trials() and "again" not in request.GET:
        return render(request, "firstday/phone.html", {"passed": True})
    address = trials.make_phone_link()
    since = int(timezone.now().timestamp())
    return render(request, "firstday/phone.html", {"address": address, "picture": qr_picture(address), "since": since})


@require_safe
@audience(ADMINS)
@touches(Ownership.CITY)
def phone_state(request: OfficeRequest) -> HttpResponse:
    """The part of that page that turns green for a telephone after `?since=`; a header has the state, too."""
    require_city_role(request.user, _ADMIN)
    phone_trial = trials.passed_trials().get(Trial.Kind.PHONE)
    since = request.GET.get("since", "0")
    earliest = int(since) if since.isdecimal() and len(since) < 12 else 0
    passed_at = phone_trial.passed_at if phone_trial else None
    passed = passed_at is not None and passed_at.timestamp() >= earliest
    response = render(request, "firstday/phone_state.html", {"passed": passed})
    response.headers["X-Code-State"] = "passed" if passed else "open"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@audience(ADMINS)
@touches(Ownership.CITY)
def demo(request: OfficeRequest) -> HttpResponse:
    """Plant a practice letter that is under way, or remove all practice data: 302 to the same page."""
    require_city_role(request.user, _ADMIN)
    by = request.user.username
    now = timezone.now()
    if request.method == "POST":
        if "remove" in request.POST:
            trials.note_practice(now)
            try:
                trials.remove_demo(by, now)
            except DemoCityInUse:
                messages.error(
                    request,
                    _("Something that you created, such as an account, belongs to the demo city. Remove that first."),
                )
            except ImportUnderWay:
                messages.error(request, _("A list is being stored. Wait until that is finished, then try again."))
            else:
                messages.success(request, _("All practice data has been removed. Real data was not changed."))
        elif "city" in request.POST:
            _plant_city(request, now)
        elif trials.plant_demo(by, now):
            messages.success(request, _("A letter is in progress in training mode."))
        else:
            messages.error(request, _("Nothing was added: choose your place first."))
        return redirect("first-day-demo")
    context = {"planted": trials.is_demo_planted(), "city": is_demo_city_there()}
    return render(request, "firstday/demo.html", context)


def _plant_city(request: OfficeRequest, now: datetime.datetime) -> None:
    try:
        trials.plant_demo_city(request.user.username, now)
    except (DirectoryRefused, ImportUnderWay):
        messages.error(request, _("A list is being stored. Wait until that is finished, then try again."))
    else:
        messages.success(request, _("The demo city has been added, with a letter in progress in training mode."))


class AskForm(forms.Form):
    """Where to send a code: an address or a telephone number, stored only while the message waits."""

    to = forms.CharField(label=gettext_lazy("Your own address or number"), max_length=100)


class AnswerForm(forms.Form):
    """The code that arrived."""

    code = forms.CharField(
        label=gettext_lazy("What arrived"),
        max_length=12,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@audience(ADMINS)
@touches(Ownership.CITY)
def trial(request: OfficeRequest, kind: str) -> HttpResponse:
    """Send a code to oneself and enter it, or the end of the recovery key: 302 passed, 404 no such trial, 422."""
    require_city_role(request.user, _ADMIN)
    if kind not in (Trial.Kind.MAIL, Trial.Kind.SMS, Trial.Kind.PUSH, Trial.Kind.KEY):
        raise Http404
    sends = kind != Trial.Kind.KEY
    typed = request.POST if request.method == "POST" else None
    refusal = ""
    ask_form = AskForm(typed if typed and "to" in typed else None, initial={"to": request.user.email})
    answer_form = AnswerForm(typed if typed and "code" in typed else None)
    status = 200
    if ask_form.is_bound:
        status = _send_code(request, kind, ask_form)
    elif answer_form.is_bound:
        status = _check_answer(request, kind, answer_form)
        if status == 200:
            return redirect("first-day")
    elif typed is not None and kind == Trial.Kind.PUSH:
        status, refusal = _send_notice(request)
    waits = Trial.objects.filter(kind=kind, passed_at=None).exclude(digest="").exists()
    context = {
        "kind": kind, "sends": sends, "ask": ask_form, "answer": answer_form, "waits": waits or not sends,
        "refusal": refusal,
    }  # fmt: skip
    return render(request, "firstday/trial.html", context, status=status)


def _send_code(request: OfficeRequest, kind: str, form: AskForm) -> int:
    if not form.is_valid():
        return 422
    send: Callable[..., None] = trials.send_mail if kind == Trial.Kind.MAIL else trials.send_sms
    try:
        send(form.cleaned_data["to"].strip(), timezone.now())
    except DestinationInvalid:
        form.add_error(
            "to", _("This is not a telephone number. Enter 10 digits starting with 0, or + and the country code.")
        )
        return 422
    except EmailAddressInvalid:
        form.add_error("to", _("This is not an e-mail address."))
        return 422
    except Refused:
        form.add_error(
            "to", _("Nothing was sent. The text messages page shows why: no operator, or the budget is used up.")
        )
        return 422
    messages.success(request, _("A code is on its way. It is valid for 24 hours."))
    return 200


def _send_notice(request: OfficeRequest) -> tuple[int, str]:
    try:
        trials.send_notice(request.user, timezone.now())
    except NoticeNotSent:
        return 422, _(
            "Nothing was sent. Allow notices in this browser first, under “Notices”; if you have done that, the "
            "server cannot reach the push service of the browser’s maker."
        )
    messages.success(request, _("A code is on its way. It is valid for 24 hours."))
    return 200, ""


def _check_answer(request: OfficeRequest, kind: str, form: AnswerForm) -> int:
    if not form.is_valid():
        return 422
    code = form.cleaned_data["code"]
    by = request.user.username
    now = timezone.now()
    try:
        if kind == Trial.Kind.KEY:
            trials.submit_key_ending(code, by, now)
        else:
            trials.submit_code(cast(Any, Trial.Kind(kind)), code, by, now)
    except trials.TrialRefused:
        form.add_error(
            "code", _("This is not right. Compare once more. After five wrong tries you have to wait a day.")
        )
        return 422
    messages.success(request, _("It works. The step is now done in the list."))
    return 200
