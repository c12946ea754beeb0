# SPDX-License-Identifier: Apache-2.0
"""Pages of the exchange with other offices and their forms: read a file in after looking at it, take files to send,
messages of other
offices, the certificates and addresses of partners.
"""

import datetime
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from django import forms
from django.contrib import messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.directory.models import Agency
from bluezone.directory.queries import day_to_show
from bluezone.directory.scopes import require_city_role
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import ADMINS, EVERYONE, SIGNED_IN
from bluezone.identity.edits import SharedForm
from bluezone.identity.factors.second_factors import confirm_second_factor
from bluezone.identity.models import Role
from bluezone.identity.objects import Ownership, touches
from bluezone.refusal import Refused
from bluezone.rollout.directives import permissions, sentences
from bluezone.rollout.directives.duty import DIRECTIVE_CLERKS
from bluezone.rollout.directives.exchange import courier, handover, outgoing, partners, uploads
from bluezone.rollout.directives.exchange.edxml import BusinessKind, StatusMessage
from bluezone.rollout.directives.exchange.handover import Outcome, Receipt
from bluezone.rollout.directives.exchange.outgoing import Written
from bluezone.rollout.directives.exchange.partners import fingerprint, office_certificate
from bluezone.rollout.directives.inbox import dispatch_acts
from bluezone.rollout.directives.models import (
    Delivery,
    DirectiveState,
    Dispatch,
    DispatchEvent,
    ExchangedFile,
    ExchangeImport,
    PartnerAddress,
    PartnerCertificate,
    RefusedMessage,
)


class ExchangeFileForm(forms.Form):
    """An edXML file of another office."""

    file = forms.FileField(label=_("edXML file"), help_text=_("At most 15 MB. You see it before anything is stored."))


class CertificateForm(forms.Form):
    """A certificate as a file or pasted, and whose it is."""

    agency = forms.ModelChoiceField(label=_("Agency"), queryset=Agency.objects.none())
    use = forms.ChoiceField(
        label=_("Used for"), choices=PartnerCertificate.Use.choices, initial=PartnerCertificate.Use.EXCHANGE
    )
    file = forms.FileField(label=_("Certificate file (PEM or DER)"), required=False)
    pem = forms.CharField(
        label=_("Or its text"),
        help_text=_("From “BEGIN CERTIFICATE” to “END CERTIFICATE”."),
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocomplete": "off"}),
        required=False,
        max_length=20_000,
    )

    def __init__(self, *args: Any, agencies: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["agency"].queryset = agencies  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Either a file or a text."""
        values = super().clean() or {}
        if not values.get("file") and not values.get("pem", "").strip() and not self.errors:
            raise forms.ValidationError(_("Choose the file of the certificate or paste its text."))
        return values

    @property
    def data_sent(self) -> bytes:
        """The bytes of the certificate; call on a valid form."""
        file = self.cleaned_data["file"]
        return bytes(file.read()) if file else self.cleaned_data["pem"].strip().encode()


class AddressForm(SharedForm, forms.Form):
    """Where the office of an agency takes messages, and who must have issued its server's certificate."""

    changes_something = True
    url = forms.CharField(
        label=_("Address"),
        help_text=_("For example https://vanthu.example.gov.vn. If empty, files are handed over by hand again."),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
    )
    authority = forms.CharField(
        label=_("Certificate authority of the address"),
        help_text=_(
            "Its certificate as text, if the other office has its own authority. If empty, a public one is used."
        ),
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocomplete": "off"}),
        required=False,
        max_length=20_000,
    )


SHOWN = 50
# So many messages of one partner are refused within so long; after that it waits, and nothing of it is read.
MOST_REFUSED = 30
REFUSED_WITHIN = datetime.timedelta(minutes=10)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(DIRECTIVE_CLERKS)
@touches(Ownership.REACHED)
def exchange(request: OfficeRequest) -> HttpResponse:
    """What waits to be sent as a file, what was exchanged; send a file in: 302 to its preview, 422 with a sentence."""
    form = ExchangeFileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        with acts.refusals_as_form_errors(form, sentences.sentence_of, field="file"):
            waiting = uploads.receive(file.read(), file.name or "", request.user, timezone.now())
            return redirect("directive-exchange-look", waiting.pk)
    return render(request, "directives/exchange.html", _context(request, form), status=422 if form.errors else 200)


@require_safe
@audience(DIRECTIVE_CLERKS)
@touches(Ownership.OWN)
def look(request: OfficeRequest, pk: int) -> HttpResponse:
    """What a file is and would do; nothing of it is stored yet."""
    return _look(request, _own(request, pk))


@require_POST
@audience(DIRECTIVE_CLERKS)
@touches(Ownership.OWN)
def apply(request: OfficeRequest, pk: int) -> HttpResponse:
    """Do what the preview showed: 302, 409 when it cannot be done any more."""
    waiting = _own(request, pk)
    try:
        seen = uploads.apply(waiting, request.POST.get("digest", ""), request.user, timezone.now())
    except Refused as refused:
        return _look(request, waiting, sentences.sentence_of(refused), status=409)
    if seen.dispatch is not None:
        messages.success(request, gettext("The state has been stored."))
        return redirect("directive", seen.dispatch.directive_id)
    messages.success(request, gettext("The file has been imported."))
    return redirect("inbox")


@require_POST
@audience(DIRECTIVE_CLERKS)
@touches(Ownership.OWN)
def discard(request: OfficeRequest, pk: int) -> HttpResponse:
    """Forget a file that was looked at; 302."""
    _own(request, pk).delete()
    messages.info(request, gettext("The file was discarded; nothing was stored."))
    return redirect("directive-exchange")


@require_POST
@audience(DIRECTIVE_CLERKS)
@touches(Ownership.AGENCY)
def document_file(request: OfficeRequest, pk: int) -> HttpResponse:
    """A directive as the edXML file for one agency: 200 the file, 302 with a sentence. pk: of the dispatch."""
    found = Dispatch.objects.select_related("directive__issuer__unit", "directive__original", "agency__unit")
    dispatch = get_object_or_404(found.select_related("directive__replaces__issuer"), pk=pk)
    permissions.require_clerk(request.user, dispatch.directive.issuer)
    return _file(
        request,
        lambda: outgoing.write_document(dispatch, request.user, timezone.now()),
        redirect("directive", dispatch.directive_id),
    )


@require_POST
@audience(DIRECTIVE_CLERKS)
@touches(Ownership.AGENCY)
def status_file(request: OfficeRequest, pk: int) -> HttpResponse:
    """A state as the edXML file for the document's sender: 200 the file, 302 with a sentence. pk: of the event."""
    event = get_object_or_404(
        DispatchEvent.objects.select_related("dispatch__directive__issuer", "dispatch__agency__unit", "actor"), pk=pk
    )
    permissions.require_clerk(request.user, event.dispatch.agency)
    return _file(
        request,
        lambda: outgoing.write_status(event, request.user, timezone.now()),
        redirect("inbox-one", event.dispatch_id),
    )


@require_POST
@audience(SIGNED_IN)
@touches(Ownership.DESK.for_roles(*permissions.HANDLERS))
def answer_recall(request: OfficeRequest, pk: int) -> HttpResponse:
    """Agree (15) or not (16) to a recall or update of another office: 302. pk: of the dispatch."""
    dispatch = get_object_or_404(Dispatch.objects.select_related("directive", "agency__unit"), pk=pk)
    permissions.require_handler(request.user, dispatch.agency)
    with acts.refusals_as_messages(request, sentences.sentence_of):
        dispatch_acts.answer_recall(dispatch, request.POST.get("agree") == "1", request.user, timezone.now())
        messages.success(request, gettext("The answer has been stored. Give it to the sender as a file."))
    return redirect("inbox-one", dispatch.pk)


@csrf_exempt
@require_POST
@audience(EVERYONE)
def take_message(request: HttpRequest) -> HttpResponse:
    """A message of another office: 200 or 422 with a signed receipt; 401 not signed by a partner, 413, 400.

    The signature is checked before the body is read. A partner of whom too much was refused just now gets 429 (wait).
    """
    sender, recipient = (handover.from_header(request.headers.get(name, "")) for name in (handover.FROM, handover.TO))
    digest, signature = (request.headers.get(name, "") for name in (handover.DIGEST, handover.SIGNATURE))
    now = timezone.now()
    held = partners.held_of(sender, now)
    partner = Agency.objects.filter(edxml_id=sender, pk__in=partners.elsewhere()).first()
    if partner is None or not handover.is_signed_message(sender, recipient, digest, signature, held):
        return _plain_answer(401, "edxml_signer_unknown")
    refused_now = RefusedMessage.objects.filter(partner=partner, at__gt=now - REFUSED_WITHIN)
    if refused_now.count() >= MOST_REFUSED:
        answer = _plain_answer(429, "exchange_too_many_refused")
        answer.headers["Retry-After"] = str(int(REFUSED_WITHIN.total_seconds()))
        return answer
    body = request.read(uploads.LARGEST_FILE + 1)
    if len(body) > uploads.LARGEST_FILE:
        return _plain_answer(413, "edxml_too_large")
    if handover.digest_of(body) != digest:
        return _plain_answer(400, "edxml_signature_wrong")
    try:
        receipt = Receipt(Outcome.TAKEN if uploads.take(body, sender, now) else Outcome.KNOWN)
    except Refused as refused:
        receipt = Receipt(Outcome.REFUSED, refused.code)
        RefusedMessage.objects.create(partner=partner, code=refused.code[:40], at=now)
    written, signed = handover.write_receipt(receipt, digest, partners.office_signer(now))
    status = 422 if receipt.outcome is Outcome.REFUSED else 200
    headers = {handover.SIGNATURE: signed}
    return HttpResponse(written, status=status, content_type="application/json", headers=headers)


def _plain_answer(status: int, code: str) -> HttpResponse:
    return JsonResponse({"outcome": "refused", "code": code}, status=status)


@require_POST
@audience(DIRECTIVE_CLERKS)
@touches(Ownership.AGENCY)
def send_again(request: OfficeRequest, pk: int) -> HttpResponse:
    """Try a message to another office now: 302. pk: of the delivery."""
    found = Delivery.objects.select_related("dispatch__directive__issuer", "dispatch__agency").defer("content")
    delivery = get_object_or_404(found, pk=pk)
    directive = delivery.dispatch.directive
    agency = delivery.dispatch.agency if directive.from_file else directive.issuer
    permissions.require_clerk(request.user, agency)
    courier.send_again(delivery, timezone.now())
    messages.success(request, gettext("It will be sent within seconds."))
    return redirect("directive-exchange")


@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def own_certificate(request: OfficeRequest) -> HttpResponse:
    """The certificate by which other offices know this one's files; it holds no secret."""
    pem = office_certificate(timezone.now()).public_bytes(Encoding.PEM)
    headers = {"Content-Disposition": 'attachment; filename="bluezone-edxml.pem"'}
    return HttpResponse(pem, content_type="application/x-pem-file", headers=headers)


def _file(request: OfficeRequest, write: Callable[[], Written], otherwise: HttpResponse) -> HttpResponse:
    with acts.refusals_as_messages(request, sentences.sentence_of):
        written = write()
        response = HttpResponse(written.content, content_type="application/octet-stream")
        response.headers["Content-Disposition"] = content_disposition_header(True, written.name) or "attachment"
        return response
    return otherwise


def _own(request: OfficeRequest, pk: int) -> ExchangeImport:
    return get_object_or_404(ExchangeImport, pk=pk, made_by=request.user)


def _look(request: OfficeRequest, waiting: ExchangeImport, refusal: str = "", status: int = 200) -> HttpResponse:
    seen = None
    try:
        seen = uploads.look(bytes(waiting.content), request.user, timezone.now())
    except Refused as refused:
        refusal, status = refusal or sentences.sentence_of(refused), 409
    is_status = seen is not None and isinstance(seen.message, StatusMessage)
    context = {"waiting": waiting, "seen": seen, "is_status": is_status, "refusal": refusal}
    return render(request, "directives/exchange_look.html", context, status=status)


def _context(request: OfficeRequest, form: ExchangeFileForm) -> dict[str, object]:
    ours = permissions.issuing_agencies(request.user)
    told = outgoing.to_tell().filter(dispatch__agency__in=ours)[:SHOWN]
    done = ExchangedFile.objects.filter(
        Q(directive__issuer__in=ours, directive__from_file=False) | Q(directive__dispatches__agency__in=ours)
    ).distinct()
    return {
        "form": form,
        "waiting": request.user.exchange_imports.defer("content").order_by("-made_at")[:10],
        "states": [(one, code) for one in told if (code := outgoing.status_of(one))],
        "documents": _documents(_sent_elsewhere(ours)),
        "waiting_messages": _on_their_way(ours)[:SHOWN],
        "done": done.select_related("partner", "user", "directive").defer("content")[:SHOWN],
        "mark": fingerprint(office_certificate(timezone.now())),
    }


def _on_their_way(agencies: QuerySet) -> QuerySet[Delivery]:  # type: ignore[type-arg]
    """Messages over the network that wait or were refused, refused ones first."""
    found: QuerySet[Delivery] = (
        Delivery.objects.exclude(state=Delivery.State.TAKEN)
        .filter(
            Q(dispatch__directive__issuer__in=agencies, dispatch__directive__from_file=False)
            | Q(dispatch__agency__in=agencies, dispatch__directive__from_file=True)
        )
        .annotate(is_kept=Q(content__isnull=False))
        .select_related("dispatch__directive", "partner", "file")
        .defer("content", "file__content", "dispatch__directive__text", "dispatch__directive__proposal")
        .order_by("state", "pk")
    )
    return found


def _sent_elsewhere(issuers: QuerySet) -> QuerySet[Dispatch]:  # type: ignore[type-arg]
    """What went to agencies of other offices and is in force or was recalled, newest first."""
    found: QuerySet[Dispatch] = (
        Dispatch.objects.filter(
            directive__issuer__in=issuers,
            directive__from_file=False,
            directive__state__in=(DirectiveState.ISSUED, DirectiveState.REVOKED),
            agency__in=partners.elsewhere(),
        )
        .select_related("directive", "agency")
        .prefetch_related("exchanged_files")
        .order_by("-directive__issued_at", "pk")[: 4 * SHOWN]
    )
    return found


def _documents(sent: QuerySet[Dispatch]) -> list[tuple[Dispatch, str]]:
    """Those of which the file that is due now was not written yet, with its kind."""
    found: list[tuple[Dispatch, str]] = []
    for dispatch in sent:
        kind = outgoing.FILE_KINDS[outgoing.kind_of(dispatch.directive, dispatch)]
        written = {one.kind for one in dispatch.exchanged_files.all() if one.direction == "out"}
        # Nobody is told of the recall of what was never sent.
        unsent_recall = kind == outgoing.FILE_KINDS[BusinessKind.REVOCATION] and not written
        if kind not in written and not unsent_recall:
            found.append((dispatch, str(kind.label)))
    return found[:SHOWN]


@require_safe
@audience(ADMINS)
@touches(Ownership.CITY)
def certificates(request: OfficeRequest) -> HttpResponse:
    """This office's own certificate, those that are held, and those that were removed."""
    require_city_role(request.user, [Role.ADMIN])
    held = PartnerCertificate.objects.select_related("agency__exchange_address", "added_by", "removed_by")
    own = office_certificate(timezone.now())
    context = {
        "held": [one for one in held if one.removed_at is None],
        "removed": [one for one in held if one.removed_at is not None],
        "own": own,
        "own_name": partners.holder(own),
        "mark": fingerprint(own),
        "now": timezone.now(),
    }
    return render(request, "directives/certificates.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(ADMINS)
@touches(Ownership.CITY)
@confirm_second_factor
def partner_address(request: OfficeRequest, pk: int) -> HttpResponse:
    """Set where the office of an agency takes messages: 302 stored, 409 set meanwhile, 422. pk: of the agency."""
    require_city_role(request.user, [Role.ADMIN])
    agency = get_object_or_404(Agency, pk=pk, pk__in=partners.elsewhere())
    with transaction.atomic():
        if request.method == "POST":
            # Of two who store in one moment the second sees what the first has stored.
            list(Agency.objects.select_for_update().filter(pk=pk).values_list("pk"))
        held = PartnerAddress.objects.filter(agency=agency).first()
        known = {"url": held.url, "authority": held.authority} if held else {}
        form = AddressForm(request.POST or None, initial=known)
        if request.method == "POST" and form.is_valid():
            with acts.refusals_as_form_errors(form, sentences.sentence_of, field="url"):
                values = form.cleaned_data
                partners.set_address(agency, values["url"], values["authority"], request.user, timezone.now())
                messages.success(request, gettext("The address is stored."))
                return redirect("directive-certificates")
    context = {"form": form, "agency": agency}
    return render(request, "directives/partner_address.html", context, status=acts.form_status(form))


@require_http_methods(["GET", "HEAD", "POST"])
@audience(ADMINS)
@touches(Ownership.CITY)
@confirm_second_factor
def new_certificate(request: OfficeRequest) -> HttpResponse:
    """Show what a certificate is, then hold it: 200 with its fingerprint, 302 held, 422 with a sentence.

    The second step names the fingerprint that was shown, so that what is held is what was compared.
    """
    require_city_role(request.user, [Role.ADMIN])
    on = day_to_show(Agency, timezone.localdate())
    agencies = Agency.objects.valid_on(on).order_by("path")
    form = CertificateForm(request.POST or None, request.FILES or None, agencies=agencies)
    shown = None
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        with acts.refusals_as_form_errors(form, sentences.sentence_of, field="file"):
            certificate = partners.read_certificate(form.data_sent, timezone.now())
            mark = fingerprint(certificate)
            if request.POST.get("compared") == mark:
                partners.pin(values["agency"], certificate, request.user, timezone.now(), values["use"])
                messages.success(
                    request, gettext("The certificate has been stored for %(agency)s.") % {"agency": values["agency"]}
                )
                return redirect("directive-certificates")
            pem = certificate.public_bytes(Encoding.PEM).decode()
            shown = {"certificate": certificate, "name": partners.holder(certificate), "mark": mark, "pem": pem}
    context = {"form": form, "shown": shown}
    return render(request, "directives/certificate_new.html", context, status=422 if form.errors else 200)


@require_POST
@audience(ADMINS)
@touches(Ownership.CITY)
@confirm_second_factor
def remove_certificate(request: OfficeRequest, pk: int) -> HttpResponse:
    """Believe a certificate no longer: 302."""
    require_city_role(request.user, [Role.ADMIN])
    held = get_object_or_404(PartnerCertificate.objects.select_related("agency"), pk=pk)
    if partners.remove(held, request.user, timezone.now()):
        messages.success(request, gettext("The certificate has been removed. What was imported with it stays."))
    return redirect("directive-certificates")
