# SPDX-License-Identifier: Apache-2.0
"""Addresses of the news desk in the office."""

from django.urls import path

from bluezone.portal.news import desk_views

urlpatterns = [
    path("news/", desk_views.desk, name="news-desk"),
    path("news/new/", desk_views.edit, name="news-new"),
    path("news/<int:pk>/", desk_views.preview, name="news-preview"),
    path("news/<int:pk>/edit/", desk_views.edit, name="news-edit"),
    path("news/<int:pk>/withdraw/", desk_views.withdraw, name="news-withdraw"),
]
