# SPDX-License-Identifier: Apache-2.0
"""News from the first draft to a withdrawal, as editors write it and as readers and phones get it."""

import xml.etree.ElementTree as ElementTree

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from tests.builders.office import prove_second_factor, user

from bluezone.identity.models import AuditEntry, Role
from bluezone.portal import news
from bluezone.portal.models import NewsItem, NewsVersion
from bluezone.portal.news import FEED_BYTES

pytestmark = pytest.mark.django_db
TEXTS = {
    "title_vi": "Điểm tiêm mới",
    "body_vi": "Mở từ **thứ Hai** tại trạm y tế.",
    "title_en": "New clinic",
    "body_en": "Open from **Monday**.",
}


@pytest.fixture
def editor():
    return user("bien.tap", Role.EDITOR)


@pytest.fixture
def desk(editor, server):
    client = Client()
    client.force_login(editor)
    return prove_second_factor(client)


def out(editor, **texts):
    item = news.save_item(news.Texts(**{**TEXTS, **texts}), editor, timezone.now())
    news.publish_news_item(item, editor, timezone.now())
    return item


def on_public(settings):
    from bluezone.web import settings_public

    settings.ROOT_URLCONF, settings.MIDDLEWARE = settings_public.ROOT_URLCONF, settings_public.MIDDLEWARE
    settings.TEMPLATES = settings_public.TEMPLATES
    return Client()


def test_a_draft_is_seen_by_editors_alone_until_it_is_published(desk, settings):
    kept = desk.post("/news/new/", TEXTS)
    item = NewsItem.objects.get()
    assert kept.url == f"/news/{item.pk}/"
    assert "<strong>thứ Hai</strong>" in desk.get(kept.url).text
    published = desk.post(kept.url)
    assert published.url == "/news/"
    public = on_public(settings)

    assert public.get(f"/news/{item.pk}/").status_code == 200
    assert "Điểm tiêm mới" in public.get("/news/").text
    assert "Điểm tiêm mới" in public.get("/").text


def test_readers_see_no_draft_anywhere(editor, public):
    item = news.save_item(news.Texts(**TEXTS), editor, timezone.now())

    assert public.get(f"/news/{item.pk}/").status_code == 404
    assert public.get("/news/feed.json").json() == {"items": []}
    for address in ("/", "/news/", "/news/rss.xml"):
        assert "Điểm tiêm mới" not in public.get(address).text


def test_a_correction_says_what_was_wrong_and_keeps_what_was_said(desk, editor, settings):
    item = out(editor)
    desk.post(f"/news/{item.pk}/edit/", {**TEXTS, "title_vi": "Điểm tiêm mở thứ Ba"})
    assert desk.post(f"/news/{item.pk}/", {"note-note": ""}).status_code == 422
    desk.post(f"/news/{item.pk}/", {"note-note": "Ngày mở là thứ Ba."})
    text = on_public(settings).get(f"/news/{item.pk}/").text

    assert "Điểm tiêm mở thứ Ba" in text
    assert "Ngày mở là thứ Ba." in text
    assert [version.title_vi for version in item.versions.all()] == ["Điểm tiêm mới", "Điểm tiêm mở thứ Ba"]


def test_publishing_again_what_readers_see_changes_nothing(desk, editor):
    item = out(editor)

    assert desk.post(f"/news/{item.pk}/", {"note-note": "x"}).status_code == 409
    assert NewsVersion.objects.count() == 1


@pytest.mark.long
def test_withdrawn_news_leaves_every_list_and_its_address_says_why(desk, editor, settings):
    item = out(editor)
    assert desk.post(f"/news/{item.pk}/withdraw/", {"note": ""}).status_code == 422
    desk.post(f"/news/{item.pk}/withdraw/", {"note": "Tin chưa được xác nhận."})
    assert desk.post(f"/news/{item.pk}/edit/", TEXTS).status_code == 409
    assert desk.post(f"/news/{item.pk}/withdraw/", {"note": "x"}).status_code == 409
    public = on_public(settings)
    gone = public.get(f"/news/{item.pk}/")

    assert gone.status_code == 410
    assert "Tin chưa được xác nhận." in gone.text
    assert "thứ Hai" not in gone.text
    assert "Điểm tiêm mới" not in gone.text
    assert public.get("/news/feed.json").json()["items"] == []
    assert "Điểm tiêm mới" not in public.get("/news/").text


@pytest.mark.parametrize(
    "wrong",
    [
        {"title_vi": ""},
        {"body_vi": " "},
        {"body_en": ""},
        {"title_en": ""},
        {"body_vi": "xem [đây](http://evil.example)"},
        {"title_vi": "x" * 121},
        {"body_vi": "x" * 6001},
    ],
)
def test_a_text_that_cannot_be_published_is_not_kept(desk, wrong):
    answer = desk.post("/news/new/", {**TEXTS, **wrong})

    assert answer.status_code == 422
    assert not NewsItem.objects.exists()


def test_the_database_holds_it_too(editor):
    with pytest.raises(IntegrityError), transaction.atomic():
        NewsItem.objects.create(title_vi="", body_vi="x", written_by=editor, written_at=timezone.now())


def test_each_act_is_in_the_audit(editor):
    item = out(editor)
    news.save_item(news.Texts(**{**TEXTS, "title_vi": "Khác"}), editor, timezone.now(), item)
    news.publish_news_item(item, editor, timezone.now(), "khác")
    news.withdraw_item(item, "sai", editor, timezone.now())
    acts = AuditEntry.objects.filter(subject=str(item.pk)).order_by("number").values_list("action", flat=True)

    assert list(acts) == ["news_written", "news_published", "news_written", "news_corrected", "news_withdrawn"]


def test_in_training_mode_nothing_is_published(desk, editor):
    item = news.save_item(news.Texts(**TEXTS), editor, timezone.now())
    desk.post("/training/", {"on": "1", "training": "1"})
    session = desk.session
    session["training"] = True
    session.save()

    assert desk.post(f"/news/{item.pk}/").status_code == 409
    assert desk.post("/news/new/", TEXTS).status_code == 409
    assert (NewsItem.objects.count(), NewsVersion.objects.count()) == (1, 0)


def test_phones_get_one_feed_that_says_nothing_of_them(editor, public):
    item = out(editor)
    answer = public.get("/news/feed.json")
    told = answer.json()["items"][0]

    assert {name: told[name] for name in TEXTS} == TEXTS
    assert told["id"] == item.pk
    assert told["url"].endswith(f"/news/{item.pk}/")
    assert told["published_at"] == int(NewsItem.objects.get().published_at.timestamp())
    assert not answer.cookies
    assert "Cookie" not in answer.headers.get("Vary", "")
    again = public.get("/news/feed.json", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_feed_stays_small_enough_for_every_phone(editor, public):
    for _ in range(30):
        out(editor, body_vi="ệ" * 6000, body_en="x" * 6000)
    answer = public.get("/news/feed.json")

    assert 0 < len(answer.json()["items"]) < 30
    assert len(answer.content) < FEED_BYTES * 1.2


def test_rss_is_xml_in_each_language(editor, public):
    out(editor, body_vi="a < b & **c**", title_en="", body_en="")
    for address, language in (("/news/rss.xml", "vi"), ("/news/rss.en.xml", "en")):
        root = ElementTree.fromstring(public.get(address).content)
        assert root.findtext("channel/language") == language
        assert root.findtext("channel/item/title") == "Điểm tiêm mới", "no English: the Vietnamese"
        assert root.findtext("channel/item/description") == "<p>a &lt; b &amp; <strong>c</strong></p>"


def test_readers_of_english_are_told_where_only_vietnamese_is_there(editor, public):
    item = out(editor, title_en="", body_en="")
    public.cookies.load({"bluezone-language": "en"})

    assert "not available in English yet" in public.get(f"/news/{item.pk}/").text
