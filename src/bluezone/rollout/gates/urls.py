# SPDX-License-Identifier: Apache-2.0
"""Addresses of the gates' pages in the office."""

from django.urls import path

from bluezone.rollout.gates import paper_views, roster_views, views

urlpatterns = [
    path("gates/", views.gate_list, name="gates"),
    path("gates/file/", views.file, name="gates-file"),
    path("gates/late/", views.late_list, name="gates-late"),
    path("gates/new/", roster_views.new_gate, name="gate-new"),
    path("gates/<int:pk>/", views.gate, name="gate"),
    path("gates/<int:pk>/close/", roster_views.close_gate, name="gate-close"),
    path("gates/<int:pk>/tablet/", roster_views.put_tablet, name="gate-tablet"),
    path("gates/<int:pk>/sign.pdf", roster_views.sign, name="gate-sign"),
    path("gates/<int:pk>/book.pdf", roster_views.book, name="gate-book"),
    path("gates/<int:pk>/tally.pdf", roster_views.tally, name="gate-tally"),
    path("gates/<int:pk>/paper/", paper_views.paper, name="gate-paper"),
    path("gates/<int:pk>/paper/remove/", paper_views.take_out, name="gate-paper-remove"),
    path("gates/<int:pk>/gatekeepers/new/", roster_views.nominate, name="gatekeeper-new"),
    path("gatekeepers/<int:pk>/renew/", roster_views.renew, name="gatekeeper-renew"),
    path("gatekeepers/<int:pk>/badge.pdf", roster_views.badge, name="gatekeeper-badge"),
    path("gatekeepers/<int:pk>/end/", roster_views.end, name="gatekeeper-end"),
]
