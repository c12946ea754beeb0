# SPDX-License-Identifier: Apache-2.0
"""Addresses of coverage."""

from django.urls import path

from bluezone.rollout.coverage import coverage_report, views

urlpatterns = [
    path("coverage/", views.show_city, name="coverage"),
    path("coverage/units/<int:pk>/", views.show_unit, name="coverage-unit"),
    path("coverage/units/<int:pk>/numbers/", views.show_numbers, name="coverage-numbers"),
    path("coverage/units/<int:pk>/priority/", views.show_priorities, name="coverage-priority"),
    path("coverage/units/<int:pk>/league/", views.show_league_table, name="coverage-league"),
    path("coverage/units/<int:pk>/trend/", views.show_trend, name="coverage-trend"),
    path("coverage/units/<int:pk>/report/", coverage_report.show_report_form, name="coverage-report"),
    path("coverage/units/<int:pk>/report/<str:form>/", coverage_report.download_report, name="coverage-written"),
]
