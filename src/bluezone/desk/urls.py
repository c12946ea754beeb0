# SPDX-License-Identifier: Apache-2.0
"""Addresses of the desk: home, search and notices."""

from django.urls import path

from bluezone.desk import home, notice_views, phone_views

urlpatterns = [
    path("", home.home, name="first-page"),
    path("find/", home.find, name="find"),
    path("notices/", notice_views.notices, name="notices"),
    path("notices/phone/", phone_views.phone, name="notices-phone"),
    path("notices/phone/forget/", phone_views.forget_phone, name="notices-phone-forget"),
    path("notices/worker.js", notice_views.worker, name="notices-worker"),
    path("notices/browsers/", notice_views.add_browser, name="notices-browser"),
    path("notices/browsers/<int:pk>/remove/", notice_views.remove_browser, name="notices-browser-remove"),
]
