# SPDX-License-Identifier: Apache-2.0
"""Addresses of drives and of the help queue in the office."""

from django.urls import path

from bluezone.rollout.drives import views

urlpatterns = [
    path("drives/", views.drives, name="drives"),
    path("drives/new/", views.new_drive, name="drive-new"),
    path("drives/teams/new/", views.new_team, name="team-new"),
    path("drives/<int:pk>/", views.drive, name="drive"),
    path("drives/<int:pk>/open/", views.open_drive, name="drive-open"),
    path("drives/<int:pk>/close/", views.close_drive, name="drive-close"),
    path("drives/<int:pk>/walk-in/", views.walk_in, name="drive-walk-in"),
    path("drives/<int:pk>/tally/", views.tally, name="drive-tally"),
    path("drives/<int:pk>/tally.pdf", views.tally_sheet, name="drive-tally-sheet"),
    path("drives/<int:pk>/stall.pdf", views.stall, name="drive-stall-sheet"),
    path("help-queue/", views.help_queue, name="help-queue"),
    path("help-queue/new/", views.new_help, name="help-new"),
    path("help-queue/<int:pk>/claim/", views.claim, name="help-claim"),
    path("help-queue/<int:pk>/release/", views.release, name="help-release"),
    path("help-queue/<int:pk>/done/", views.done, name="help-done"),
    path("help-queue/<int:pk>/cannot/", views.cannot, name="help-cannot"),
]
