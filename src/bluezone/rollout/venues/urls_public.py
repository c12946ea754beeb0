# SPDX-License-Identifier: Apache-2.0
"""Addresses of the venues on the public origin."""

from django.urls import path

from bluezone.rollout.venues import public_views

urlpatterns = [
    path("venues/register/", public_views.register, name="venue-apply"),
    path("venues/register/<str:handle>/", public_views.confirm, name="venue-apply-code"),
    path("p/<slug:short>", public_views.poster, name="poster"),
    path("till/<str:token>/", public_views.till, name="till"),
    path("till/<str:token>/count", public_views.till_count, name="till-count"),
]
