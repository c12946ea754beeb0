# SPDX-License-Identifier: Apache-2.0
"""Addresses of the staff report."""

from django.urls import path

from bluezone.rollout.staffing import views

urlpatterns = [
    path("staff/", views.agency_list, name="staff"),
    path("staff/file/", views.download_agency_table, name="staff-file"),
    path("staff/paste/", views.paste_reports, name="staff-paste"),
    path("staff/agencies/<int:pk>/", views.submit_report, name="staff-report"),
    path("staff/agencies/<int:pk>/ask/", views.request_reopening, name="staff-ask"),
    path("staff/requests/<int:pk>/answer/", views.answer_request, name="staff-answer"),
    path("staff/agencies/<int:pk>/reopen/", views.reopen_week, name="staff-reopen"),
]
