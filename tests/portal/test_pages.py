# SPDX-License-Identifier: Apache-2.0
"""The public pages: what they promise, where they lead, and what they do not carry."""

import dataclasses
import gzip
import re
from pathlib import Path

import pytest

from bluezone.face.files import static_files
from bluezone.paper.phrases import facts
from bluezone.portal import page_texts
from bluezone.publicpages.page_frame import ASSETS

pytestmark = pytest.mark.django_db
PAGES = [
    "/", "/k", "/v", "/r", "/install/", "/protection/", "/guides/", "/faq/", "/news/", "/materials/", "/transparency/",
    "/help/",
]  # fmt: skip
LINKS = {"android": "https://tai.backan.example/app"}


@pytest.fixture
def with_app(settings):
    settings.CITY = dataclasses.replace(settings.CITY, install_links=LINKS)


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("address", PAGES)
def test_every_page_speaks_both_languages_without_inline_code_cookie_or_third_party(public, address, language):
    public.cookies.load({"bluezone-language": language})
    answer = public.get(address)
    text = answer.text

    assert answer.status_code == 200
    assert f'<html lang="{language}">' in text
    assert re.findall(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text) == []
    assert re.findall(r"(?:src|href)=\"(?:https?:)?//", text) == []
    assert not answer.cookies
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert re.search(r'name="viewport"', text)
    other = "en" if language == "vi" else "vi"
    assert f'href="/language/{other}/?next=' in text, "the other language is one tap away"


@pytest.mark.long
@pytest.mark.parametrize("address", PAGES)
def test_every_link_of_every_page_leads_somewhere(public, address):
    for target in set(re.findall(r'(?:href|src|action)="(/[^"#]*)', public.get(address).text)):
        if not target.startswith(("/language/", "/app/", "/materials/", "/static/")):
            assert public.get(target).status_code == 200, target


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "vi"), ("vi-VN,vi;q=0.9", "vi"), ("en-US,en;q=0.9", "en"), ("EN", "en"), ("zh-CN", "en"), ("fr-FR", "vi"),
        ("en-US,en;q=0.9,vi;q=0.1", "vi"), ("en, vi;q=0", "en"), ("en, vi; q=0.00", "en"), ("*", "vi"),
        (";q=;,,-", "vi"),
    ],
)  # fmt: skip
def test_who_chose_no_language_is_spoken_to_as_the_browser_lists_and_who_chose_one_in_that(public, accepted, language):
    answer = public.get("/", headers={"Accept-Language": accepted})
    assert f'<html lang="{language}">' in answer.text
    assert "Accept-Language" in answer.headers["Vary"]

    other = "en" if language == "vi" else "vi"
    public.cookies.load({"bluezone-language": other})
    assert f'<html lang="{other}">' in public.get("/", headers={"Accept-Language": accepted}).text


def test_the_steps_stand_in_pictures_each_with_a_sentence_and_a_description(public):
    for language in ("vi", "en"):
        public.cookies.load({"bluezone-language": language})
        strips = re.findall(r'<ol class="comic">.*?</ol>', public.get("/guides/").text, re.DOTALL)
        panels = [panel for strip in strips for panel in re.findall(r"<li>.*?</li>", strip, re.DOTALL)]

        assert [strip.count("<li>") for strip in strips] == [3, 4]
        for panel in panels:
            assert re.search(r'<svg [^>]*role="img" aria-label="[^"]{5,}"', panel)
            assert len(re.sub(r"<[^>]+>", "", panel).strip()) > 10


def test_pages_may_be_kept_for_a_minute_and_say_that_language_differs(public):
    answer = public.get("/")

    assert answer.headers["Cache-Control"] == "public, max-age=60"
    assert "Cookie" in answer.headers["Vary"]


@pytest.mark.parametrize("address", ["/", "/install/", "/guides/", "/faq/", "/protection/", "/materials/"])
@pytest.mark.parametrize("language", ["vi", "en"])
def test_where_there_is_no_app_no_page_speaks_of_running_or_of_switching_bluetooth_on(public, address, language):
    public.cookies.load({"bluezone-language": language})
    text = public.get(address).text

    assert not re.search(r"đang chạy|is running|bật Bluetooth|turn on bluetooth|keep bluetooth on", text, re.IGNORECASE)


@pytest.mark.parametrize("address", [*PAGES, "/wifi", "/k/stop"])
@pytest.mark.parametrize("language", ["vi", "en"])
def test_where_there_is_no_app_no_page_promises_to_know_who_was_near(public, address, language):
    public.cookies.load({"bluezone-language": language})
    text = re.sub(r"<[^>]+>|\s", " ", public.get(address).text)

    assert not re.search(r"từng ở gần|were near a|if you were near", text, re.IGNORECASE)


def test_words_at_which_readers_stumbled_stand_on_no_page(public, with_app):
    for address in PAGES:
        text = public.get(address).text
        assert not re.search(r"mã độn|kho khóa|nhờ người trực ghi giúp|vài phút đổi|Chép liên kết", text), address
    heads = re.findall(r"<th[^>]*>([^<]*)", public.get("/transparency/").text)
    assert "Lưu ở đâu" in heads
    assert "Địa bàn" not in heads


def test_the_landing_page_has_one_primary_button_and_is_honest_about_the_browser(public):
    text = public.get("/").text

    assert re.findall(r'class="button big"[^>]*>([^<]*)', text) == ["Mở bản web"]
    assert "không ghi nhận được người ở gần qua Bluetooth" in text
    assert "0209" in text


def test_with_an_app_the_button_installs_it(public, with_app):
    text = public.get("/").text

    assert re.findall(r'class="button big"[^>]*>([^<]*)', text) == ["Cài đặt"]
    assert LINKS["android"] in public.get("/install/").text
    assert "Bật Bluetooth" in public.get("/guides/").text


def test_the_short_link_is_the_landing_page_itself(public):
    # There is no app in this city: the web edition cannot know who was near, and the headline does not say so.
    assert "Biết sớm khi từng ở cùng địa điểm" in public.get("/k").text
    assert "từng ở gần" not in public.get("/k").text


@pytest.mark.parametrize("name", ["protection", "guides", "faq"])
@pytest.mark.parametrize("app", [{}, LINKS])
def test_no_sign_of_the_texts_is_left_on_a_page(settings, name, app):
    settings.CITY = dataclasses.replace(settings.CITY, install_links=app)
    for language in ("vi", "en"):
        title, body = page_texts._read(name, language, facts(language))
        assert title
        assert not re.search(r"^@|[{}]|^# ", body, re.MULTILINE)


def pictures(name, language):
    _, parts = page_texts.read_page(name, language, facts(language))
    return [part.picture for part in parts]


def questions(language):
    return page_texts.read_questions(language, facts(language))[1]


def test_both_languages_of_a_text_have_the_same_parts(settings):
    for app in ({}, LINKS):
        settings.CITY = dataclasses.replace(settings.CITY, install_links=app)
        for name in ("protection", "guides"):
            assert pictures(name, "vi") == pictures(name, "en")
        assert len(questions("vi")) == len(questions("en"))


def test_assets_are_kept_for_ever_under_an_address_that_changes_with_them(public):
    for path, asset in ASSETS.assets.items():
        answer = public.get(f"/assets/{ASSETS.digest}/{path}", headers={"Accept-Encoding": "gzip"})
        body = gzip.decompress(answer.content) if answer.headers.get("Content-Encoding") == "gzip" else answer.content
        assert body == asset.content
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        again = public.get(f"/assets/{ASSETS.digest}/{path}", headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304
    older = public.get("/assets/000000000000/portal.css")
    assert older.headers["Cache-Control"] == "public, max-age=60", "a page kept for a minute still finds its style"


@pytest.mark.parametrize(
    "path", ["../models.py", "..%2fmodels.py", "/etc/passwd", "fonts/../../models.py", "none.css", ""]
)
def test_no_path_leads_out_of_the_folder(public, path):
    assert public.get(f"/assets/{ASSETS.digest}/{path}").status_code == 404
    assert public.get(f"/app/{path or 'none.js'}").status_code == 404


def test_an_unknown_address_is_told_in_words_of_the_public_site(public):
    answer = public.get("/nothing/")

    assert answer.status_code == 404
    assert "Không có trang này" in answer.text
    assert "Điều hành" not in answer.text


def test_printed_fonts_have_every_vietnamese_letter():
    from io import BytesIO

    from fontTools.ttLib import TTFont

    letters = (
        "".join(chr(code) for code in range(0x1EA0, 0x1EFA)) + "ĂăÂâĐđÊêÔôƠơƯưÀÁÃÈÉÌÍÒÓÕÙÚÝàáãèéìíòóõùúýĨĩŨũ“”’–…·"
    )
    for weight in (400, 600):
        font = TTFont(BytesIO(ASSETS.assets[f"fonts/be-vietnam-pro-{weight}.woff2"].content))
        assert [letter for letter in letters if ord(letter) not in font.getBestCmap()] == []


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_guides_name_the_buttons_by_the_words_that_stand_on_them(language):
    pages = Path(page_texts.__file__).with_name("pages")
    named = set(re.findall(r"\*\*(.+?)\*\*", (pages / f"guides.{language}.md").read_text()))
    of_the_browser = {"⋯", "Mở bằng trình duyệt", "Thêm vào màn hình chính", "Open in browser", "Add to home screen"}
    named |= set(re.findall(r"(?:chọn|choose) \*\*(.+?)\*\*", (pages / f"faq.{language}.md").read_text()))
    words = static_files()[f"words/{language}.js"].content.decode()

    assert len(named - of_the_browser) >= 5
    assert [name for name in named - of_the_browser if f'": "{name}"' not in words] == []


def test_recordings_of_the_city_are_listed_and_served_and_nothing_else_of_the_folder(public, settings, tmp_path):
    settings.DATA_FOLDER = tmp_path
    assert public.get("/voice/list.json").json() == {}
    for name in ("tay/home-d", "tay/warning", "mong/warning", "klingon/warning", "tay/..notes"):
        path = tmp_path / "voice" / f"{name}.mp3"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"ID3 " + name.encode())

    assert public.get("/voice/list.json").json() == {"mong": ["warning"], "tay": ["home-d", "warning"]}
    answer = public.get("/voice/tay/home-d.mp3")
    assert (answer.content, answer.headers["Content-Type"]) == (b"ID3 tay/home-d", "audio/mpeg")
    for path in ("tay/nothing", "klingon/warning", "tay/..notes"):
        assert public.get(f"/voice/{path}.mp3").status_code == 404
