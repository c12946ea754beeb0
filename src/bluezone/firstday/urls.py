# SPDX-License-Identifier: Apache-2.0
"""Addresses of the office's pages of the first day."""

from django.urls import path

from bluezone.firstday import views

urlpatterns = [
    path("first-day/", views.first_day, name="first-day"),
    path("first-day/places/", views.places, name="first-day-places"),
    path("first-day/places/<str:code>/", views.set_up_place, name="first-day-place"),
    path("first-day/invitations/", views.invitations, name="first-day-invitations"),
    path("accounts/invitations/send/", views.send_invitations, name="invitations-send"),
    path("first-day/stations/", views.stations, name="first-day-stations"),
    path("first-day/demo/", views.demo, name="first-day-demo"),
    path("first-day/phone/", views.phone, name="first-day-phone"),
    path("first-day/phone/state/", views.phone_state, name="first-day-phone-state"),
    path("first-day/trials/<str:kind>/", views.trial, name="first-day-trial"),
]
