# SPDX-License-Identifier: Apache-2.0
"""What a letter only tells is no duty, in whosever mouth it is put; what it may order is said and left open."""

import datetime

import pytest
from tests.letters.test_orders import letter

from bluezone.letters.body.telling import Asker, is_ours, who_asks
from bluezone.letters.proposal import PartyRole

COMMITTEE = {"left": "ỦY BAN NHÂN DÂN\nTỈNH HÀ MÂY", "notation": "UBND-KGVX", "to": "Kính gửi: Sở Y tế; Sở Tài chính."}


def leads(body, **head):
    return [task.names(PartyRole.LEAD) for task in letter(body, **head).tasks]


@pytest.mark.parametrize(
    "body",
    [
        # A semicolon carries on what another asks for.
        "Sở Nội vụ có ý kiến: đề nghị Sở Y tế bổ sung báo cáo; giao Bệnh viện rà soát biên chế.",
        "Chi bộ nhận được hướng dẫn, theo đó Đảng ủy yêu cầu các chi bộ họp; phân công Bí thư Chi bộ báo cáo.",
        "Theo chỉ đạo của UBND tỉnh, Công an tỉnh cấp giấy đi đường; UBND cấp xã xác nhận nhu cầu.",
        "Sở có ý kiến như sau: Chỉ thị nêu rõ: Thủ trưởng các sở chịu trách nhiệm; UBND các huyện kiểm tra công vụ.",
        # Others than agencies ask: swindlers, a newspaper, who complains.
        "Đối tượng gọi điện yêu cầu người dân cung cấp mã OTP. Đối tượng đề nghị người dân chuyển khoản.",
        "Bài báo phản ánh chốt bỏ trống; tác giả kiến nghị UBND phường cử người, đề nghị Công an huyện kiểm tra.",
        "Trong đơn bà Lý yêu cầu Ủy ban nhân dân huyện Yên Hà công khai phương án, đề nghị Thanh tra kiểm tra.",
        "Đoàn kiểm tra tiến hành kiểm tra, lập biên bản và yêu cầu Công ty Sao Mai dừng xả thải.",
        "Về việc Bệnh viện Phổi đề nghị Sở Y tế cấp thêm giường bệnh, Sở đang xem xét.",
        "Sở nhận được Văn bản số 77/BHXH-GĐ của Bảo hiểm xã hội tỉnh đề nghị chỉ đạo các cơ sở chấn chỉnh kê đơn.",
        # What was reached is told without a word for the past.
        "Các cấp Hội vận động được 1,2 tỷ đồng. Trung tâm Y tế các huyện thực hiện tốt, đạt trên 95%.",
        "Trung tâm Y tế các huyện tổ chức 12 lớp tập huấn. Bệnh viện Phổi duy trì 100% quân số trực.",
        # Courtesies.
        "Sở Y tế thông báo lịch trực để các đơn vị biết, liên hệ công tác. Rất mong các hộ gia đình hưởng ứng.",
        "Trong quá trình thực hiện, nếu có vướng mắc, đề nghị đơn vị liên hệ Phòng Nghiệp vụ Y để được giải đáp.",
    ],
)  # fmt: skip
def test_what_is_put_in_anothers_mouth_or_only_reached_orders_nothing(body):
    assert leads(body) == []


def test_an_answer_orders_only_what_it_asks_of_whom_it_addresses():
    told = (
        "Thực hiện Công văn số 812/VP-KGVX, Sở Y tế báo cáo kết quả như sau:\n"
        "1. Tình hình\nTrung tâm Kiểm soát bệnh tật tổ chức 12 lớp tập huấn.\n"
        "2. Phương hướng\nTiếp tục phối hợp với các ngành giám sát dịch."
    )
    assert leads(told, to="Kính gửi: Văn phòng UBND tỉnh.") == []

    answered = (
        "Sở Y tế trả lời câu hỏi của quý Báo như sau:\n"
        "1. Người nhận cảnh báo phải làm gì? Trạm Y tế có trách nhiệm tư vấn miễn phí.\n"
        "2. Sở chỉ đạo Bệnh viện Phổi kiểm điểm.\n3. Đề nghị Báo Hà Mây đăng tải trước ngày 10/6/2023."
    )
    assert leads(answered, to="Kính gửi: Báo Hà Mây.") == [("Báo Hà Mây",)]


def test_facts_announced_to_nobody_by_name_are_no_duties():
    body = (
        "UBND phường thông báo về các tổ công tác đang hoạt động:\n"
        "1. Tổ phản ứng nhanh gồm 6 người; Trạm Y tế là cơ quan thường trực.\n"
        "2. Tổ truyền thông phụ trách loa phát thanh."
    )
    assert leads(body, notation="TB-UBND", to="THÔNG BÁO\nVề các tổ công tác") == []


def test_a_calendar_a_programme_and_an_allotment_give_nobody_a_duty():
    week = "1. Thứ Hai: Công an phường báo cáo an ninh.\n2. Thứ Ba: Trạm Y tế tổ chức tiêm chủng."
    assert leads(week, notation="TB-UBND", to="THÔNG BÁO\nLịch công tác tuần") == []

    meeting = (
        "Sở Y tế kính mời các đơn vị dự họp:\n- Thời gian: 8 giờ ngày 10/6/2023.\n"
        "- Nội dung: Nghe Sở báo cáo; UBND các phường báo cáo tiến độ rà soát; thảo luận."
    )
    assert leads(meeting, notation="GM-SYT", to="GIẤY MỜI\nHọp giao ban") == []

    shares = (
        "Sở Y tế phân bổ vật tư theo bảng sau:\n| STT | Đơn vị nhận | Nội dung | Số lượng |\n"
        "| 1 | Trạm Y tế xã Nậm Lừ | Khẩu trang | 500 |\n| 2 | Trạm Y tế xã Gò Mây | Găng tay | 200 |\n"
    )
    assert leads(shares) == []

    posts = (
        "Điều 1. Giao Trung tâm Y tế huyện Yên Hà 45 biên chế; giao Bệnh viện Phổi 38 biên chế.\n"
        "Điều 2. Cho phép Bệnh viện Phổi sử dụng quỹ phát triển."
    )
    assert leads(posts, notation="QĐ-SYT", to="QUYẾT ĐỊNH\nVề việc giao biên chế") == []


def test_what_members_are_in_a_body_is_no_task_and_a_table_goes_on_after_a_row_that_a_page_cut():
    members = (
        "Điều 1. Thành lập Tổ giúp việc.\n| STT | Họ và tên | Chức vụ, đơn vị | Nhiệm vụ trong Tổ |\n"
        "| 1 | Bà Cao Thị Sóng | Trưởng phòng Văn hóa | Tổ phó |\n"
    )
    assert leads(members, notation="QĐ-UBND", to="QUYẾT ĐỊNH\nVề việc thành lập Tổ giúp việc") == []

    cut = (
        "Các đơn vị thực hiện theo bảng sau:\n| STT | Nội dung công việc | Thời hạn | Chủ trì |\n\n1\n\nRà soát\n\n"
        "| 2 | Niêm yết danh sách | 10/7/2023 | Trạm Y tế xã Gò Mây |\n"
    )
    assert leads(cut) == [("Trạm Y tế xã Gò Mây",)]


def test_before_it_asks_and_after_it_blames_a_letter_only_tells_and_says_what_it_left_open():
    read = letter(
        "Trung tâm Y tế các huyện để vắc xin ngoài tủ lạnh. Sở Y tế yêu cầu Trung tâm Y tế các huyện kiểm tra kho.\n"
        "Các trạm y tế thực hiện tốt trong đợt trước cần tiếp tục phát huy. Sở sẽ thành lập đoàn kiểm tra từ 10/6/2023."
    )
    (order,) = read.tasks

    assert order.text.value == "yêu cầu Trung tâm Y tế các huyện kiểm tra kho."
    assert order.points == ()
    assert order.due is None


def test_what_was_left_open_does_not_repeat_an_order_of_the_same_sentence():
    body = (
        "Về việc Bệnh viện Phổi đề nghị Sở Tài chính cấp kinh phí, Ủy ban nhân dân tỉnh giao Sở Tài chính thẩm định "
        "trước ngày 20/6/2023. Sở Nội vụ kiến nghị hỗ trợ, đề nghị Sở Tài chính bố trí vốn."
    )
    read = letter(body, **COMMITTEE)

    assert [task.text.value for task in read.tasks] == ["giao Sở Tài chính thẩm định trước ngày 20/6/2023."]
    assert [one.value for one in read.unsure] == [
        "Sở Nội vụ kiến nghị hỗ trợ, đề nghị Sở Tài chính bố trí vốn."
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sentence", "lead", "when"),
    [
        ("Việc lấy mẫu do Trung tâm Y tế các huyện thực hiện.", "Trung tâm Y tế các huyện", None),
        ("Kinh phí lấy mẫu được giao Phòng Kế hoạch quyết toán.", "Phòng Kế hoạch", None),
        ("Việc lấy mẫu tại chợ giao Giám đốc Bệnh viện Phổi chỉ đạo, xong trước ngày 12/6/2023.",
         "Giám đốc Bệnh viện Phổi", datetime.date(2023, 6, 12)),
        ("Danh sách được Phòng Nghiệp vụ Y tổng hợp, gửi về Sở trước ngày 10/6/2023.",
         "Phòng Nghiệp vụ Y", datetime.date(2023, 6, 10)),
        ("Trường hợp phát hiện ca nghi ngờ, Trạm Y tế xã báo cáo ngay.", "Trạm Y tế xã", None),
        ("Nếu người đó có triệu chứng thì trạm y tế nơi cư trú lấy mẫu.", "trạm y tế nơi cư trú", None),
        ("UBND các huyện: Căn cứ Kế hoạch này xây dựng kế hoạch của địa phương.", "UBND các huyện", None),
        ("UBND phường Cầu Mới lo liệu chu đáo, báo cáo trước ngày 10/6/2023.",
         "UBND phường Cầu Mới", datetime.date(2023, 6, 10)),
        ("Trưởng phòng Công nghệ thông tin cài đặt phần mềm.", "Trưởng phòng Công nghệ thông tin", None),
        ("Phòng Kế hoạch tổng hợp phối hợp với Khoa Dược lập dự trù.", "Phòng Kế hoạch tổng hợp", None),
        ("Bệnh viện Phổi cho người bệnh nghỉ từ chiều 07/6 đến hết ngày 09/6/2023.",
         "Bệnh viện Phổi", datetime.date(2023, 6, 9)),
        ("Trạm Y tế xã hoàn thành trong sáng ngày 09/6/2023.", "Trạm Y tế xã", datetime.date(2023, 6, 9)),
        ("Trạm Y tế xã tiêu hủy thuốc ngay trong ngày 09/6/2023.", "Trạm Y tế xã", datetime.date(2023, 6, 9)),
    ],
)  # fmt: skip
def test_passive_and_conditional_orders_and_names_that_hold_a_verb_are_read(sentence, lead, when):
    read = letter(f"Sở Y tế yêu cầu:\n1. Bệnh viện Phổi báo cáo.\n2. {sentence}")

    assert read.tasks[1].names(PartyRole.LEAD) == (lead,)
    assert (read.tasks[1].due.value.date if read.tasks[1].due else None) == when


def test_sections_headed_by_whom_they_are_for_give_them_every_clause_even_one_without_a_number():
    body = (
        "Chủ tịch UBND tỉnh chỉ thị:\nI. UBND CÁC HUYỆN\n1. Huy động lực lượng dập dịch.\n"
        "II. SỞ NÔNG NGHIỆP VÀ MÔI TRƯỜNG\n1. Chỉ đạo Chi cục Thú y cung ứng hóa chất.\n"
        "2. Không yêu cầu người dân nộp lại giấy tờ.\nIII. CÔNG AN TỈNH\nChủ trì, phối hợp với Sở Y tế xử lý vi phạm.\n"
        "IV. TỔ CHỨC THỰC HIỆN\nVăn phòng UBND tỉnh đôn đốc, báo cáo hằng quý."
    )
    read = letter(body, left="ỦY BAN NHÂN DÂN\nTỈNH HÀ MÂY", notation="CT-UBND", to="CHỈ THỊ\nVề phòng, chống dịch")

    assert [task.names(PartyRole.LEAD) for task in read.tasks] == [
        ("UBND các huyện",), ("Sở nông nghiệp và môi trường",), ("Sở nông nghiệp và môi trường",), ("Công an tỉnh",),
        ("Văn phòng UBND tỉnh",),
    ]  # fmt: skip
    assert read.tasks[3].names(PartyRole.COOPERATING) == ("Sở Y tế",)


def test_who_is_addressed_under_a_name_with_a_verb_in_it_leads_under_that_name():
    name = "Các cơ sở cung cấp suất ăn sẵn"
    read = letter(f"Sở yêu cầu:\n1. {name} lưu mẫu thức ăn.", to=f"Kính gửi: {name}.")
    ((lead,),) = [task.parties for task in read.tasks]

    assert (lead.value.name, read.text[lead.span.start : lead.span.end]) == (name, name)


def test_a_petition_passed_on_is_an_order_to_whom_it_is_passed():
    body = "UBND tỉnh chuyển đơn của bà Lý đến Sở Tài chính xem xét, giải quyết, báo cáo trước ngày 30/6/2023."
    assert leads(body, **COMMITTEE) == [("Sở Tài chính",)]


def test_names_that_semicolons_part_lead_together():
    body = (
        "Điều 1. Ban hành Quy chế.\nĐiều 2. Quyết định này có hiệu lực từ ngày 15/6/2023. Chánh Văn phòng; Giám đốc "
        "Bệnh viện Phổi; Trưởng phòng Nghiệp vụ Y chịu trách nhiệm thi hành Quyết định này."
    )
    assert leads(body, notation="QĐ-SYT", to="QUYẾT ĐỊNH\nVề việc ban hành Quy chế") == [
        ("Chánh Văn phòng", "Giám đốc Bệnh viện Phổi", "Trưởng phòng Nghiệp vụ Y")
    ]


def test_in_a_joint_letter_the_bodies_that_issue_it_share_out_what_they_do():
    shared = "1. Sở Y tế chủ trì biên soạn tờ hướng dẫn trước ngày 20/8/2020.\n2. Tỉnh đoàn thành lập đội tình nguyện."
    body = f"II. PHÂN CÔNG THỰC HIỆN\n{shared}"
    foot = "\nTM. BAN THƯỜNG VỤ TỈNH ĐOÀN\nPHÓ BÍ THƯ\n\nTrần Thị Mai\n"
    read = letter(body + foot, left="SỞ Y TẾ\nTỈNH ĐOÀN HÀ MÂY", notation="KH-SYT-TĐ", to="KẾ HOẠCH\nPhối hợp")

    assert [task.names(PartyRole.LEAD) for task in read.tasks] == [("Sở Y tế",), ("Tỉnh đoàn",)]


@pytest.mark.parametrize(
    ("before", "asker"),
    [
        ("Để phòng bệnh, Sở Y tế ", Asker.WRITER),
        ("Vì vậy, ", Asker.WRITER),
        ("Sở Nội vụ có ý kiến: ", Asker.OTHER),
        ("Sau khi Sở Nội vụ ", Asker.OTHER),
        ("Trên địa bàn xuất hiện kẻ gian giả danh, gọi điện ", Asker.UNCLEAR),
    ],
)
def test_a_word_that_asks_is_in_the_writers_mouth_in_anothers_or_unclear(before, asker):
    assert who_asks(before, "SỞ Y TẾ", "UBND TỈNH HÀ MÂY") is asker


@pytest.mark.parametrize(
    ("name", "ours"),
    [("Sở", True), ("Sở Y tế", True), ("Giám đốc Sở", True), ("Sở Nội vụ", False), ("UBND tỉnh", False)],
)
def test_a_body_is_ours_by_its_kind_and_its_own_word(name, ours):
    assert is_ours(name, "SỞ Y TẾ", "UBND TỈNH HÀ MÂY") is ours


def test_a_section_about_results_tells_though_its_heading_begins_with_about():
    body = (
        "Chủ tịch UBND tỉnh kết luận như sau:\nI. VỀ KẾT QUẢ\n1. Sở Y tế phối hợp với các huyện cấp phát hóa chất.\n"
        "II. VỀ NHIỆM VỤ\n1. Sở Y tế xây dựng kịch bản trước ngày 10/6/2023."
    )
    read = letter(body, left="UBND TỈNH HÀ MÂY\nVĂN PHÒNG", notation="TB-VP", to="THÔNG BÁO\nKết luận cuộc họp")
    assert [task.label for task in read.tasks] == ["II.1"]


def test_minutes_in_which_nobody_asks_for_anything_give_no_duty():
    body = "Chủ trì: BS. Lý Văn Tài.\n1. Khoa Nội điều trị 320 lượt.\n2. Khoa Dược cấp phát thuốc đầy đủ."
    assert leads(body, to="BIÊN BẢN\nHọp khoa") == []


def test_an_office_of_the_same_rank_is_only_told_of():
    body = "Sở Y tế đề nghị Trung tâm Y tế các huyện phát sóng. Sở Tài chính cung cấp thông tin theo quy chế."
    assert leads(body) == [("Trung tâm Y tế các huyện",)]


def test_the_issuer_speaks_under_the_name_of_who_holds_its_office():
    body = "Phó Chủ tịch UBND tỉnh Trần Văn Bình có ý kiến như sau: Giao Sở Tài chính thẩm định dự toán."
    assert leads(body, **COMMITTEE) == [("Sở Tài chính",)]
