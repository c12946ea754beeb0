# SPDX-License-Identifier: Apache-2.0
"""The address that a telephone opens on the first day."""

from django.urls import path

from bluezone.firstday.public_views import try_phone

urlpatterns = [path("try/<str:token>/", try_phone, name="try-phone")]
