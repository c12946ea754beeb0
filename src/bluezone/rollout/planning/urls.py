# SPDX-License-Identifier: Apache-2.0
"""Addresses of plans."""

from django.urls import path

from bluezone.rollout.planning import views

urlpatterns = [
    path("plans/", views.plan_list, name="plans"),
    path("plans/<int:pk>/", views.show_plan, name="plan"),
    path("plans/<int:pk>/stop/", views.stop_plan, name="plan-stop"),
]
