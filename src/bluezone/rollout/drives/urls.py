# SPDX-License-Identifier: Apache-2.0
"""Addresses of drives and of the help queue in the office."""

from django.urls import path

from bluezone.rollout.drives import views

urlpatterns = [
    path("drives/", views.drive_list, name="drives"),
    path("drives/new/", views.new_drive, name="drive-new"),
    path("drives/teams/new/", views.new_team, name="team-new"),
    path("drives/<int:pk>/", views.show_drive, name="drive"),
    path("drives/<int:pk>/open/", views.open_drive, name="drive-open"),
    path("drives/<int:pk>/close/", views.close_drive, name="drive-close"),
    path("drives/<int:pk>/walk-in/", views.claim_walk_in, name="drive-walk-in"),
    path("drives/<int:pk>/tally/", views.enter_tally, name="drive-tally"),
    path("drives/<int:pk>/tally.pdf", views.print_tally_sheet, name="drive-tally-sheet"),
    path("drives/<int:pk>/stall.pdf", views.print_stall_poster, name="drive-stall-sheet"),
    path("help-queue/", views.show_help_queue, name="help-queue"),
    path("help-queue/new/", views.new_help_request, name="help-new"),
    path("help-queue/<int:pk>/claim/", views.claim_request, name="help-claim"),
    path("help-queue/<int:pk>/release/", views.release_request, name="help-release"),
    path("help-queue/<int:pk>/done/", views.close_as_helped, name="help-done"),
    path("help-queue/<int:pk>/cannot/", views.close_as_not_helped, name="help-cannot"),
]
