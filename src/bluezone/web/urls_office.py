# SPDX-License-Identifier: Apache-2.0
"""All addresses of the office origin."""

from django.urls import include, path

from bluezone.duties.catalogue import office_urls
from bluezone.web.context import choose_language

handler400 = "bluezone.web.errors.bad_request"
handler403 = "bluezone.web.errors.forbidden"
handler404 = "bluezone.web.errors.not_found"
handler500 = "bluezone.web.errors.server_error"

urlpatterns = [
    *(path("", include(module)) for module in office_urls()),
    path("language/<str:code>/", choose_language, name="language"),
]
