# SPDX-License-Identifier: Apache-2.0
"""Addresses of the loudspeakers in the office."""

from django.urls import path

from bluezone.rollout.loudspeakers import views

urlpatterns = [
    path("loudspeakers/", views.zone_list, name="loudspeakers"),
    path("loudspeakers/states/", views.zone_states, name="loudspeaker-states"),
    path("loudspeakers/new/", views.new_zone, name="zone-new"),
    path("loudspeakers/<int:pk>/", views.show_zone, name="zone"),
    path("loudspeakers/<int:pk>/set/", views.configure_zone, name="zone-set"),
    path("loudspeakers/<int:pk>/stop/", views.stop_schedule_at_zone, name="zone-stop"),
    path("loudspeakers/<int:pk>/live/", views.speak_live, name="zone-live"),
    path("loudspeakers/<int:pk>/machine/", views.assign_machine, name="zone-machine"),
    path("loudspeakers/<int:pk>/stick.zip", views.download_stick, name="zone-stick"),
    path("loudspeakers/<int:pk>/plan.pdf", views.print_plan, name="zone-paper"),
    path("loudspeakers/machines/<int:pk>/volume/", views.set_machine_volume, name="machine-volume"),
]
