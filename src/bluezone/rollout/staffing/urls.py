# SPDX-License-Identifier: Apache-2.0
"""Addresses of the staff report."""

from django.urls import path

from bluezone.rollout.staffing import views

urlpatterns = [
    path("staff/", views.agency_list, name="staff"),
    path("staff/file/", views.file, name="staff-file"),
    path("staff/paste/", views.paste, name="staff-paste"),
    path("staff/agencies/<int:pk>/", views.report, name="staff-report"),
    path("staff/agencies/<int:pk>/ask/", views.ask, name="staff-ask"),
    path("staff/requests/<int:pk>/answer/", views.answer, name="staff-answer"),
    path("staff/agencies/<int:pk>/reopen/", views.reopen, name="staff-reopen"),
]
