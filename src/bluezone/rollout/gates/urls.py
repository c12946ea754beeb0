# SPDX-License-Identifier: Apache-2.0
"""Addresses of the gates' pages in the office."""

from django.urls import path

from bluezone.rollout.gates import views

urlpatterns = [
    path("gates/", views.gate_list, name="gates"),
    path("gates/file/", views.file, name="gates-file"),
    path("gates/late/", views.late_list, name="gates-late"),
    path("gates/new/", views.new_gate, name="gate-new"),
    path("gates/<int:pk>/", views.gate, name="gate"),
    path("gates/<int:pk>/close/", views.close_gate, name="gate-close"),
    path("gates/<int:pk>/tablet/", views.put_tablet, name="gate-tablet"),
    path("gates/<int:pk>/inside/", views.correct_inside, name="gate-inside"),
    path("gates/<int:pk>/sign.pdf", views.sign, name="gate-sign"),
    path("gates/<int:pk>/book.pdf", views.book, name="gate-book"),
    path("gates/<int:pk>/tally.pdf", views.tally, name="gate-tally"),
    path("gates/<int:pk>/paper/", views.paper, name="gate-paper"),
    path("gates/<int:pk>/paper/remove/", views.take_out, name="gate-paper-remove"),
    path("gates/<int:pk>/gatekeepers/new/", views.nominate, name="gatekeeper-new"),
    path("gatekeepers/<int:pk>/renew/", views.renew, name="gatekeeper-renew"),
    path("gatekeepers/<int:pk>/badge.pdf", views.badge, name="gatekeeper-badge"),
    path("gatekeepers/<int:pk>/end/", views.end, name="gatekeeper-end"),
]
