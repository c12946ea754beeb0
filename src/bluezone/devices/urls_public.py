# SPDX-License-Identifier: Apache-2.0
"""Addresses that devices call on the public origin, and the page a device's browser opens from its QR code."""

from django.urls import path

from bluezone.devices import endpoints

urlpatterns = [
    path("connect/", endpoints.connect, name="connect"),
    path("v1/devices/enrol", endpoints.enrol, name="device-enrol"),
    path("v1/devices/self", endpoints.whoami, name="device-self"),
    path("v1/devices/<path:rest>", endpoints.nothing_here, name="device-nothing"),
]
