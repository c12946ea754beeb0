# SPDX-License-Identifier: Apache-2.0
"""Addresses of the desk: home, search and notices."""

from django.urls import path

from bluezone.desk import home, notices

urlpatterns = [
    path("", home.home, name="first-page"),
    path("find/", home.find, name="find"),
    path("notices/", notices.notices, name="notices"),
    path("notices/phone/", notices.phone, name="notices-phone"),
    path("notices/phone/forget/", notices.forget_phone, name="notices-phone-forget"),
    path("notices/worker.js", notices.worker, name="notices-worker"),
    path("notices/browsers/", notices.add_browser, name="notices-browser"),
    path("notices/browsers/<int:pk>/remove/", notices.remove_browser, name="notices-browser-remove"),
]
