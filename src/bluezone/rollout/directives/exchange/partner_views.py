# SPDX-License-Identifier: Apache-2.0
"""Pages of the certificates that other offices and signers gave: the list, entering one, removing."""

from cryptography.hazmat.primitives.serialization import Encoding
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.directory.models import Agency
from bluezone.directory.queries import day_to_show
from bluezone.directory.scopes import require_city
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import ADMINS
from bluezone.identity.models import Role
from bluezone.identity.objects import Whose, touches
from bluezone.identity.second_factors import confirm_second_factor
from bluezone.rollout.directives import sentences
from bluezone.rollout.directives.exchange import partners
from bluezone.rollout.directives.exchange.forms import CertificateForm
from bluezone.rollout.directives.exchange.office_key import fingerprint, office_certificate
from bluezone.rollout.directives.models import PartnerCertificate


@require_safe
@audience(ADMINS)
def certificates(request: OfficeRequest) -> HttpResponse:
    """This office's own certificate, those that are held, and those that were removed."""
    held = PartnerCertificate.objects.select_related("agency", "added_by", "removed_by")
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
@confirm_second_factor
def new_certificate(request: OfficeRequest) -> HttpResponse:
    """Show what a certificate is, then hold it: 200 with its fingerprint, 302 held, 422 with a sentence.

    The second step names the fingerprint that was shown, so that what is held is what was compared.
    """
    require_city(request.user, [Role.ADMIN])
    on = day_to_show(Agency, timezone.localdate())
    agencies = Agency.objects.in_force(on).order_by("path")
    form = CertificateForm(request.POST or None, request.FILES or None, agencies=agencies)
    shown = None
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        with acts.show_refusals(form, sentences.sentence_of, at="file"):
            certificate = partners.read_certificate(form.data_sent, timezone.now())
            mark = fingerprint(certificate)
            if request.POST.get("compared") == mark:
                partners.pin(values["agency"], certificate, request.user, timezone.now(), values["use"])
                messages.success(request, _("The certificate is held for %(agency)s.") % {"agency": values["agency"]})
                return redirect("directive-certificates")
            pem = certificate.public_bytes(Encoding.PEM).decode()
            shown = {"certificate": certificate, "name": partners.holder(certificate), "mark": mark, "pem": pem}
    context = {"form": form, "shown": shown}
    return render(request, "directives/certificate_new.html", context, status=422 if form.errors else 200)


@require_POST
@audience(ADMINS)
@touches(Whose.CITY)
@confirm_second_factor
def remove_certificate(request: OfficeRequest, pk: int) -> HttpResponse:
    """Believe a certificate no longer: 302."""
    require_city(request.user, [Role.ADMIN])
    held = get_object_or_404(PartnerCertificate.objects.select_related("agency"), pk=pk)
    if partners.remove(held, request.user, timezone.now()):
        messages.success(request, _("The certificate is removed. What was read in with it stays."))
    return redirect("directive-certificates")
