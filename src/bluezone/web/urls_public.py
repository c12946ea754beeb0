# SPDX-License-Identifier: Apache-2.0
"""Every address of the public origin that is not under /v1, which the key server answers before Django."""

from django.urls import include, path

from bluezone.web.context import choose_language
from bluezone.web.trustpage import authority_file, trust

handler400 = "bluezone.portal.views.bad_request"
handler404 = "bluezone.portal.views.not_found"
handler500 = "bluezone.web.errors.server_error"

urlpatterns = [
    path("", include("bluezone.portal.urls_public")),
    path("", include("bluezone.devices.urls_public")),
    path("", include("bluezone.rollout.gates.urls_public")),
    path("", include("bluezone.rollout.visitors.urls_public")),
    path("", include("bluezone.messaging.cap.urls_public")),
    path("", include("bluezone.rollout.drives.urls_public")),
    path("", include("bluezone.rollout.venues.urls_public")),
    path("", include("bluezone.rollout.canvass.urls_public")),
    path("", include("bluezone.rollout.schools.urls_public")),
    path("", include("bluezone.rollout.bulletins.urls_public")),
    path("", include("bluezone.rollout.loudspeakers.urls_public")),
    path("trust/", trust, name="trust"),
    path("trust/bluezone-authority.crt", authority_file, name="trust-file"),
    path("language/<str:code>/", choose_language, name="language"),
]
