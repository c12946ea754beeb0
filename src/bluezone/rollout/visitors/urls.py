# SPDX-License-Identifier: Apache-2.0
"""Addresses of the visitors' pages in the office."""

from django.urls import path

from bluezone.rollout.visitors import views

urlpatterns = [
    path("visitors/", views.send_notice_at_desk, name="visitors"),
    path("visitors/<str:house>/states/", views.notice_states, name="visitors-states"),
    path("visitors/list/", views.send_guest_list, name="visitors-list"),
    path("visitors/week/", views.show_week, name="visitors-week"),
    path("visitors/card/<str:kind>.pdf", views.print_card, name="visitors-card"),
]
