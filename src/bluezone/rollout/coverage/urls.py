# SPDX-License-Identifier: Apache-2.0
"""Addresses of coverage."""

from django.urls import path

from bluezone.rollout.coverage import coverage_report, views

urlpatterns = [
    path("coverage/", views.city, name="coverage"),
    path("coverage/units/<int:pk>/", views.unit, name="coverage-unit"),
    path("coverage/units/<int:pk>/numbers/", views.numbers, name="coverage-numbers"),
    path("coverage/units/<int:pk>/priority/", views.priority, name="coverage-priority"),
    path("coverage/units/<int:pk>/league/", views.league_table, name="coverage-league"),
    path("coverage/units/<int:pk>/trend/", views.trend_of, name="coverage-trend"),
    path("coverage/units/<int:pk>/report/", coverage_report.report, name="coverage-report"),
    path("coverage/units/<int:pk>/report/<str:form>/", coverage_report.report_file, name="coverage-written"),
]
