# SPDX-License-Identifier: Apache-2.0
"""Addresses of the health worker's pages."""

from django.urls import path

from bluezone.healthauthority import views

urlpatterns = [
    path("codes/", views.code_list, name="codes"),
    path("codes/new/", views.new_code, name="code-new"),
    path("codes/<int:pk>/state/", views.code_state, name="code-state"),
    path("codes/<int:pk>/revoke/", views.revoke_code, name="code-revoke"),
]
