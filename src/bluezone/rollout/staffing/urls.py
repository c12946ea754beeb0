# SPDX-License-Identifier: Apache-2.0
"""Addresses of the staff report."""

from django.urls import path

from bluezone.rollout.staffing import paste_views, reopening_views, views

urlpatterns = [
    path("staff/", views.agency_list, name="staff"),
    path("staff/file/", views.file, name="staff-file"),
    path("staff/paste/", paste_views.paste, name="staff-paste"),
    path("staff/agencies/<int:pk>/", views.report, name="staff-report"),
    path("staff/agencies/<int:pk>/ask/", reopening_views.ask, name="staff-ask"),
    path("staff/requests/<int:pk>/answer/", reopening_views.answer, name="staff-answer"),
    path("staff/agencies/<int:pk>/reopen/", views.reopen, name="staff-reopen"),
]
