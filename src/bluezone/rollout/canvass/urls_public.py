# SPDX-License-Identifier: Apache-2.0
"""Addresses of house visits on the public origin: what canvass phones call, and the app they run."""

from django.urls import path

from bluezone.rollout.canvass.phone import offline_app
from bluezone.rollout.canvass.visits import endpoints

urlpatterns = [
    path("v1/canvass/sync", endpoints.sync, name="canvass-sync"),
    path("v1/canvass/photos/<uuid:key>", endpoints.photo, name="canvass-photo"),
    path("canvass/", offline_app.app, name="canvass-app"),
    path("canvass/<path:path>", offline_app.app, name="canvass-app-file"),
]
