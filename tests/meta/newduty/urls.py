# SPDX-License-Identifier: Apache-2.0
"""Addresses of the masks."""

from django.urls import path
from tests.meta.newduty import views

urlpatterns = [path("masks/", views.masks, name="masks")]
