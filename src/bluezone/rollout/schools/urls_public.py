# SPDX-License-Identifier: Apache-2.0
"""Addresses of the schools on the public origin."""

from django.urls import path

from bluezone.rollout.schools.classes import link_views

urlpatterns = [path("c/<str:token>/", link_views.class_link, name="class-link")]
