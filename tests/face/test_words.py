# SPDX-License-Identifier: Apache-2.0
"""The words of the face: every language side by side, every text used, none missing."""

import json
import re

import pytest

from bluezone.face.files import STATIC, static_files
from bluezone.handset.page.api import PAGE_LANGUAGES

CATALOGUES = ("words/{}.js", "words/{}-reading.js")
SOURCES = [
    path for path in STATIC.rglob("*.js") if not {"words", "vendor", "web"} & set(path.relative_to(STATIC).parts[:-1])
]
# Keys that are put together from a name: the literal beginning is in the source.
PLURAL = ("one", "other")


def catalogue(name):
    """The words of one file, which is JSON between `export default` and the last semicolon."""
    text = static_files()[name].content.decode()
    pairs = json.loads(re.search(r"export default (\{.*\});", text, re.DOTALL)[1], object_pairs_hook=list)
    assert len(pairs) == len(dict(pairs)), "a key stands twice"
    return dict(pairs)


def whole(language):
    return {key: text for name in CATALOGUES for key, text in catalogue(name.format(language)).items()}


def source():
    return "\n".join(path.read_text() for path in SOURCES)


@pytest.mark.parametrize("name", CATALOGUES)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_language_has_the_same_keys_and_places(name, language):
    vi, other = catalogue(name.format("vi")), catalogue(name.format(language))
    assert list(vi) == list(other)
    for key in vi:
        places = [set(re.findall(r"\{[a-z_]+\}", words[key])) for words in (vi, other)]
        assert places[0] == places[1], key
        assert vi[key].strip(), key
        assert other[key].strip(), key
        assert vi[key].count("**") % 2 == other[key].count("**") % 2 == 0, key


def test_the_languages_are_those_that_a_screen_offers():
    listed = re.search(r"SPOKEN = \{(.*?)^\};", static_files()["words.js"].content.decode(), re.DOTALL | re.MULTILINE)
    assert set(re.findall(r"^  (\w+): \{", listed[1], re.MULTILINE)) == {"vi", "en", "zh"} == set(PAGE_LANGUAGES)


def test_vietnamese_is_vietnamese_and_english_is_english():
    same = {key for key, text in whole("vi").items() if whole("en")[key] == text}
    assert same <= {
        "disease", "language.vi", "language.en", "language.zh", "visit.over", "sent.days", "language.other",
    }  # fmt: skip
    vietnamese = re.compile("[ăđơưạảấầẩẫậắằẳẵặẹẻẽếềểễệịỉĩọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]")
    assert {key for key, text in whole("en").items() if vietnamese.search(text)} <= {"language.vi", "language.other"}


def test_chinese_is_chinese():
    """Whoever chose it reads nothing of another language between but names, numbers and signs."""
    same = {key for key, text in whole("zh").items() if text == whole("en")[key]}
    assert same <= {"disease", "language.vi", "language.en", "language.zh", "language.other", "sent.days", "visit.over"}
    han = re.compile("[\u4e00-\u9fff]")
    assert {key for key, text in whole("zh").items() if not han.search(text)} <= same | {"time.day"}
    left = re.compile(r"[A-Za-z]{3,} [a-z]{2,}")
    assert {key: text for key, text in whole("zh").items() if left.search(re.sub("“[^”]*”", "", text))} == {}


def test_every_key_that_a_screen_asks_for_exists():
    words, text = whole("vi"), source()
    for key in re.findall(r"""\bapp\.t\(\s*"([^"]+)\"""", text):
        assert key in words, key
    for key in re.findall(r"""\bapp\.n\(\s*"([^"]+)\"""", text):
        assert {f"{key}.{form}" for form in PLURAL} <= set(words), key
    for beginning in re.findall(r"""\.t\(`([a-z_.]+)\$\{""", text):
        assert [key for key in words if key.startswith(beginning)], beginning


def test_every_key_is_used():
    text = source()
    literal = set(re.findall(r'"([a-z][a-z0-9_.]+)"', text))
    beginnings = set(re.findall(r"`([a-z]+(?:\.[a-z_]+)*\.)\$\{", text))
    unused = [
        key for key in whole("vi")
        if key not in literal and key.rsplit(".", 1)[0] not in literal and not key.startswith(tuple(beginnings))
    ]  # fmt: skip
    assert unused == ["disease"], "it is filled in by words.js"


@pytest.mark.parametrize(("language", "word"), [("vi", "đang chạy"), ("en", "running")])
def test_the_word_running_stands_in_texts_for_a_phone_that_runs_and_nowhere_else(language, word):
    holding = [key for key, text in whole(language).items() if word in text.lower()]
    assert holding
    assert all(key.startswith("running.") for key in holding)
    asking = [path for path in SOURCES if '"running.' in path.read_text()]
    assert [path.name for path in asking] == ["telling.js"]
    assert re.search(r'bluetooth\.running \? app\.t\("running\.a"\)', asking[0].read_text())


def test_no_screen_promises_safety_or_fourteen_days_that_were_not_lived():
    for text in whole("vi").values():
        assert "bạn an toàn" not in text.lower() or text.endswith("?")
    assert "Từ {day} đến lần kiểm tra lúc {at}" in whole("vi")["home.a.near"]
    assert "Since {day}" in whole("en")["home.a.near"]


def test_words_at_which_readers_stumbled_are_gone():
    vi = {key: text.replace("\u00a0", " ") for key, text in whole("vi").items()}
    text = " | ".join(vi.values())
    for phrase in ("mã độn", "kho khóa", "Mức chắc chắn: không chắc", "vài phút đổi", "nhờ người trực ghi giúp"):
        assert phrase not in text, phrase
    assert not re.search(r"(?<![Ss]ao )[Cc]hép liên kết", text)
    assert "thu hồi" in vi["refusal.code_wrong"], "a code that was withdrawn was not wrong"


def test_the_web_edition_speaks_of_places_where_the_phone_speaks_of_who_was_near():
    text = source()
    for key in ("welcome.stays.diary", "erase.consequence", "share.picture.title"):
        assert f'app.isWeb ? "{key}.web" : "{key}"' in text, key
        assert not re.search("tiếp xúc|ở gần", whole("vi")[f"{key}.web"]), key
        assert not re.search("contact|near", whole("en")[f"{key}.web"]), key


def test_every_refusal_says_what_to_do_or_what_was_kept():
    """Each has two sentences at least: what happened, and what was kept or what to do."""
    short = [
        key
        for key, text in whole("en").items()
        if key.startswith("refusal.") and len(re.findall(r"[.!?;](\s|$)", text)) < 2
    ]
    assert short == []


@pytest.mark.parametrize(("language", "probable"), [("vi", "nhiều khả năng"), ("en", "probabl"), ("zh", "很可能")])
def test_words_for_a_chance_from_45_in_100_do_not_call_it_probable(language, probable):
    words = {key: text.replace("\u00a0", " ") for key, text in whole(language).items()}

    assert probable not in words["near.likely"].lower()
    assert probable not in words["gauge.likely"].lower()
    assert len({words[f"gauge.{step}"] for step in ("sure", "likely", "unlikely", "unclear")}) == 4
