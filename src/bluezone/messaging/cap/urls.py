# SPDX-License-Identifier: Apache-2.0
"""URLs of the alert pages in the office."""

from django.urls import path

from bluezone.messaging.cap import views

urlpatterns = [
    path("alerts/", views.alert_list, name="alerts"),
    path("alerts/new/", views.edit_alert, name="alert-new"),
    path("alerts/<int:pk>/", views.show_alert, name="alert"),
    path("alerts/<int:pk>/edit/", views.edit_alert, name="alert-edit"),
    path("alerts/<int:refers_to>/update/", views.edit_alert, name="alert-update"),
    path("alerts/<int:pk>/release/", views.release_alert, name="alert-release"),
    path("alerts/<int:pk>/cancel/", views.cancel_alert, name="alert-cancel"),
    path("alerts/<int:pk>/file.xml", views.download_alert, name="alert-file"),
]
