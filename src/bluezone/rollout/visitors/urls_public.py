# SPDX-License-Identifier: Apache-2.0
"""Addresses for visitors on the public origin."""

from django.urls import path

from bluezone.rollout.visitors import public_views

urlpatterns = [
    path("k/stop", public_views.stop, name="stop"),
    path("wifi", public_views.wifi, name="wifi"),
]
