# SPDX-License-Identifier: Apache-2.0
"""The city's own words: entered by ear, said so in every text that is written then, and never in one that was."""

import re

import pytest
from tests.builders.bulletins import NOW, agency, make_people
from tests.builders.office import user

from bluezone.audit.models import AuditEntry
from bluezone.rollout.bulletins.models import SpokenWord
from bluezone.rollout.bulletins.texts import pronunciation, scripts

pytestmark = pytest.mark.django_db
PAGE = "/bulletins/words/"
TEXT = "Mời bà con xã Pác Nặm đến nhà văn hóa ABK lúc 17h30."


@pytest.fixture
def editor(client):
    client.force_login(make_people()[0])
    return client


def enter(browser, written, said):
    return browser.post(PAGE, {"written": written, "said": said})


def test_a_word_is_said_as_it_was_entered_and_the_rest_by_the_rules(editor):
    assert enter(editor, "ABK", "a bê ca mới").status_code == 302
    assert enter(editor, "pác nặm", "pác nậm").status_code == 302

    said = pronunciation.read_aloud_form(TEXT, "vi")

    assert said == "Mời bà con xã pác nậm đến nhà văn hóa a bê ca mới lúc mười bảy giờ ba mươi phút."
    assert "mới" not in pronunciation.read_aloud_form("ABKX", "vi")


def test_a_word_that_is_entered_again_is_said_anew(editor):
    enter(editor, "ABK", "một")
    enter(editor, "ABK", "hai")

    assert [(word.written, word.pronunciation) for word in SpokenWord.objects.all()] == [("ABK", "hai")]


@pytest.mark.long
def test_of_two_who_set_one_word_the_second_hears_how_the_first_has_set_it(editor):
    enter(editor, "ABKX", "cũ")
    shown = sealed(editor.get(PAGE))
    assert editor.post(PAGE, {"written": "ABKX", "said": "mới", "shown": shown}).status_code == 302, "known, said anew"
    shown = sealed(editor.get(PAGE))
    mine = {"written": "ABK", "said": "hai", "shown": shown}
    assert editor.post(PAGE, {**mine, "said": "một"}).status_code == 302
    second = editor.post(PAGE, mine)

    assert second.status_code == 409
    assert [(one.name, one.stored) for one in second.context["form"].clashes] == [("said", "một")]
    assert SpokenWord.objects.get(written="ABK").pronunciation == "một", "nothing of the second is stored yet"
    assert editor.post(PAGE, {**mine, "shown": sealed(second)}).status_code == 302
    assert editor.post(PAGE, mine).status_code == 302, "the same again does no harm"
    assert SpokenWord.objects.get(written="ABK").pronunciation == "hai"


def sealed(page):
    return re.search(r'name="shown" value="([^"]+)"', page.text)[1]


def test_figures_and_abbreviations_in_how_it_is_said_are_read_out_too(editor):
    enter(editor, "ABK", "UBND tổ 3")

    assert SpokenWord.objects.get().pronunciation == "Ủy ban nhân dân tổ ba"


def test_a_number_alone_is_no_word_because_it_stands_for_many_things(editor):
    answer = enter(editor, "30/4", "ngày lễ")

    assert answer.status_code == 422
    assert not SpokenWord.objects.exists()


@pytest.mark.long
def test_a_text_that_was_written_before_keeps_its_reading_and_the_page_says_that_there_is_another(editor):
    bulletin = scripts.create_bulletin(make_people()[0], agency(), "Họp", "normal", {"vi": TEXT}, NOW)
    before = bulletin.scripts.get().spoken_text
    enter(editor, "ABK", "nhà mới")

    page = editor.get(f"/bulletins/{bulletin.pk}/").text

    assert bulletin.scripts.get().spoken_text == before
    assert before in page
    assert "reads-otherwise" in page
    editor.post(f"/bulletins/{bulletin.pk}/write/", {"language": "vi", "text": TEXT, "said": ""})
    assert "nhà mới" in bulletin.scripts.first().spoken_text
    assert "reads-otherwise" not in editor.get(f"/bulletins/{bulletin.pk}/").text


def test_a_word_is_taken_back_once_and_both_are_in_the_audit(editor):
    enter(editor, "ABK", "nhà mới")
    word = SpokenWord.objects.get()

    for _twice in range(2):
        assert editor.post(f"{PAGE}{word.pk}/remove/").status_code == 302

    assert not SpokenWord.objects.exists()
    acts = AuditEntry.objects.filter(action__startswith="spoken_word").order_by("number")
    assert list(acts.values_list("action", flat=True)) == ["spoken_word_set", "spoken_word_removed"]


@pytest.mark.long
def test_a_word_is_heard_before_it_is_stored(editor):
    answer = editor.get(f"{PAGE}sound.mp3", {"said": "nhà văn hóa mới"})
    assert answer.headers["Content-Type"] == "audio/mpeg"
    assert len(answer.content) > 4000
    assert not SpokenWord.objects.exists()


def test_a_sentence_is_tried_and_its_reading_shown_beside_it(editor):
    page = editor.get(PAGE, {"text": "Nghỉ lễ 30/4-1/5."}).text

    assert "Nghỉ lễ 30/4-1/5." in page
    assert "Nghỉ lễ ba mươi tháng tư và mùng một tháng năm." in page


def test_who_writes_no_bulletins_enters_no_words(client):
    client.force_login(user("thu", "clerk", within=agency()))

    assert client.get(PAGE).status_code == 403
    assert enter(client, "ABK", "nhà mới").status_code == 403
