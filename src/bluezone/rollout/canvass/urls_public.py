# SPDX-License-Identifier: Apache-2.0
"""Addresses that canvass phones call on the public origin."""

from django.urls import path

from bluezone.rollout.canvass import endpoints

urlpatterns = [
    path("v1/canvass/sync", endpoints.sync, name="canvass-sync"),
    path("v1/canvass/photos/<uuid:key>", endpoints.photo, name="canvass-photo"),
]
