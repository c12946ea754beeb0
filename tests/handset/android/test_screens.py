# SPDX-License-Identifier: Apache-2.0
"""The app's own screens: in both languages, nothing fetched, and every button known to the window that acts on it."""

import json
import re
from html.parser import HTMLParser
from typing import get_args

import pytest

from bluezone.face.files import STATIC
from bluezone.handset.android.notices import app_words, face_words
from bluezone.handset.android.permissions import Step, maker_guide
from bluezone.handset.android.screens import ERASABLE_PROBLEMS, problem_screen, step_screen, waiting_screen
from bluezone.protocol.languages import LANGUAGES

STEPS = [step for step in get_args(Step) if step != "go"]
MAKERS = {
    "samsung": "samsung", "Xiaomi": "xiaomi", "Redmi": "xiaomi", "POCO": "xiaomi", "OPPO": "oppo", "realme": "oppo",
    "OnePlus": "oppo", "vivo": "vivo", "HUAWEI": "huawei", "HONOR": "huawei", "vsmart": "vsmart", "Vinsmart": "vsmart",
    "Google": "other", "Nokia": "other", "": "other", " samsung ": "samsung",
}  # fmt: skip


class Read(HTMLParser):
    def __init__(self):
        super().__init__()
        self.links, self.tags, self.attributes = [], set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += [name for name, _ in attrs]
        self.links += [value for name, value in attrs if name in ("href", "src", "action")]


def every_screen(language):
    yield from (step_screen(step, language, "samsung", killed=True) for step in STEPS)
    yield from (
        problem_screen(code, language) for code in ("keystore_key_lost", "city_not_set", "fault", "handset_busy")
    )
    yield waiting_screen(language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_screen_has_no_script_fetches_nothing_and_offers_exactly_the_buttons_it_shows(language):
    for screen in every_screen(language):
        read = Read()
        read.feed(screen.html)
        assert not read.tags & {"script", "img", "iframe", "form", "link", "object"}
        assert not [name for name in read.attributes if name.startswith("on")]
        assert {f"bluezone:{action}" for action in screen.actions} == set(read.links)
        assert "default-src 'none'" in screen.html
        assert "{" not in re.sub(r"<style>.*?</style>", "", screen.html, flags=re.DOTALL)


def test_both_languages_have_the_same_sentences_and_none_is_empty():
    vi, en = app_words("vi"), app_words("en")

    assert vi.keys() == en.keys()
    assert all(vi.values())
    assert all(en.values())
    assert [name for name in vi if vi[name] == en[name]] == ["waiting.title"]
    for name in vi:
        assert set(re.findall(r"\{\w+\}", vi[name])) == set(re.findall(r"\{\w+\}", en[name]))


def test_the_faces_words_are_read_whole():
    for language in LANGUAGES:
        text = (STATIC / "words" / f"{language}.js").read_text()
        assert len(face_words(language)) == len(re.findall(r'^\s*"[\w.]+":', text, re.MULTILINE))
        assert json.dumps(face_words(language)["home.b.title"], ensure_ascii=False) in text


@pytest.mark.parametrize(("maker", "guide"), MAKERS.items())
def test_each_maker_gets_its_own_way_to_keep_an_app_alive(maker, guide):
    assert maker_guide(maker) == guide
    assert app_words("vi")[f"maker.{guide}"] in step_screen("maker", "vi", maker).html


def test_that_android_killed_the_service_is_said_only_if_it_did():
    assert app_words("vi")["maker.killed"] in step_screen("maker", "vi", "samsung", killed=True).html
    assert app_words("vi")["maker.killed"] not in step_screen("maker", "vi", "samsung").html


def test_beginning_anew_is_offered_only_where_nothing_can_be_read_any_more():
    codes = (*ERASABLE_PROBLEMS, "keystore_unavailable", "fault", "city_not_set", "handset_store_too_new")

    assert {code for code in codes if "anew" in problem_screen(code, "en").actions} == ERASABLE_PROBLEMS


def test_no_screen_claims_that_bluezone_runs():
    for language, claim in (("vi", "đang chạy"), ("en", "is running")):
        assert not [screen for screen in every_screen(language) if claim in screen.html]
