# SPDX-License-Identifier: Apache-2.0
"""Addresses of coverage."""

from django.urls import path

from bluezone.rollout.coverage import board_views, report_views

urlpatterns = [
    path("coverage/", board_views.city, name="coverage"),
    path("coverage/units/<int:pk>/", board_views.unit, name="coverage-unit"),
    path("coverage/units/<int:pk>/priority/", board_views.priority, name="coverage-priority"),
    path("coverage/units/<int:pk>/league/", board_views.league_table, name="coverage-league"),
    path("coverage/units/<int:pk>/trend/", board_views.trend_of, name="coverage-trend"),
    path("coverage/units/<int:pk>/report/", report_views.report, name="coverage-report"),
    path("coverage/units/<int:pk>/report/<str:form>/", report_views.written, name="coverage-written"),
]
