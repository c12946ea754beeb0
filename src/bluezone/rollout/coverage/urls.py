# SPDX-License-Identifier: Apache-2.0
"""Addresses of coverage."""

from django.urls import path

from bluezone.rollout.coverage import report_views, views

urlpatterns = [
    path("coverage/", views.city, name="coverage"),
    path("coverage/units/<int:pk>/", views.unit, name="coverage-unit"),
    path("coverage/units/<int:pk>/report/", report_views.report, name="coverage-report"),
    path("coverage/units/<int:pk>/report/<str:form>/", report_views.written, name="coverage-written"),
]
