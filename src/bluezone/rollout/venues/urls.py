# SPDX-License-Identifier: Apache-2.0
"""Addresses of the venues in the office."""

from django.urls import path

from bluezone.rollout.venues import views

urlpatterns = [
    path("venues/", views.venue_list, name="venues"),
    path("venues/new/", views.new_venue, name="venue-new"),
    path("venues/<int:pk>/", views.show_venue, name="venue"),
    path("venues/<int:pk>/change/", views.change_venue, name="venue-change"),
    path("venues/<int:pk>/approve/", views.approve_venue, name="venue-approve"),
    path("venues/<int:pk>/refuse/", views.refuse_venue, name="venue-refuse"),
    path("venues/<int:pk>/renew/", views.replace_code, name="venue-renew"),
    path("venues/<int:pk>/withdraw/", views.revoke_code, name="venue-suspend"),
    path("venues/<int:pk>/close/", views.close_venue, name="venue-close"),
    path("venues/<int:pk>/till/", views.issue_till_address, name="venue-till"),
    path("venues/<int:pk>/inspect/", views.enter_inspection, name="venue-inspect"),
    path("venues/<int:pk>/inspections/<int:inspection>/photo.jpg", views.inspection_photo, name="venue-photo"),
    path("venues/<int:pk>/poster.pdf", views.print_poster, name="venue-poster"),
    path("venues/<int:pk>/card.pdf", views.print_card, name="venue-card"),
]
