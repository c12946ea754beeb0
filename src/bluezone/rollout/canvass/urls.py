# SPDX-License-Identifier: Apache-2.0
"""Addresses of house visits in the office."""

from django.urls import path

from bluezone.rollout.canvass import sheets, views
from bluezone.rollout.canvass.households import desk_views

urlpatterns = [
    path("canvass/", views.overview, name="canvass"),
    path("canvass/households/", views.households, name="canvass-households"),
    path("canvass/households/<str:key>/", views.household, name="canvass-household"),
    path("canvass/households/<str:key>/photos/<str:visit>.jpg", views.photo, name="canvass-household-photo"),
    path("canvass/households/<str:key>/choose/", desk_views.choose, name="canvass-choose"),
    *desk_views.LISTS.urls("canvass/imports/"),
    path("canvass/households/<int:unit>/list.xlsx", desk_views.household_file, name="canvass-household-file"),
    path(
        "canvass/households/<int:unit>/list.csv",
        desk_views.household_file,
        {"form": "csv"},
        name="canvass-household-csv",
    ),
    path("canvass/lists/", views.turfs, name="canvass-turfs"),
    path("canvass/lists/new/<int:unit>/", views.new_turf, name="canvass-turf-new"),
    path("canvass/lists/<int:pk>/", views.turf, name="canvass-turf"),
    path("canvass/lists/<int:pk>/give/", views.give_turf, name="canvass-turf-give"),
    path("canvass/lists/<int:pk>/close/", views.close_turf, name="canvass-turf-close"),
    path("canvass/lists/<int:pk>/sheet.pdf", sheets.sheet, name="canvass-sheet"),
    path("canvass/lists/<int:pk>/sheet/<int:page>/", sheets.enter_sheet, name="canvass-sheet-enter"),
    path("canvass/leases/<int:pk>/end/", views.end_lease, name="canvass-lease-end"),
    path("canvass/phones/", views.phones, name="canvass-phones"),
    path("canvass/phones/<int:pk>/lost/", views.lost_phone, name="canvass-phone-lost"),
    path("canvass/conflicts/", desk_views.conflicts, name="canvass-conflicts"),
    path("canvass/changes/<int:pk>/force/", desk_views.force, name="canvass-force"),
    path("canvass/doubles/", desk_views.pairs, name="canvass-pairs"),
    path("canvass/doubles/look/<int:unit>/", desk_views.propose, name="canvass-pairs-look"),
    path("canvass/doubles/<int:pk>/", desk_views.decide_pair, name="canvass-pair"),
    path("canvass/aside/", desk_views.kept_aside, name="canvass-asides"),
    path("canvass/aside/<int:pk>/", desk_views.decide_aside, name="canvass-aside"),
    path("canvass/leaflets/", sheets.leaflets, name="canvass-leaflets"),
]
