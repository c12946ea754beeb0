# SPDX-License-Identifier: Apache-2.0
"""Addresses of units, agencies, recipient groups and imports."""

from django.urls import path

from bluezone.directory import agency_views, unit_views
from bluezone.directory.imports.import_views import LISTS

urlpatterns = [
    path("units/", unit_views.unit_list, name="units"),
    path("units/list.xlsx", unit_views.unit_file, name="units-file"),
    path("units/list.csv", unit_views.unit_file, {"form": "csv"}, name="units-csv"),
    path("units/new/", unit_views.new_unit, name="unit-new"),
    path("units/<int:pk>/", unit_views.show_unit, name="unit"),
    path("units/<int:pk>/change/", unit_views.change_unit, name="unit-change"),
    path("units/<int:pk>/figures/", unit_views.record_figure, name="unit-figure"),
    path("agencies/", agency_views.agency_list, name="agencies"),
    path("agencies/list.xlsx", agency_views.agency_file, name="agencies-file"),
    path("agencies/list.csv", agency_views.agency_file, {"form": "csv"}, name="agencies-csv"),
    path("agencies/new/", agency_views.new_agency, name="agency-new"),
    path("agencies/<int:pk>/", agency_views.show_agency, name="agency"),
    path("agencies/<int:pk>/change/", agency_views.change_agency, name="agency-change"),
    path("agencies/<int:pk>/figures/", agency_views.record_figure, name="agency-figure"),
    path("recipients/", agency_views.recipient_list, name="recipients-all"),
    path("recipients/new/", agency_views.new_recipients, name="recipients-new"),
    path("recipients/<int:pk>/", agency_views.show_recipients, name="recipients"),
    path("recipients/<int:pk>/change/", agency_views.change_recipients, name="recipients-change"),
    path("recipients/<int:pk>/add/", agency_views.add_recipients, name="recipients-add"),
    path("recipients/<int:pk>/<int:agency>/remove/", agency_views.remove_recipient, name="recipients-remove"),
    *LISTS.urls("imports/"),
]
