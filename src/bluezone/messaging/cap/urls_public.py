# SPDX-License-Identifier: Apache-2.0
"""URLs of the alerts on the public origin."""

from django.urls import path

from bluezone.messaging.cap import views

urlpatterns = [
    path("cap/feed.xml", views.alert_feed, name="cap-feed"),
    path("cap/<str:identifier>.xml", views.public_alert, name="cap-file"),
]
