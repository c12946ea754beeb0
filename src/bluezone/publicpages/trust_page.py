# SPDX-License-Identifier: Apache-2.0
"""The page by which a device learns to trust this server's own certificate authority."""

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from bluezone.identity.audiences import audience
from bluezone.identity.duty import EVERYONE
from bluezone.tls import SELF, authority_folder, fingerprint, read_certificate


@require_safe
@audience(EVERYONE)
def trust(request: HttpRequest) -> HttpResponse:
    """Fingerprint, the file, and the steps for each system; 404 if the certificate is not from our own authority."""
    pairs = fingerprint(_authority()).split(":")
    groups = [" ".join(pairs[start : start + 8]) for start in range(0, len(pairs), 8)]
    return render(
        request, "public/trust.html", {"fingerprint": groups, "valid_until": _authority().not_valid_after_utc}
    )


@require_safe
@audience(EVERYONE)
def authority_file(request: HttpRequest) -> HttpResponse:
    """The authority's certificate as the file that Android, iOS and Windows open."""
    response = HttpResponse(_authority().public_bytes(Encoding.DER), content_type="application/x-x509-ca-cert")
    response.headers["Content-Disposition"] = 'attachment; filename="bluezone-authority.crt"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _authority() -> Certificate:
    path = authority_folder(settings.DATA_FOLDER) / "authority.pem"
    if settings.TLS_MODE != SELF or not path.exists():
        raise Http404
    return read_certificate(path)
