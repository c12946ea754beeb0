# SPDX-License-Identifier: Apache-2.0
"""URLs of the news desk in the office."""

from django.urls import path

from bluezone.portal import news_views

urlpatterns = [
    path("news/", news_views.item_list, name="news-desk"),
    path("news/new/", news_views.new_item, name="news-new"),
    path("news/<int:pk>/", news_views.preview_item, name="news-preview"),
    path("news/<int:pk>/edit/", news_views.edit_item, name="news-edit"),
    path("news/<int:pk>/withdraw/", news_views.withdraw_item, name="news-withdraw"),
]
