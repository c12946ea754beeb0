# SPDX-License-Identifier: Apache-2.0
"""Addresses of the venues in the office."""

from django.urls import path

from bluezone.rollout.venues import views

urlpatterns = [
    path("venues/", views.venues, name="venues"),
    path("venues/new/", views.new_venue, name="venue-new"),
    path("venues/<int:pk>/", views.venue, name="venue"),
    path("venues/<int:pk>/change/", views.change_venue, name="venue-change"),
    path("venues/<int:pk>/approve/", views.approve, name="venue-approve"),
    path("venues/<int:pk>/refuse/", views.refuse, name="venue-refuse"),
    path("venues/<int:pk>/renew/", views.renew, name="venue-renew"),
    path("venues/<int:pk>/withdraw/", views.suspend, name="venue-suspend"),
    path("venues/<int:pk>/close/", views.close, name="venue-close"),
    path("venues/<int:pk>/till/", views.till, name="venue-till"),
    path("venues/<int:pk>/inspect/", views.inspect, name="venue-inspect"),
    path("venues/<int:pk>/inspections/<int:inspection>/photo.jpg", views.photo, name="venue-photo"),
    path("venues/<int:pk>/poster.pdf", views.poster, name="venue-poster"),
    path("venues/<int:pk>/card.pdf", views.card, name="venue-card"),
]
