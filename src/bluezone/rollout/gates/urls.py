# SPDX-License-Identifier: Apache-2.0
"""Addresses of the gates' pages in the office."""

from django.urls import path

from bluezone.rollout.gates import views

urlpatterns = [path("gates/", views.gate_list, name="gates")]
