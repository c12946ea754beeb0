# SPDX-License-Identifier: Apache-2.0
"""An editor sees how the machine will say a text, and puts it right."""

import re

import pytest
from tests.builders.bulletins import NOW, agency
from tests.builders.office import user

from bluezone.rollout.bulletins.texts import scripts

pytestmark = pytest.mark.django_db
TEXT = "UBND xã họp lúc 17h30 tại Pác Ngòi."
READ = "Ủy ban nhân dân xã họp lúc mười bảy giờ ba mươi phút tại Pác Ngòi."
CORRECTED = "Ủy ban nhân dân xã họp lúc mười bảy giờ ba mươi phút tại Pác Ngòi, thôn Bó Lù."


@pytest.fixture
def written(client):
    writer = user("bien", "editor", within=agency())
    client.force_login(writer)
    bulletin = scripts.create_bulletin(writer, agency(), "Họp dân", "normal", {"vi": TEXT}, NOW)
    return client, bulletin


@pytest.mark.long
def test_the_page_shows_how_the_machine_says_a_text(written):
    browser, bulletin = written

    assert READ in browser.get(f"/bulletins/{bulletin.pk}/").content.decode()


@pytest.mark.long
def test_a_correction_is_what_the_machine_says_of_this_version(written):
    browser, bulletin = written
    address = f"/bulletins/{bulletin.pk}/write/?language=vi"
    assert READ in browser.get(f"{address}&said").content.decode()

    answer = browser.post(address, {"language": "vi", "text": TEXT, "said": CORRECTED})
    newest = bulletin.scripts.order_by("-number").first()

    assert answer.status_code == 302
    assert (newest.number, newest.text, newest.spoken_text) == (2, TEXT, CORRECTED)
    assert newest.machine.sha256 != bulletin.scripts.get(number=1).machine.sha256
    assert CORRECTED in browser.get(f"/bulletins/{bulletin.pk}/").content.decode()


@pytest.mark.long
def test_a_correction_of_another_text_is_refused(written):
    browser, bulletin = written
    address = f"/bulletins/{bulletin.pk}/write/?language=vi"
    browser.post(address, {"language": "vi", "text": TEXT, "said": CORRECTED})

    answer = browser.post(address, {"language": "vi", "text": TEXT.replace("17h30", "18h"), "said": CORRECTED})

    assert answer.status_code == 422
    assert bulletin.scripts.count() == 2


@pytest.mark.long
def test_what_the_machine_says_anyway_is_no_correction(written):
    browser, bulletin = written
    address = f"/bulletins/{bulletin.pk}/write/?language=vi"
    browser.post(address, {"language": "vi", "text": TEXT, "said": READ})

    assert bulletin.scripts.order_by("-number").first().correction == ""


@pytest.mark.long
def test_of_two_who_write_a_text_anew_the_second_sees_what_the_first_has_stored(written):
    browser, bulletin = written
    address = f"/bulletins/{bulletin.pk}/write/?language=vi"
    shown = [re.search(r'name="shown" value="([^"]+)"', browser.get(address).text)[1] for _person in range(2)]
    first, second = TEXT.replace("17h30", "18h"), TEXT.replace("17h30", "19h")
    assert browser.post(address, {"language": "vi", "text": first, "shown": shown[0]}).status_code == 302

    answer = browser.post(address, {"language": "vi", "text": second, "shown": shown[1]})

    assert answer.status_code == 409
    assert "18h" in answer.text
    assert "19h" in answer.text
    assert bulletin.scripts.count() == 2
