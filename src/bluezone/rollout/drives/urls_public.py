# SPDX-License-Identifier: Apache-2.0
"""The page behind a stall's code on the public origin."""

from django.urls import path

from bluezone.rollout.drives.help import stall_views

urlpatterns = [
    path("d/<slug:code>", stall_views.stall, name="stall"),
    path("d/<slug:code>/<str:ticket>", stall_views.ticket, name="stall-ticket"),
]
