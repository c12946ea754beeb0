# SPDX-License-Identifier: Apache-2.0
"""Addresses of the gates' pages in the office."""

from django.urls import path

from bluezone.rollout.gates.setup import setup_views

urlpatterns = [
    path("gates/", setup_views.gate_list, name="gates"),
    path("gates/file/", setup_views.file, name="gates-file"),
    path("gates/late/", setup_views.late_list, name="gates-late"),
    path("gates/new/", setup_views.new_gate, name="gate-new"),
    path("gates/<int:pk>/", setup_views.gate, name="gate"),
    path("gates/<int:pk>/close/", setup_views.close_gate, name="gate-close"),
    path("gates/<int:pk>/tablet/", setup_views.put_tablet, name="gate-tablet"),
    path("gates/<int:pk>/sign.pdf", setup_views.sign, name="gate-sign"),
    path("gates/<int:pk>/book.pdf", setup_views.book, name="gate-book"),
    path("gates/<int:pk>/tally.pdf", setup_views.tally, name="gate-tally"),
    path("gates/<int:pk>/paper/", setup_views.paper, name="gate-paper"),
    path("gates/<int:pk>/paper/remove/", setup_views.take_out, name="gate-paper-remove"),
    path("gates/<int:pk>/gatekeepers/new/", setup_views.nominate, name="gatekeeper-new"),
    path("gatekeepers/<int:pk>/renew/", setup_views.renew, name="gatekeeper-renew"),
    path("gatekeepers/<int:pk>/badge.pdf", setup_views.badge, name="gatekeeper-badge"),
    path("gatekeepers/<int:pk>/end/", setup_views.end, name="gatekeeper-end"),
]
