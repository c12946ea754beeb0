# SPDX-License-Identifier: Apache-2.0
"""Every address of the office origin."""

from django.urls import include, path

from bluezone.web.context import choose_language

handler400 = "bluezone.web.errors.bad_request"
handler403 = "bluezone.web.errors.forbidden"
handler404 = "bluezone.web.errors.not_found"
handler500 = "bluezone.web.errors.server_error"

urlpatterns = [
    path("", include("bluezone.authority.urls")),
    path("", include("bluezone.directory.urls")),
    path("", include("bluezone.healthauthority.urls")),
    path("", include("bluezone.devices.urls")),
    path("", include("bluezone.messaging.sms.urls")),
    path("", include("bluezone.messaging.cap.urls")),
    path("", include("bluezone.rollout.coverage.urls")),
    path("", include("bluezone.rollout.staffing.urls")),
    path("", include("bluezone.rollout.directives.urls")),
    path("", include("bluezone.rollout.gates.urls")),
    path("", include("bluezone.rollout.canvass.urls")),
    path("", include("bluezone.rollout.visitors.urls")),
    path("", include("bluezone.rollout.drives.urls")),
    path("", include("bluezone.rollout.venues.urls")),
    path("", include("bluezone.rollout.schools.urls")),
    path("", include("bluezone.rollout.bulletins.urls")),
    path("", include("bluezone.rollout.loudspeakers.urls")),
    path("", include("bluezone.portal.urls")),
    path("language/<str:code>/", choose_language, name="language"),
]
