# SPDX-License-Identifier: Apache-2.0
"""Addresses that loudspeakers call on the public origin, but the plan and its files, which plan_server.py answers."""

from django.urls import path

from bluezone.rollout.loudspeakers import endpoints

urlpatterns = [
    path("v1/speakers/played", endpoints.played, name="speaker-played"),
    path("v1/speakers/<path:rest>", endpoints.nothing_here, name="speaker-nothing"),
]
