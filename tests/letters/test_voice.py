# SPDX-License-Identifier: Apache-2.0
"""An order counts only where the issuer itself gives it, and now; what only tells is left open for a person."""

import pytest

from bluezone.letters.reader import propose

HEAD = (
    "UBND TỈNH LÂM HÀ\nSỞ Y TẾ\nSố: 12/SYT-VP\nCỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nĐộc lập - Tự do - Hạnh phúc\n"
    "Lâm Hà, ngày 10 tháng 6 năm 2021\n{title}\nKính gửi:\n- Báo Lâm Hà;\n- UBND huyện Khe Sơn.\n\n"
)
FOOT = "\n\nNơi nhận:\n- Như trên;\n- Lưu: VT.\n\nGIÁM ĐỐC\n\nNguyễn Văn A\n"


def read(body, title="V/v phòng, chống dịch"):
    return propose(HEAD.format(title=title) + body + FOOT)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("Sở Y tế đề nghị:\n1. UBND huyện Khe Sơn lập danh sách.\n2. Chi phí ăn, ở do Trung tâm Y "
         "tế huyện chi trả.", "Chi phí"),
        ("Sở Y tế đề nghị:\n1. UBND huyện Khe Sơn lập danh sách.\n2. Bệnh viện huyện được sử dụng "
         "nhà xe cũ.", "được sử dụng"),
        ("Sở Y tế thông báo kết luận:\n1. Trạm Y tế xã báo cáo: tuần qua đã lấy 120 mẫu; đề nghị Công an xã hỗ trợ.\n"
         "2. UBND huyện Khe Sơn lập danh sách.", "đã lấy 120 mẫu"),
        ("Sở Y tế kết luận như sau:\n1. Huyện đã sơ tán dân; Ban Chỉ huy Quân sự huyện phối hợp với "
         "công an cứu 9 người.\n"
         "2. UBND huyện Khe Sơn lập danh sách.", "cứu 9 người"),
        ("Tháng 3/2021, khi vắc xin về, Sở Y tế giao Trung tâm Kiểm soát bệnh tật tỉnh tiếp nhận, bảo quản. "
         "Sở Y tế đề nghị UBND huyện Khe Sơn lập danh sách.", "tiếp nhận, bảo quản"),
        ("Thời gian qua, đối tượng xấu gọi điện cho dân, yêu cầu các gia đình chuyển tiền. "
         "Sở Y tế đề nghị UBND huyện Khe Sơn lập danh sách.", "chuyển tiền"),
        ("Sở Y tế kết luận:\n1. Thống nhất đánh giá: Trung tâm Y tế phối hợp với xã phun thuốc chưa triệt để.\n"
         "2. UBND huyện Khe Sơn lập danh sách.", "phun thuốc"),
    ],
)  # fmt: skip
def test_what_is_only_told_is_no_order_and_the_order_beside_it_is(body, told):
    proposal = read(body)

    assert ["lập danh sách" in task.text.value for task in proposal.tasks] == [True]
    assert told not in proposal.tasks[0].text.value


def test_a_request_of_an_earlier_letter_is_left_open_for_a_person():
    proposal = read("Tại Công văn số 40/UBND-VX ngày 01/6/2021, Sở Y tế yêu cầu UBND huyện Khe Sơn gửi số liệu. "
                    "Sở Y tế đề nghị UBND huyện Khe Sơn lập danh sách trước ngày 20/6/2021.")  # fmt: skip

    assert [task.text.value.split(" lập ")[-1] for task in proposal.tasks] == ["danh sách trước ngày 20/6/2021."]
    assert "gửi số liệu" in proposal.unsure[0].value


@pytest.mark.parametrize(
    ("line", "lead"),
    [
        ("An ninh trật tự, phân luồng xe do Công an huyện đảm nhiệm.", "Công an huyện"),
        ("Lịch tiêm của từng lớp được Phòng Giáo dục và Đào tạo thông báo cho cha mẹ.", "Phòng Giáo dục và Đào tạo"),
        ("Phương án phân luồng giao Công an huyện xây dựng.", "Công an huyện"),
        ("Về đề nghị của Hội Chăn nuôi xin giãn nợ cho các hộ có vật nuôi bị tiêu hủy: Ngân hàng "
         "tỉnh xem xét.", "Ngân hàng tỉnh"),
        ("UBND huyện Khe Sơn gom các bao tải về kho.", "UBND huyện Khe Sơn"),
    ],
)  # fmt: skip
def test_an_order_of_a_list_is_for_whom_it_names_though_the_deed_comes_first(line, lead):
    proposal = read(f"Sở Y tế phân công như sau:\n1. {line}\n2. Trạm Y tế xã lập danh sách.")

    assert [party.value.name for party in proposal.tasks[0].parties] == [lead]


def test_orders_counted_within_a_paragraph_are_one_each():
    proposal = read("Sở Y tế yêu cầu: (1) UBND huyện Khe Sơn lắp camera; (2) Trung tâm Y tế xét nghiệm nhân viên.")

    assert [task.parties[0].value.name for task in proposal.tasks] == ["UBND huyện Khe Sơn", "Trung tâm Y tế"]


def test_lines_below_a_colon_are_for_whom_it_names_and_a_report_below_the_last_clause_is_asked_of_all():
    # Without a day the judgement leaves such short lines open.
    listed = read("Sở Y tế đề nghị Trung tâm Y tế các huyện:\nKiểm kê vắc xin theo lô trước ngày 20/6/2021;\n"
                  "Nhập số liệu vào hệ thống trước ngày 25/6/2021.")  # fmt: skip
    asked = read("Sở Y tế đề nghị:\n1. UBND huyện Khe Sơn lập danh sách người cao tuổi trên địa bàn huyện;\n"
                 "2. Trạm Y tế xã hướng dẫn người dân đến điểm tiêm đúng giờ ghi trong giấy mời.\n"
                 "Các đơn vị gửi báo cáo về Sở Y tế trước ngày 20/6/2021.")  # fmt: skip

    assert [task.parties[0].value.name for task in listed.tasks] == ["Trung tâm Y tế các huyện"] * 2
    assert asked.tasks[-1].parties[0].value.name == "Các đơn vị"
    assert asked.tasks[1].due is None
