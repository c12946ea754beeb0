# SPDX-License-Identifier: Apache-2.0
"""Addresses of devices in the office."""

from django.urls import path

from bluezone.devices import views

urlpatterns = [
    path("devices/", views.device_list, name="devices"),
    path("devices/new/", views.new_device, name="device-new"),
    path("devices/<int:pk>/", views.show_device, name="device"),
    path("devices/<int:pk>/code/", views.issue_enrolment_code, name="device-code"),
    path("devices/<int:pk>/revoke/", views.revoke_device, name="device-revoke"),
]
