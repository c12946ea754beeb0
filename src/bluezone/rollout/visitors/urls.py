# SPDX-License-Identifier: Apache-2.0
"""Addresses of the visitors' pages in the office."""

from django.urls import path

from bluezone.rollout.visitors import views

urlpatterns = [
    path("visitors/", views.desk, name="visitors"),
    path("visitors/<str:house>/states/", views.states, name="visitors-states"),
    path("visitors/list/", views.guest_list, name="visitors-list"),
    path("visitors/week/", views.week, name="visitors-week"),
    path("visitors/card/<str:kind>.pdf", views.card, name="visitors-card"),
]
