# SPDX-License-Identifier: Apache-2.0
"""Addresses of the bulletins on the public origin."""

from django.urls import path

from bluezone.rollout.bulletins import public_views

urlpatterns = [
    path("bulletins/rss.xml", public_views.rss, name="bulletins-rss"),
    path("bulletins/air-plan.ics", public_views.ics, name="bulletins-calendar"),
    path("bulletins/<int:pk>/press-kit.zip", public_views.kit, name="press-kit"),
    path("bulletins/<int:pk>/<slug:language>.mp3", public_views.sound, name="bulletin-sound"),
]
