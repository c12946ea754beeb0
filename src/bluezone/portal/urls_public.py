# SPDX-License-Identifier: Apache-2.0
"""URLs of the public pages, of the web edition and of the help call; included by `bluezone.web.urls_public`."""

from django.urls import path

from bluezone.portal import materials, news_views, transparency, views

urlpatterns = [
    path("", views.home, name="home"),
    path("k", views.home, name="short"),
    path("v", views.venue, name="venue"),
    path("r", views.report, name="report"),
    path("install/", views.install, name="install"),
    path("install/bluezone.apk", views.install_file, name="install-file"),
    path("protection/", views.text_page, {"name": "protection"}, name="protection"),
    path("guides/", views.text_page, {"name": "guides"}, name="guides"),
    path("faq/", views.faq, name="faq"),
    path("news/", views.news, name="news"),
    path("news/<int:pk>/", views.news_item, name="news-item"),
    path("news/feed.json", news_views.json_feed, name="news-feed"),
    path("news/rss.xml", news_views.rss_vi, name="news-rss"),
    path("news/rss.en.xml", news_views.rss_en, name="news-rss-en"),
    path("materials/", materials.materials, name="materials"),
    path("materials/<str:language>/<str:file>", materials.material, name="material"),
    path("transparency/", transparency.transparency, name="transparency"),
    path("help/", views.submit_help_request, name="help"),
    path("help/<str:ticket>/", views.show_help_ticket, name="help-sent"),
    path("voice/list.json", views.voices, name="voices"),
    path("voice/<slug:language>/<slug:name>.mp3", views.recording, name="voice-recording"),
    path("v1/help", views.submit_help_request_json, name="help-open"),
    path("app/", views.web_edition, {"path": ""}, name="web-edition"),
    path("app/<path:path>", views.web_edition, name="web-edition-file"),
    path("assets/<str:digest>/", views.asset, {"path": ""}, name="assets"),
    path("assets/<str:digest>/<path:path>", views.asset, name="asset"),
]
# The numbers in a query that a page depends on, by the name of its address. Other parameters change nothing.
QUERIES = {"news": ("page",)}
PAGES = frozenset(pattern.callback for pattern in urlpatterns)
