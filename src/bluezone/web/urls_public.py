# SPDX-License-Identifier: Apache-2.0
"""Every address of the public origin that is not under /v1, which the key server answers before Django."""

from django.urls import include, path

from bluezone.web.language import choose_language
from bluezone.web.statement import what_this_server_is
from bluezone.web.trusting import authority_file, trust

handler400 = "bluezone.web.errors.bad_request"
handler404 = "bluezone.web.errors.not_found"
handler500 = "bluezone.web.errors.server_error"

urlpatterns = [
    path("", what_this_server_is, name="home"),
    path("", include("bluezone.devices.urls_public")),
    path("trust/", trust, name="trust"),
    path("trust/bluezone-authority.crt", authority_file, name="trust-file"),
    path("language/<str:code>/", choose_language, name="language"),
]
