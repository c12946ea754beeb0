# SPDX-License-Identifier: Apache-2.0
"""A deadline or rhythm that the fields of a task cannot hold stays in the letter's words, on every page of the task."""

import re

import pytest
from tests.builders.directives import NOW, WARD_KEYS, person, send_letter
from tests.builders.office import prove_second_factor

from bluezone.directory.models import Agency
from bluezone.letters.timing import sentences_of_time
from bluezone.rollout.directives.inbox import dispatch_acts
from bluezone.rollout.directives.issuance import approval, intake
from bluezone.rollout.directives.models import DispatchState

HEAD = """ỦY BAN NHÂN DÂN
THÀNH PHỐ BẮC KẠN
Số: 512/UBND-VP
V/v phòng, chống dịch COVID-19
CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM
Độc lập - Tự do - Hạnh phúc
Thành phố Bắc Kạn, ngày 07 tháng 8 năm 2020
Kính gửi: Ủy ban nhân dân các xã, phường.
Thực hiện Công văn số 4111/UBND-VXNV ngày 05/8/2020 của Ủy ban nhân dân tỉnh Bắc Kạn, Ủy ban nhân dân thành phố yêu cầu:
"""
FOOT = """
Nơi nhận:
- Như kính gửi;
- Lưu: VT.
TM. ỦY BAN NHÂN DÂN
CHỦ TỊCH
Nguyễn Văn Ký
"""
NONE = "Văn bản không nêu hạn."


@pytest.fixture
def clerk(committee):
    return person("clerk", "clerk", committee, name="Hoàng Thị Mai")


def draft_of(committee, clerk, body):
    made = intake.take_in(f"{HEAD}{body}{FOOT}".encode(), "", committee, clerk, NOW, keep=False)
    made.tasks.filter(lead_names="").update(lead_names="UBND các xã, phường")
    return made


def plain(client, who, address):
    client.force_login(who)
    page = prove_second_factor(client).get(address)
    assert page.status_code == 200
    text = page.text[page.text.index("<main") :]
    # The text of the letter itself stands on these pages too.
    text = text[: text.index("Toàn văn")] if "Toàn văn" in text else text
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


DAILY = "Báo cáo kết quả hằng ngày về Ủy ban nhân dân thành phố trước 16 giờ."
WORKING = "Hoàn thành trong 05 ngày làm việc kể từ ngày nhận được văn bản này."
FORTNIGHTLY = "Định kỳ 02 tuần một lần báo cáo kết quả về Ủy ban nhân dân thành phố."
QUARTERLY = "Báo cáo kết quả hằng quý trước ngày 20 của tháng cuối quý."


@pytest.mark.parametrize("sentence", [DAILY, WORKING, FORTNIGHTLY, QUARTERLY])
def test_a_rhythm_or_term_that_the_task_cannot_hold_is_on_the_pages_of_signer_and_recipient(
    client, committee, clerk, signer, sentence
):
    body = f"1. Ủy ban nhân dân các xã, phường rà soát người về từ vùng dịch. {sentence}\n"
    made = draft_of(committee, clerk, body)
    made.tasks.exclude(pk=made.tasks.first().pk).delete()
    approval.submit(made, clerk, NOW)

    page = plain(client, signer, f"/directives/{made.pk}/approve/")
    task = page[page.index("Chủ trì") :]
    assert NONE not in page
    assert sentence.rstrip(".") in task, "apart from the text of the task"
    if sentence != WORKING:
        assert "không báo cáo" not in task
        assert "như văn bản viết" in task

    approval.give_back(made, "-", signer, NOW)
    send_letter(made, clerk, signer, NOW)
    ward = Agency.objects.get(key=WARD_KEYS[1])
    dispatch = made.dispatches.get(agency=ward)
    ward_clerk = person("ward", "clerk", ward)
    page = plain(client, ward_clerk, f"/inbox/{dispatch.pk}/")
    assert NONE not in page
    assert page.count(sentence.rstrip(".")) >= 2, "in the task, and as what it says of time"
    page = plain(client, clerk, f"/directives/{made.pk}/")
    assert sentence.rstrip(".") in page


def test_a_daily_report_that_the_letter_orders_of_all_at_its_end_stays_with_each_task(client, committee, clerk, signer):
    body = (
        "1. Ủy ban nhân dân các xã, phường rà soát người về từ vùng dịch.\n"
        "2. Ủy ban nhân dân các xã, phường tuyên truyền, hướng dẫn cài đặt ứng dụng Bluezone.\n"
        f"Yêu cầu các đơn vị nghiêm túc thực hiện. {DAILY}\n"
    )
    made = draft_of(committee, clerk, body)

    assert {DAILY in task.text for task in made.tasks.all()} == {True}


def test_a_rhythm_of_a_sub_point_stays_where_another_has_a_day(client, committee, clerk, signer):
    body = (
        "1. Ủy ban nhân dân các xã, phường:\n"
        "a) Lập danh sách các hộ gia đình, gửi trước ngày 20/8/2020.\n"
        "b) Báo cáo số người đã cài đặt vào thứ Sáu hằng tuần.\n"
    )
    made = draft_of(committee, clerk, body)
    approval.submit(made, clerk, NOW)

    page = plain(client, signer, f"/directives/{made.pk}/approve/")
    task = page[page.index("Chủ trì") :]
    assert "19/8" in task
    assert "thứ Sáu hằng tuần" in task


def test_the_report_page_has_the_words_of_time(client, committee, clerk, signer):
    made = draft_of(committee, clerk, f"1. Ủy ban nhân dân các xã, phường rà soát người về từ vùng dịch. {DAILY}\n")
    made.tasks.update(report_every="once")
    send_letter(made, clerk, signer, NOW)
    ward = Agency.objects.get(key=WARD_KEYS[1])
    ward_clerk = person("ward", "clerk", ward)
    dispatch_acts.move(made.dispatches.get(agency=ward), DispatchState.RECEIVED, ward_clerk, NOW)
    party = made.tasks.first().parties.get(agency=ward)

    assert plain(client, ward_clerk, f"/tasks/{party.pk}/report/").count(DAILY.rstrip(".")) >= 2


def test_where_no_sentence_speaks_of_a_day_the_page_says_so(client, committee, clerk, signer):
    made = draft_of(
        committee, clerk, "1. Ủy ban nhân dân các xã, phường tuyên truyền theo Công văn số 99/SYT-NVY ngày 03/8/2020.\n"
    )
    approval.submit(made, clerk, NOW)

    assert NONE in plain(client, signer, f"/directives/{made.pk}/approve/")


@pytest.mark.parametrize(
    "sentence",
    [
        "Báo cáo trước ngày 15/8/2020.", "Hoàn thành trong tháng 9.", "Gửi chậm nhất ngày 14 tháng 8.",
        "Báo cáo mỗi tuần 2 lần.", "Tổng hợp 15 ngày/lần.", "Gửi về trước 17h00 hôm nay.",
        "Xử lý trong vòng 24 giờ.", "Trả lời sau 3 ngày kể từ khi nhận được.", "Báo cáo vào thứ Sáu.",
        "Thực hiện định kỳ hàng quý.", "Hoàn thành trong quý III.", "Thời hạn: ba mươi ngày làm việc.",
        "Nộp trước 15/8.", "Báo cáo khi kết thúc, hạn cuối 30-9-2020.",
    ],
)  # fmt: skip
def test_sentences_that_speak_of_a_deadline_or_rhythm(sentence):
    assert sentences_of_time(f"Rà soát từng hộ. {sentence} Các đơn vị phối hợp.", with_days=True) == (sentence,)


@pytest.mark.parametrize(
    "sentence",
    [
        "Thực hiện Quyết định số 01/2020/QĐ-TTg ngày 15/01/2020 của Thủ tướng.",
        "Phối hợp với 12 thôn, tổ dân phố.", "Theo thứ tự ưu tiên.", "Tỷ lệ cài đặt đạt 1,5 lần.",
        "Nghị định 15/2020/NĐ-CP quy định xử phạt.", "Nhập cảnh qua cửa khẩu.",
    ],
)  # fmt: skip
def test_sentences_that_speak_of_none(sentence):
    assert sentences_of_time(sentence, with_days=True) == ()


def test_a_letter_is_read_without_a_fresh_second_factor_and_signed_with_one(client, committee, clerk, signer):
    made = draft_of(committee, clerk, "1. Ủy ban nhân dân các xã, phường rà soát người về từ vùng dịch.\n")
    version = approval.submit(made, clerk, NOW)
    client.force_login(signer)
    address = f"/directives/{made.pk}/approve/"

    page = client.get(address)
    assert page.status_code == 200
    assert "rà soát người về" in page.text
    assert f'<a class="button" href="/confirm/?next={address}">' in page.text
    assert 'name="seen"' not in page.text
    answer = client.post(address, {"seen": version.sha256, "for_another": "on"})
    assert (answer.status_code, answer.url) == (302, f"/confirm/?next=%2Fdirectives%2F{made.pk}%2Fapprove%2F")
    made.refresh_from_db()
    assert made.state == "submitted"

    assert 'name="seen"' in prove_second_factor(client).get(address).text
    answer = client.post(address, {"seen": version.sha256, "for_another": "on"})
    assert (answer.status_code, answer.url) == (302, f"/directives/{made.pk}/")
    made.refresh_from_db()
    assert made.state == "approved"
