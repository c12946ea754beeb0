# SPDX-License-Identifier: Apache-2.0
"""Pages of the health authority: codes, batches, limits, venue alerts and statistics; declarations for supervisors."""

import datetime
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.directory.scopes import require_city_role
from bluezone.healthauthority import alerts as healthauthority_alerts
from bluezone.healthauthority import declaration_access, queries, quotas
from bluezone.healthauthority.codes import batches, issuance, practice, revocation, text_messages, tickets
from bluezone.healthauthority.codes.batches import RowAnswer
from bluezone.healthauthority.duty import CODE_ISSUERS, HEALTH_SUPERVISORS
from bluezone.healthauthority.forms import AlertForm, ChangePassphraseForm, IssueForm, KeyForm, OpenForm, RaiseForm
from bluezone.healthauthority.health_tags import inwords
from bluezone.healthauthority.models import IssuedCode
from bluezone.healthauthority.permissions import is_supervisor, visible_codes
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.factors.second_factors import confirm_second_factor, releases
from bluezone.identity.models import Role, User
from bluezone.identity.objects import Ownership, touches
from bluezone.identity.signin.attempts import SignInLocked, count_attempt
from bluezone.keyserver import statistics as published
from bluezone.keyserver.venues.alerts import AlertRefused
from bluezone.media_types import XLSX
from bluezone.messaging.sms.outbox import BudgetSpent
from bluezone.office_keyserver import key_server
from bluezone.paper.qr_codes import screen_qr
from bluezone.paper.tables import write_csv, write_xlsx
from bluezone.protocol.declarationkey import PassphraseTooShort, PassphraseWrong
from bluezone.protocol.upload.codes import Credential
from bluezone.protocol.venues.codes import InvalidVenue, VenueForeign
from bluezone.refusal import Refused
from bluezone.training import practised, practising

MOST_TYPED_TRIES = 5
_MESSAGE_REFUSALS: dict[type[Refused], int] = {
    text_messages.MessageOrderInvalid: 400,
    text_messages.CodeNotYours: 404,
    text_messages.CodeMessageSentBefore: 409,
    BudgetSpent: 429,
}
SECONDS_PER_HOUR = 3600
FILES_SHOWN = 24


@practised
@require_safe
@audience(CODE_ISSUERS)
@touches(Ownership.OWN, Ownership.REACHED.for_roles(Role.SUPERVISOR))
def code_list(request: OfficeRequest) -> HttpResponse:
    """Issued codes of the last 14 days, and when a report received now reaches phones."""
    server = key_server()
    now = timezone.now()
    context = {
        "page": queries.page_of_codes(request.user, request.GET.get("page")),
        "reach": queries.delivery_times(server, now),
        "quota": quotas.quota_of(server, request.user, now),
    }
    return render(request, "healthauthority/code_list.html", context)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(CODE_ISSUERS)
@touches(Ownership.OWN)
@releases
def new_code(request: OfficeRequest) -> HttpResponse:
    """Issue a code and show it once: 201 issued, 409 form sent before, 422 bad form, 429 over the day's quota."""
    server = key_server()
    now = timezone.now()
    form = IssueForm(request.POST or None)
    status = 422 if form.errors else 200
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            issued = issuance.issue_code(
                server, request.user, values["case_class"], values["onset"], now, values["form_id"]
            )
        except issuance.FormAlreadySent:
            return render(request, "healthauthority/code_shown_before.html", status=409)
        except issuance.QuotaReached:
            status = 429
        else:
            context = {"issued": issued, "reach": queries.delivery_times(server, now), "groups": issued.code.split("-")}
            return render(request, "healthauthority/code_issued.html", context, status=201)
    context = {"form": form, "quota": quotas.quota_of(server, request.user, now), "askable": queries.supervisor_names()}
    return render(request, "healthauthority/code_new.html", context, status=status)


@practised
@require_POST
@audience(CODE_ISSUERS)
@touches(Ownership.OWN, Ownership.AGENCY.for_roles(Role.SUPERVISOR))
def code_state(request: OfficeRequest, pk: int) -> HttpResponse:
    """The state of a code as a fragment of HTML, for a browser with its `ticket`.

    404 for another person's code or a wrong ticket. The ticket is sent in the body, because proxies log URLs.
    """
    server = key_server()
    now = timezone.now()
    issued = get_object_or_404(visible_codes(request.user), pk=pk)
    try:
        state = queries.code_state(server, issued, request.POST.get("ticket", ""))
    except tickets.TicketInvalid:
        raise Http404 from None
    context = {"state": state, "reach": queries.delivery_times(server, now)}
    response = render(request, "healthauthority/code_state.html", context)
    response.headers["X-Code-State"] = state
    return response


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(CODE_ISSUERS)
@touches(Ownership.OWN, Ownership.AGENCY.for_roles(Role.SUPERVISOR))
@confirm_second_factor
def revoke_code(request: OfficeRequest, pk: int) -> HttpResponse:
    """Ask for confirmation, then revoke the code, which the browser's `ticket` or the typed `code` identifies.

    302 to the list with a message whether it was in time, 404 another person's code, 422 neither ticket nor code, 429
    too many wrong codes.

    Needs a fresh second factor, so that a stolen session is not enough to revoke the codes of patients.
    """
    issued = get_object_or_404(visible_codes(request.user), pk=pk)
    problem = None
    status = 200
    if request.method == "POST":
        try:
            state = _revoke(request, issued)
        except SignInLocked:
            problem = _("Too many wrong codes. Try again in a quarter of an hour.")
            status = 429
        except Refused:
            problem = _("This is not a code from this city. Type its digits, or paste its link.")
            status = 422
    if request.method == "POST" and problem is None:
        if state == "revoked":
            messages.success(request, _("The code is revoked: its digits and its link no longer work."))
        elif state == "used":
            messages.warning(request, _("Too late: the code has been used. What was sent cannot be withdrawn."))
        else:
            messages.info(request, _("The code had already expired, so nothing was changed."))
        return redirect("codes")
    return render(request, "healthauthority/code_revoke.html", {"issued": issued, "problem": problem}, status=status)


def _revoke(request: OfficeRequest, issued: IssuedCode) -> str:
    """Revoke a code and return its new state.

    Raises TicketInvalid, InvalidCode, CodeUnknown, or SignInLocked after too many wrong codes.
    """
    server = key_server()
    ticket = request.POST.get("ticket", "")
    typed = request.POST.get("code", "").strip()
    if practising():
        return practice.revoke_practice_code(issued.handle, timezone.now())
    if ticket or not typed:
        return revocation.revoke_code(server, request.user, tickets.verify_ticket(issued, ticket))
    # Anybody with a code may revoke it; the limit prevents guessing codes.
    Credential.from_text(typed)
    lane = salted_hmac("typed code", str(request.user.pk)).hexdigest()
    claimed = count_attempt(lane, lane, MOST_TYPED_TRIES, timezone.now())
    state = revocation.revoke_code(server, request.user, typed)
    claimed.delete()
    return state


@practised
@require_safe
@audience(CODE_ISSUERS)
@touches(Ownership.OWN)
def issue_in_bulk(request: OfficeRequest) -> HttpResponse:
    """The page that reads a list of cases in the browser and requests their codes."""
    server = key_server()
    now = timezone.now()
    first, last = issuance.onset_bounds(timezone.localdate(now))
    context = {
        "quota": quotas.quota_of(server, request.user, now),
        "first": first,
        "last": last,
        "zone": settings.TIME_ZONE,
        "house_sends": text_messages.can_send_messages(),
        # Differs in each session, and cannot be computed without the office's secret.
        "sitting": salted_hmac("rows of a sitting", str(request.session.session_key), algorithm="sha256").hexdigest(),
        "tab": "bulk",
    }
    return render(request, "healthauthority/bulk.html", context)


@practised
@require_POST
@audience(CODE_ISSUERS)
@touches(Ownership.OWN)
@releases
def issue_batch(request: OfficeRequest) -> JsonResponse:
    """A code or a refusal for each of up to 50 rows of class and onset.

    201 with an answer for each row, the same answers if the same rows are sent again; 400 not a batch; 409 if other
    rows were sent under the same key.
    """
    server = key_server()
    now = timezone.now()
    try:
        key, rows = batches.read_batch(request.body)
        answers = batches.issue_batch(server, request.user, key, rows, now)
    except batches.BatchInvalid as refusal:
        return _error_response(refusal.code, refusal.message, 400)
    except batches.BatchChanged as refusal:
        return _error_response(refusal.code, refusal.message, 409)
    left = quotas.quota_of(server, request.user, now).left
    return JsonResponse({"rows": [_answer_for_page(answer) for answer in answers], "left": left}, status=201)


@practised
@require_POST
@audience(CODE_ISSUERS)
@touches(Ownership.OWN)
@releases
def send_message(request: OfficeRequest) -> JsonResponse:
    """Send the message of a code: 201 with its id, 404 another person's code, 409 sent before, 422 refused.

    429 if the day's messages are used up. No answer contains the number or the text.
    """
    try:
        order = text_messages.read_order(request.body)
        queued = text_messages.send_message(key_server(), request.user, order, timezone.now())
    except Refused as refusal:
        return _error_response(refusal.code, refusal.message, _MESSAGE_REFUSALS.get(type(refusal), 422))
    return JsonResponse({"message": str(queued.pk)}, status=201)


@practised
@require_safe
@audience(CODE_ISSUERS)
@touches(Ownership.OWN)
def message_states(request: OfficeRequest) -> JsonResponse:
    """The states of up to 50 messages, by the ids that only their senders got: `?id=…&id=…`."""
    return JsonResponse({"states": text_messages.message_states(request.GET.getlist("id"))})


def _answer_for_page(answer: RowAnswer) -> dict[str, Any]:
    if answer.refusal:
        return asdict(answer)
    ends = [datetime.datetime.fromtimestamp(end, datetime.UTC) for end in (answer.expires, answer.link_expires)]
    words = {"until_words": inwords(ends[0]), "link_until_words": inwords(ends[1])}
    return {**asdict(answer), **words, "qr": screen_qr(answer.link)}


def _error_response(code: str, message: str, status: int) -> JsonResponse:
    return JsonResponse({"error": {"code": code, "message": message}}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(HEALTH_SUPERVISORS)
@touches(Ownership.REACHED)
def raise_quota(request: OfficeRequest) -> HttpResponse:
    """Issued codes and limits of today, and a form to raise a limit: 302 raised, 422 bad form."""
    server = key_server()
    now = timezone.now()
    form = RaiseForm(request.POST or None, by=request.user)
    if request.method == "POST" and form.is_valid():
        _raise(request, form, now)
        return redirect("code-quota")
    context = {
        "form": form,
        "rows": [row for row in quotas.quotas_of_all(server, now) if row[0] in form.workers],
        "raises": quotas.raises_of_today(now, request.user),
        "city": server.city,
        "tab": "quota",
    }
    return render(request, "healthauthority/quota.html", context, status=422 if form.errors else 200)


def _raise(request: OfficeRequest, form: RaiseForm, now: datetime.datetime) -> None:
    target = form.target
    more = form.cleaned_data["more"]
    reason = form.cleaned_data["reason"]
    if isinstance(target, User):
        quotas.raise_worker_limit(request.user, target, more, reason, now)
    else:
        quotas.raise_facility_limit(request.user, target, more, reason, now)
    sentence = _("%(name)s may issue %(more)s more codes today. This ends at midnight.")
    messages.success(request, sentence % {"name": target.name, "more": more})


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(CODE_ISSUERS)
@touches(Ownership.EVERYBODY)
@releases
def publish_venue_alert(request: OfficeRequest) -> HttpResponse:
    """Warn the visitors of a venue, after a page that shows which venue it is.

    200 form or confirmation page, 201 sent, 409 sent before, 422 bad form or hours.
    """
    form = AlertForm(request.POST or None)
    context = {"form": form, "tab": "venues", "practising": practising()}
    if request.method != "POST" or not form.is_valid():
        return render(request, "healthauthority/venue_alert.html", context, status=422 if form.errors else 200)
    server = key_server()
    values = form.cleaned_data
    span = (values["start"], values["end"])
    sending = request.POST.get("confirm") == "yes"
    try:
        if sending:
            venue = healthauthority_alerts.publish_alert(server, request.user, values["code"], *span, values["form_id"])
        else:
            venue = server.venue_alerts.check_alert(values["code"], *(int(moment.timestamp()) for moment in span))
    except healthauthority_alerts.AlertAlreadySent:
        return render(request, "healthauthority/venue_alert_sent.html", context | {"again": True}, status=409)
    except VenueForeign:
        form.add_error("code", _("This city did not sign this code, or the code was changed. No one was warned."))
    except InvalidVenue:
        form.add_error("code", _("This is not a venue code. Scan the poster again. No one was warned."))
    except AlertRefused:
        form.add_error(
            "day", _("The hours must be over, be within the last 14 days and be 24 at most. No one was warned.")
        )
    else:
        context |= {"told": venue, "start": span[0], "end": span[1]}
        page = "venue_alert_sent" if sending else "venue_alert_confirm"
        return render(request, f"healthauthority/{page}.html", context, status=201 if sending else 200)
    return render(request, "healthauthority/venue_alert.html", context, status=422)


@require_safe
@audience(CODE_ISSUERS)
@touches(Ownership.EVERYBODY)
def show_statistics(request: OfficeRequest) -> HttpResponse:
    """Codes by day, and files with their keys; for supervisors also reports and attempts to guess codes."""
    server = key_server()
    everything = is_supervisor(request.user)
    rows = queries.code_rows(everything=everything)
    files = queries.file_rows(server, FILES_SHOWN)
    guessed = published.guessing_alarm_hours(server.codes_store) if everything else []
    reports = queries.reports_per_day(server) if everything else []
    context = {
        "rows": rows,
        "total": queries.total_issued(rows),
        "everything": everything,
        "reports": reports,
        "received": sum(count for _day, _class, count in reports),
        "code_columns": queries.code_columns(rows),
        "report_columns": queries.report_columns(reports),
        "file_columns": queries.file_columns(files),
        "guessed": [hour * SECONDS_PER_HOUR for hour in guessed],
        "files": files,
        "file_count": len(published.files(server.keys_store)),
        "key_count": sum(row.keys for row in files),
        "padding": server.city.padding_mean,
        "tab": "statistics",
    }
    return render(request, "healthauthority/statistics.html", context)


@require_safe
@audience(CODE_ISSUERS)
@touches(Ownership.NOTHING)
def download_statistics(request: OfficeRequest, form: str) -> HttpResponse:
    """The tables of the page: `codes.csv`, `files.csv` or `statistics.xlsx`; 404 for anything else."""
    server = key_server()
    everything = is_supervisor(request.user)
    media_type = "text/csv; charset=utf-8"
    if form == "codes.csv":
        body = write_csv(queries.codes_sheet(everything=everything))
    elif form == "files.csv":
        body = write_csv(queries.files_sheet(server))
    elif form == "statistics.xlsx":
        body = write_xlsx(queries.statistics_sheets(server, everything=everything))
        media_type = XLSX
    else:
        raise Http404
    name = f"bluezone-{timezone.localdate():%Y-%m-%d}-{form}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(body, content_type=media_type, headers=headers)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@audience(HEALTH_SUPERVISORS)
@touches(Ownership.CITY)
def declaration_list(request: OfficeRequest) -> HttpResponse:
    """Sealed declarations, newest first; POST opens the ticked ones: 200 shown once, 403 or 429 wrong passphrase."""
    require_city_role(request.user, HEALTH_SUPERVISORS.roles)
    server = key_server()
    now = timezone.now()
    declaration_access.publish_current_key(server)
    form = OpenForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        handles = request.POST.getlist("handle")
        status = 422
        complete = form.is_valid()
        if not handles:
            form.add_error(
                None, _("You have not ticked anything. Tick the declarations to open, then enter the passphrase.")
            )
        elif complete:
            try:
                opened = declaration_access.open_declarations(
                    server, request.user, handles, form.cleaned_data["passphrase"], now
                )
            except PassphraseWrong:
                status = 403
                form.add_error("passphrase", _("This passphrase does not open the key. Nothing was opened."))
            except declaration_access.PassphraseTriesUsed:
                status = 429
                form.add_error("passphrase", _("Five wrong tries: wait 15 minutes. Nothing was opened."))
            else:
                return render(request, "healthauthority/declarations_opened.html", _opened_context(opened))
    page = Paginator(server.declarations.list_declarations(), declaration_access.MOST_AT_ONCE).get_page(
        request.GET.get("page")
    )
    context = {
        "key": declaration_access.current_key(),
        "page": page,
        "rows": queries.declaration_rows(page.object_list),
        "form": form,
        "tab": "declarations",
    }
    return render(request, "healthauthority/declarations.html", context, status=status)


@require_POST
@audience(HEALTH_SUPERVISORS)
@touches(Ownership.CITY)
def record_declaration_call(request: OfficeRequest, handle: str) -> HttpResponse:
    """Note that the sender was called: 204, so that the page with the declarations stays; 404 not opened."""
    require_city_role(request.user, HEALTH_SUPERVISORS.roles)
    if not declaration_access.record_declaration_call(handle, timezone.now()):
        raise Http404
    return HttpResponse(status=204)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@audience(HEALTH_SUPERVISORS)
@touches(Ownership.CITY)
@confirm_second_factor
def make_declaration_key(request: OfficeRequest) -> HttpResponse:
    """Make or replace the key for declarations: 302 made or to the second factor, 422 bad form."""
    require_city_role(request.user, HEALTH_SUPERVISORS.roles)
    form = KeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            declaration_access.make_declaration_key(
                key_server(), request.user, form.cleaned_data["new"], timezone.now()
            )
        except PassphraseTooShort:
            form.add_error("new", _("Too short: at least 16 characters. Nothing was changed."))
        else:
            messages.success(request, _("The key has been created. Phones get it at their next check, within 5 hours."))
            return redirect("code-declarations")
    context = {"form": form, "key": declaration_access.current_key(), "tab": "declarations"}
    return render(request, "healthauthority/declaration_key.html", context, status=422 if form.errors else 200)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@audience(HEALTH_SUPERVISORS)
@touches(Ownership.CITY)
@confirm_second_factor
def change_declaration_passphrase(request: OfficeRequest) -> HttpResponse:
    """Change the passphrase of the key: 302 changed or to the second factor, 422 bad form or wrong passphrase."""
    require_city_role(request.user, HEALTH_SUPERVISORS.roles)
    form = ChangePassphraseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            values = form.cleaned_data
            declaration_access.change_passphrase(request.user, values["present"], values["new"], timezone.now())
        except PassphraseWrong:
            form.add_error("present", _("This passphrase does not open the key. Nothing was changed."))
        except declaration_access.PassphraseTriesUsed:
            form.add_error("present", _("Five wrong tries: wait 15 minutes. Nothing was changed."))
        except PassphraseTooShort:
            form.add_error("new", _("Too short: at least 16 characters. Nothing was changed."))
        else:
            messages.success(request, _("The passphrase has been changed; the old one no longer works."))
            return redirect("code-declarations")
    context = {"form": form, "tab": "declarations"}
    return render(request, "healthauthority/declaration_passphrase.html", context, status=422 if form.errors else 200)


def _opened_context(opened: list[declaration_access.OpenedMessage]) -> dict[str, object]:
    day_zero = datetime.date(1970, 1, 1)
    rows = [
        {
            "handle": item.handle,
            "received": item.received_hour * queries.SECONDS_PER_HOUR,
            "declaration": item.declaration,
            "day": day_zero + datetime.timedelta(days=item.declaration.day) if item.declaration else None,
        }
        for item in opened
    ]
    return {"opened": rows, "tab": "declarations"}
