# SPDX-License-Identifier: Apache-2.0
"""A list of guests: every row shown masked, each sent once, and bad files refused with nothing sent."""

import io
import re
import time

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from tests.builders.drawn import remove_random_words
from tests.messaging.sms.test_sender import go_on_until, settled

from bluezone.identity.models import AuditEntry
from bluezone.messaging.sms.models import Message
from bluezone.rollout.visitors import guest_lists
from bluezone.rollout.visitors.guest_lists import ListExpired, open_list, seal_list
from bluezone.rollout.visitors.notices import Guest

pytestmark = pytest.mark.django_db
HEADINGS = ["STT", "Họ tên", "Số điện thoại", "Đồng ý", "Ngôn ngữ"]
GUESTS = [
    [1, "Nguyễn Văn A", 912345678, "x", None],
    [2, "John", "+44 7700 900123", "x", None],
    [3, "Jean", "+33 6 12 34 56 78", "x", "Anh"],
    [4, "Trần B", "0987 654 321", "", None],
    [5, "Lê C", "0209 3870 000", "x", None],
    [6, "Nguyễn Văn A", "0912.345.678", "x", None],
    [7, "Lê D", 2093870000, "x", None],
    [8, "Tan", 6591234567, "x", None],
]


def sheet(rows):
    book = openpyxl.Workbook()
    for row in [["KHÁCH SẠN BẮC KẠN"], ["Danh sách khách lưu trú"], HEADINGS, *rows]:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    return SimpleUploadedFile("khach.xlsx", content.getvalue())


def test_a_list_is_shown_masked_and_sent_after_a_second_click(desk, hotel, centre, sender):
    preview = desk.post("/visitors/list/", {"file": sheet(GUESTS)})
    shown = preview.content.decode()
    assert preview.status_code == 200
    assert not re.search(r"345678|900123|Nguyễn Văn A|John", remove_random_words(shown)), "no number and no name"
    assert [shown.count(why) for why in ("chưa đồng ý", "không phải số di động", "trùng số ở trên")] == [1, 2, 1]
    assert not Message.objects.exists(), "nothing before the second click"

    sealed = re.search(r'name="sealed" value="([^"]+)"', shown)[1]
    answer = desk.post("/visitors/list/", {"sealed": sealed}, follow=True).content.decode()
    assert "4 thông báo đang được gửi" in answer
    go_on_until(sender, settled)
    assert sorted(one["to"] for one in centre.taken) == ["33612345678", "447700900123", "6591234567", "84912345678"]
    assert AuditEntry.objects.get(action="visitors_listed").details == {"queued": 4, "refused": 0}
    again = desk.post("/visitors/list/", {"sealed": sealed}, follow=True).content.decode()
    assert "4: " in again
    assert len(centre.taken) == 4, "sent back twice: nobody gets it twice"


@pytest.mark.parametrize(
    "file",
    [
        SimpleUploadedFile("a.xlsx", b"PK\x03\x04 not a workbook"),
        SimpleUploadedFile("a.csv", "Tên;Tuổi\nA;3\n".encode()),
        SimpleUploadedFile("a.pdf", b"%PDF-1.4"),
        SimpleUploadedFile("a.csv", "Số điện thoại,Đồng ý\n".encode() + b"0912345678,x\n" * 501),
    ],
)
def test_what_is_no_such_list_is_refused_with_nothing_sent(desk, centre, file):
    file.seek(0)
    answer = desk.post("/visitors/list/", {"file": file})

    assert answer.status_code == 422
    assert "Chưa gửi gì" in answer.content.decode()
    assert "expected" not in answer.content.decode(), "no English beside it"
    assert not Message.objects.exists()


@pytest.mark.long
def test_a_sealed_list_opens_for_its_account_and_house_within_a_quarter_of_an_hour(desk, hotel, monkeypatch):
    guests = [Guest("+84912345678", "vi", consent=True)]
    sealed = seal_list(guests, "desk", f"a{hotel.pk}")

    assert "84912345678" not in sealed
    assert open_list(sealed, "desk", f"a{hotel.pk}") == guests
    later = time.time() + guest_lists.PREVIEW_SECONDS + 1
    for actor, house, now in (("else", f"a{hotel.pk}", 0), ("desk", "a0", 0), ("desk", f"a{hotel.pk}", later)):
        with monkeypatch.context() as patch:
            if now:
                patch.setattr(guest_lists.time, "time", lambda: later)
            with pytest.raises(ListExpired):
                open_list(sealed, actor, house)
    with pytest.raises(ListExpired):
        open_list("no seal at all", "desk", f"a{hotel.pk}")
