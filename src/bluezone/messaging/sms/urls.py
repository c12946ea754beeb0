# SPDX-License-Identifier: Apache-2.0
"""URLs of the pages about text messages in the office."""

from django.urls import path

from bluezone.messaging.sms import views

urlpatterns = [
    path("messages/", views.show_overview, name="messages"),
    path("messages/meter/", views.measure_text, name="messages-meter"),
]
