# SPDX-License-Identifier: Apache-2.0
"""All addresses of the public origin except those under /v1 that the key server answers before Django."""

from django.urls import include, path

from bluezone.duties.catalogue import public_urls
from bluezone.publicpages.trust_page import authority_file, trust
from bluezone.web.context import choose_language

handler400 = "bluezone.portal.views.bad_request"
handler404 = "bluezone.portal.views.not_found"
handler500 = "bluezone.web.errors.server_error"

urlpatterns = [
    *(path("", include(module)) for module in public_urls()),
    path("trust/", trust, name="trust"),
    path("trust/bluezone-authority.crt", authority_file, name="trust-file"),
    path("language/<str:code>/", choose_language, name="language"),
]
