# SPDX-License-Identifier: Apache-2.0
"""What of a letter is an order and for whom: nothing that only tells, and all that is asked, in any office's words."""

import pytest

from bluezone.letters.proposal import PartyRole
from bluezone.letters.reader import propose

HEAD = (
    "{left}\nSố: 12/{notation}\nCỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nĐộc lập - Tự do - Hạnh phúc\n"
    "Hà Mây, ngày 05 tháng 6 năm 2023\n\n{to}\n\n"
)
FOOT = "\nNơi nhận:\n- Như trên;\n- Lưu: VT.\n\nGIÁM ĐỐC\n\nNguyễn Văn Hoành\n"


def letter(body, left="UBND TỈNH HÀ MÂY\nSỞ Y TẾ", notation="SYT-NVY", to="Kính gửi: Trung tâm Y tế các huyện."):
    return propose(HEAD.format(left=left, notation=notation, to=to) + body + FOOT)


def orders(body, **head):
    return [(task.text.value, task.names(PartyRole.LEAD)) for task in letter(body, **head).tasks]


@pytest.mark.parametrize(
    "body",
    [
        "Bệnh viện nhận được đơn của ông Nguyễn Văn An. Bệnh viện chúng tôi chịu trách nhiệm bố trí chỗ ở.",
        "Ngày 22/5/2023, Sở Y tế đã có Công văn số 231/SYT-NVY đề nghị các phòng báo cáo kết quả thực hiện Đề án.",
        "1. Giám đốc Sở Y tế: 0900 111 222.\n2. Công chức Tư pháp - Hộ tịch: 0900 111 333.",
        "Phúc đáp Công văn số 188/SYT-NVD ngày 07/02/2023 về việc đề nghị cung cấp thông tin, Sở cung cấp như sau:\n"
        "Công ty May Hà Mây sản xuất 20.000 chiếc mỗi ngày. Cục Quản lý thị trường tỉnh thường xuyên kiểm tra chợ.",
        "Công ty Sao Mai có văn bản đề nghị cho 12 chuyên gia nhập cảnh. Sở Công Thương thống nhất phương án cách ly. "
        "Phụ huynh giao xe cho con là nguyên nhân chính.",
        "Điện lực huyện xin thông báo lịch tạm ngừng cung cấp điện từ 7 giờ ngày 07/12/2023.",
        # Others ask, or asked before: the writers only tell of it.
        "Tại Công điện số 597/CĐ-BYT ngày 18/5/2023, Bộ Y tế đã yêu cầu các địa phương báo cáo, giao các Viện giúp.",
        "Ngay sau khi nhận được kiến nghị, Sở đã yêu cầu Công ty Môi trường thu gom rác, giao Công an xã lắp máy. "
        "Công ty Môi trường cam kết thu gom hai lần mỗi ngày.",
        "Bộ Công Thương ban hành Công điện số 27/CĐ-BCT, trong đó yêu cầu lực lượng quản lý thị trường xử lý.",
        "Sở đã hoàn thành dự thảo, trong đó dự kiến giao Trạm Y tế xã lập hồ sơ, giao Hội Nông dân giúp.",
        "Trong 03 tháng chống dịch, Hội Doanh nghiệp trẻ đã hỗ trợ máy thở; Trung tâm Y tế các huyện cử 60 người.",
        "Theo quy định tại Luật Ngân sách, các đơn vị dự toán có trách nhiệm sắp xếp; UBND xã chịu trách nhiệm.",
        "- Thôn Hạ: từ 5 giờ 30 đến 8 giờ ngày 14/8/2023.\n- Thôn Thượng, thôn Đồng Mít: ngày 15/8/2023.",
        "Sở Y tế thông báo lịch như sau:\n1. Lý do: thay máy. Đội Quản lý điện số 2 thực hiện.\n2. Quỹ chi trả phí.",
        "Sở Y tế mời dự lễ. Chương trình:\n| Thời gian | Nội dung | Người thực hiện |\n"
        "| 7h30 - 7h45 | Đón tiếp đại biểu | Văn phòng Sở |\n| 7h45 - 8h00 | Trồng cây | Toàn thể đại biểu |",
        "Ngày 30/5/2023, Cục Quản lý Dược có Công văn số 29/QLD-CL; đồng thời giao Sở Y tế Hà Hồng kiểm tra Công ty.",
        "- Trực lãnh đạo: BS. Cung Văn Lực, Giám đốc, từ 20/6 đến 23/6/2023.",
        "1. Vụ việc của bà Hoàng Thị Lựu\nBà Lựu đề nghị UBND xã bồi thường. UBND xã đã đo đạc.",
        "1. Về kết quả: UBND phường đã hoàn thành chỉ tiêu; Mặt trận Tổ quốc vận động 120 triệu đồng.",
        "Ngày 04/6/2023, Chủ tịch UBND tỉnh kiểm tra tình hình. UBND tỉnh phân bổ 1.200 suất quà cho các huyện.",
    ],
)
def test_what_only_tells_orders_nothing(body):
    assert orders(body) == []


def test_a_sentence_that_may_order_something_is_left_open_and_said():
    told = "Sở đã hoàn thành dự thảo, trong đó dự kiến giao Trạm Y tế xã lập hồ sơ sức khỏe."
    read = letter(f"{told} Sở Y tế đề nghị Trung tâm Y tế các huyện góp ý trước ngày 10/6/2023.")

    assert [task.names(PartyRole.LEAD) for task in read.tasks] == [("Trung tâm Y tế các huyện",)]
    assert [one.value for one in read.unsure] == [told]


@pytest.mark.parametrize(
    ("sentence", "leads"),
    [
        ("Việc phản ánh được giao cho Trung tâm Y tế Yên Hà kiểm tra, làm rõ.", "Trung tâm Y tế Yên Hà"),
        ("Phòng Nghiệp vụ Y được giao hướng dẫn các xã điều chỉnh kế hoạch.", "Phòng Nghiệp vụ Y"),
        ("Riêng Trạm Y tế các xã, ngoài việc tiêm chủng, còn có trách nhiệm điều tra dịch tễ.", "Trạm Y tế các xã"),
        ("Sở rất mong Trung tâm Y tế Yên Hà cử 01 y sĩ trước 7 giờ ngày 10/6/2023.", "Trung tâm Y tế Yên Hà"),
        ("Sở Y tế gửi để Phòng Kinh tế biết, bổ sung thuyết minh trước ngày 10/6/2023.", "Phòng Kinh tế"),
        ("Chỉ huy trưởng Bộ Chỉ huy Quân sự tỉnh duy trì 100% quân số trực.", "Chỉ huy trưởng Bộ Chỉ huy Quân sự tỉnh"),
        ("Đề nghị Giám thị trại giam số 3 khám sàng lọc phạm nhân mới.", "Giám thị trại giam số 3"),
        ("Các cơ sở khám bệnh không bố trí người bệnh chung phòng.", "Các cơ sở khám bệnh"),
    ],
)  # fmt: skip
def test_an_order_in_the_passive_by_the_way_or_as_a_hope_is_one(sentence, leads):
    read = letter(f"Sở Y tế yêu cầu:\n1. Trung tâm Y tế các huyện báo cáo.\n2. {sentence}")

    assert read.tasks[1].names(PartyRole.LEAD) == (leads,)


def test_a_clause_in_which_another_agency_is_given_something_holds_two_orders():
    body = (
        "Điều 1. Biệt phái ông Hà Quốc Việt đến Trạm Y tế xã.\n"
        "Điều 2. Giao Phòng Nghiệp vụ lập lịch trực trước ngày 25/6/2023; Phòng Tài chính chi trả phụ cấp.\n"
        "Điều 3. Chánh Văn phòng; Giám đốc các Sở: Tài chính, Nội vụ; Thủ trưởng đơn vị chịu trách nhiệm thi hành."
    )
    read = orders(body, notation="QĐ-SYT", to="QUYẾT ĐỊNH\nVề việc biệt phái")

    assert [leads for _, leads in read] == [
        ("Phòng Nghiệp vụ",), ("Phòng Tài chính",),
        ("Chánh Văn phòng", "Giám đốc các Sở: Tài chính, Nội vụ", "Thủ trưởng đơn vị"),
    ]  # fmt: skip


def test_dashes_below_a_line_that_names_an_agency_are_for_it():
    body = (
        "Sở Y tế đề nghị:\nVề mục tiêu:\n- 300 người biết sơ cấp cứu.\nĐối với Trạm Y tế xã:\n"
        "- Lập danh sách.\n- Phát giấy mời.\nBáo cáo về Sở trước 15h hằng ngày."
    )
    read = letter(body)

    assert [(task.text.value, task.names(PartyRole.LEAD)) for task in read.tasks] == [
        ("Lập danh sách.", ("Trạm Y tế xã",)), ("Phát giấy mời.", ("Trạm Y tế xã",)),
    ]  # fmt: skip
    assert read.tasks[1].due is None


def test_a_member_of_a_committee_is_given_no_duty_by_being_named():
    body = (
        "Điều 1. Kiện toàn Ban Chỉ đạo gồm:\n1. Ông Đỗ Văn Khang, Chủ tịch - Trưởng ban.\n"
        "2. Bà Lương Thị Hạnh, Phó Chủ tịch UBND huyện - Phó Trưởng ban Thường trực.\n"
        "3. Ông Trịnh Đình Sáu, Giám đốc Trung tâm Y tế - Thành viên.\n"
        "Điều 2. Chánh Văn phòng và các ông (bà) có tên tại Điều 1 chịu trách nhiệm thi hành Quyết định này./."
    )
    (order,) = orders(
        body, left="ỦY BAN NHÂN DÂN\nHUYỆN YÊN HÀ", notation="QĐ-UBND", to="QUYẾT ĐỊNH\nVề việc kiện toàn"
    )
    assert order[1] == ("Chánh Văn phòng", "các ông (bà) có tên tại Điều 1")


def test_to_carry_out_what_stands_above_is_no_order_of_its_own_and_what_says_more_is():
    body = (
        # Without a day the judgement leaves so short an order open.
        "Sở Y tế có ý kiến như sau: Giao Trung tâm Y tế huyện Yên Hà hướng dẫn các chợ thực hiện trước ngày 20/6/2023. "
        "Yêu cầu các đồng chí thực hiện nghiêm Công văn này./."
    )
    assert orders(body) == [
        (
            "Giao Trung tâm Y tế huyện Yên Hà hướng dẫn các chợ thực hiện trước ngày 20/6/2023.",
            ("Trung tâm Y tế huyện Yên Hà",),
        )
    ]


def test_who_is_asked_to_direct_others_leads_and_those_directed_do_not():
    body = "Sở Y tế đề nghị Ủy ban nhân dân các xã chỉ đạo công chức Văn hóa - Xã hội kiểm tra, bổ sung thông tin."
    ((_, leads),) = orders(body)
    assert leads == ("Ủy ban nhân dân các xã",)

    body = (
        "Sở Y tế yêu cầu:\nGiám đốc Trung tâm Y tế chỉ đạo các trạm y tế trực cấp cứu trước 12 giờ 00 ngày 11/6/2023."
    )
    ((_, leads),) = orders(body)
    assert leads == ("Giám đốc Trung tâm Y tế",)


def test_the_office_that_conveys_is_given_its_own_order_by_giao():
    body = "1. Giao Sở Y tế báo cáo trước ngày 10/6/2023.\n2. Giao Văn phòng UBND tỉnh đôn đốc, tổng hợp kết quả."
    read = orders(body, left="UBND TỈNH HÀ MÂY\nVĂN PHÒNG", notation="TB-VP", to="THÔNG BÁO\nKết luận cuộc họp")
    assert [leads for _, leads in read] == [("Sở Y tế",), ("Văn phòng UBND tỉnh",)]


def test_a_last_order_without_a_number_is_one_of_its_own():
    read = letter(
        "1. Đề nghị Trạm Y tế tư vấn người bị phơi nhiễm.\n2. Các trường học tuyên truyền cho học sinh.\n"
        "Giao Phòng Nghiệp vụ Y theo dõi, tổng hợp, báo cáo vào ngày 25 hằng tháng./."
    )
    assert [task.names(PartyRole.LEAD) for task in read.tasks] == [
        ("Trạm Y tế",), ("Các trường học",), ("Phòng Nghiệp vụ Y",),
    ]  # fmt: skip
    assert read.tasks[1].due is None
    assert read.tasks[2].due.value.day_of_month == 25


def test_sections_beside_the_one_that_shares_out_give_only_what_names_its_doer():
    body = (
        "PHẦN I. MỤC ĐÍCH\n1. Giảm tải cho cơ sở điều trị.\nPHẦN II. NỘI DUNG PHỐI HỢP\n1. Nâng cao chất lượng.\n"
        "2. Hội Phụ nữ huyện vận động mẹ đỡ đầu, xong trước ngày 30/6/2023.\n"
        "PHẦN III. TỔ CHỨC THỰC HIỆN\n1. Văn hóa - Xã hội: Tổng hợp số liệu hằng ngày về Sở trước 16h30."
    )
    read = letter(body, notation="KH-SYT", to="KẾ HOẠCH\nPhối hợp chăm sóc trẻ em")
    assert [task.names(PartyRole.LEAD) for task in read.tasks] == [("Hội Phụ nữ huyện",), ("Văn hóa - Xã hội",)]
    assert (read.tasks[1].due.value.time.hour, read.tasks[1].due.value.inclusive) == (16, False)


def test_each_of_several_units_has_the_point_that_names_it():
    body = (
        "1. Mức chi: 80.000 đồng.\n2. Trách nhiệm của các đơn vị\n"
        "a) Trung tâm Y tế lập hồ sơ trước ngày 05 hằng tháng.\n"
        "b) Phòng Tài chính thẩm định, tổng hợp."
    )
    assert [leads for _, leads in orders(body)] == [("Trung tâm Y tế",), ("Phòng Tài chính",)]


@pytest.mark.parametrize(
    "second", ["Tổng hợp kết quả, gửi về Sở trước ngày 10 hằng tháng.", "Phòng Tài chính thẩm định."]
)
def test_points_under_a_title_are_apart_where_one_of_them_names_who_does_it(second):
    read = letter(
        f"1. Về hồ sơ\na) Trung tâm Y tế lập hồ sơ trước ngày 05 hằng tháng.\nb) {second}\n"
        "2. Trạm Y tế trực, báo cáo trước ngày 10/6/2023."
    )
    assert [(task.label, task.names(PartyRole.LEAD)[0]) for task in read.tasks] == [
        ("1.a", "Trung tâm Y tế"), ("1.b", "Phòng Tài chính" if "Phòng" in second else "Trung tâm Y tế các huyện"),
        ("2", "Trạm Y tế"),
    ]  # fmt: skip


def test_a_short_line_below_the_addressees_is_none_of_them():
    read = letter("Phân công như sau:\n1. Trạm Y tế trực.", to="Kính gửi: Trung tâm Y tế các huyện")
    assert [one.value.name for one in read.addressees] == ["Trung tâm Y tế các huyện"]


def test_who_is_addressed_by_the_whole_name_is_so_by_a_part_of_it():
    to = "Kính gửi: Trung tâm Y tế huyện Yên Hà."
    assert orders("Trung tâm Y tế báo cáo trước ngày 10/6/2023.", to=to)[0][1] == ("Trung tâm Y tế",)


def test_a_title_of_who_decides_directly_above_the_only_order_signs_nothing():
    read = letter("GIÁM ĐỐC SỞ Y TẾ\n1. Yêu cầu Trung tâm Y tế huyện Yên Hà báo cáo trước ngày 10/6/2023.")

    assert [task.names(PartyRole.LEAD) for task in read.tasks] == [("Trung tâm Y tế huyện Yên Hà",)]
    assert [one.value.name for one in read.signers] == ["Nguyễn Văn Hoành"]


@pytest.mark.parametrize("length", [79, 80])
def test_a_cell_of_eighty_letters_is_no_name_of_a_doer(length):
    name = "Cô giáo chủ nhiệm".ljust(length, "m")
    read = letter(f"Phân công như sau:\n| TT | Nội dung | Người phụ trách |\n| 1 | Đón trẻ | {name} |\n")

    assert [task.names(PartyRole.LEAD) for task in read.tasks] == [(name,)] * (length < 80)


@pytest.mark.parametrize(
    "head",
    [
        "| Nội dung | Thực hiện |",
        "| TT | Nội dung | Đơn vị thực hiện có trách nhiệm báo cáo kết quả cho Sở Y tế hằng tuần theo mẫu |",
    ],
)
def test_two_columns_or_a_sentence_in_a_cell_head_no_table_of_tasks(head):
    row = "Giám sát vệ sinh tay | Phòng Nghiệp vụ Y |"
    assert orders(f"Phân công như sau:\n{head}\n| {'1 | ' if 'TT' in head else ''}{row}\n") == []


def test_a_clause_in_capitals_a_tab_behind_its_number_and_the_other_spelling_of_uy_are_read():
    body = (
        "1.\tPHÒNG KINH TẾ VÀ HẠ TẦNG CÁC HUYỆN RÀ SOÁT NHU CẦU, BÁO CÁO SỞ TRƯỚC NGÀY 12/6/2023.\n"
        "2.\tUỷ ban nhân dân các xã: Huy động nhân dân tổng vệ sinh."
    )
    assert [leads for _, leads in orders(body)] == [
        ("Phòng kinh tế và hạ tầng các huyện",), ("Ủy ban nhân dân các xã",),
    ]  # fmt: skip


def test_whoever_stands_in_a_tables_column_of_doers_is_one_and_a_column_until_before_excludes_its_day():
    read = letter(
        "Sở Y tế phân công như sau:\n| TT | Nội dung | Người phụ trách | Hoàn thành trước |\n"
        "| 1 | Giám sát vệ sinh tay | Mạng lưới kiểm soát nhiễm khuẩn | 17h ngày 27/8/2023 |\n"
    )
    (task,) = read.tasks
    assert task.names(PartyRole.LEAD) == ("Mạng lưới kiểm soát nhiễm khuẩn",)
    assert not task.due.value.inclusive
    assert task.due.value.time.hour == 17


def test_recipients_go_on_below_a_signature_that_a_page_parts_them_with():
    read = propose(
        HEAD.format(left="UBND TỈNH HÀ MÂY\nSỞ Y TẾ", notation="SYT-NVY", to="Kính gửi: Trung tâm Y tế.")
        + "Sở Y tế đề nghị Trung tâm Y tế báo cáo.\n\nNơi nhận:\n- Như trên;\n\nKT. GIÁM ĐỐC\nPHÓ GIÁM ĐỐC\n\n"
        "- UBND tỉnh (để báo cáo);\n- Lưu: VT, NVY (Hà).\n\nLưu Quang Vinh\n"
    )
    assert [one.value.name for one in read.recipients] == ["Như trên", "UBND tỉnh", "VT, NVY"]
    assert read.signers[0].value.name == "Lưu Quang Vinh"


def test_a_place_with_a_number_and_offices_over_two_lines_are_read():
    text = (
        "UBND QUẬN HÀ\nPHÒNG TÀI CHÍNH -\nKẾ HOẠCH\nSố: 8/TCKH-NS\nV/v quyết toán\n"
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nPhường 7, ngày 05 tháng 6 năm 2023\n\nKính gửi: UBND các phường.\n\n"
        "Đề nghị UBND các phường báo cáo.\n\nNơi nhận:\n- Như trên;\n- Lưu: VT.\n\nTUQ. CHỦ TỊCH\nTRƯỞNG PHÒNG CÔNG\n"
        "NGHỆ THÔNG TIN\n\nHồ Sỹ Bình\n"
    )
    read = propose(text)
    assert read.issuer.value == "PHÒNG TÀI CHÍNH - KẾ HOẠCH"
    assert read.date.value.day == 5
    assert (read.signers[0].value.position, read.signers[0].value.name) == (
        "TRƯỞNG PHÒNG CÔNG NGHỆ THÔNG TIN", "Hồ Sỹ Bình",
    )  # fmt: skip


def test_a_copy_to_cooperate_is_for_information_and_one_to_carry_out_together_is_not():
    foot = "\nNơi nhận:\n- Như trên;\n- Công an tỉnh (để phối hợp);\n- Sở Nội vụ (phối hợp thực hiện);\n- Lưu: VT.\n"
    read = propose(
        HEAD.format(left="UBND TỈNH HÀ MÂY\nSỞ Y TẾ", notation="SYT-NVY", to="Kính gửi: Công an tỉnh.") + foot
    )

    assert [str(one.value.purpose) for one in read.recipients] == ["action", "information", "action", "file"]


def test_lines_numbered_with_a_comma_are_clauses_and_a_name_may_hold_a_verb():
    body = "Sở Y tế yêu cầu:\n1, Phòng Hậu cần cấp 6 máy, xong trước ngày 20/6/2023.\n2, Bệnh viện Phổi kiểm tra kho."
    assert [leads for _, leads in orders(body)] == [("Phòng Hậu cần",), ("Bệnh viện Phổi",)]
