# SPDX-License-Identifier: Apache-2.0
"""URLs of the alert pages in the office."""

from django.urls import path

from bluezone.messaging.cap import views

urlpatterns = [
    path("alerts/", views.alerts, name="alerts"),
    path("alerts/new/", views.edit, name="alert-new"),
    path("alerts/<int:pk>/", views.alert, name="alert"),
    path("alerts/<int:pk>/edit/", views.edit, name="alert-edit"),
    path("alerts/<int:after>/update/", views.edit, name="alert-update"),
    path("alerts/<int:pk>/release/", views.release, name="alert-release"),
    path("alerts/<int:pk>/cancel/", views.cancel, name="alert-cancel"),
    path("alerts/<int:pk>/file.xml", views.file, name="alert-file"),
]
