# SPDX-License-Identifier: Apache-2.0
"""Who is charged is read from the form of a clause: brackets, labels, headings within it, steps, passives."""

from collections import defaultdict

import pytest
from tests.letters.test_orders import FOOT, HEAD, letter

from bluezone.letters.body.judgement import likelihood
from bluezone.letters.body.orders import by_rules
from bluezone.letters.body.parties import by_capitals
from bluezone.letters.letter_text import Passage
from bluezone.letters.proposal import PartyRole
from bluezone.letters.reader import opened


def by_the_rules(body, to="Kính gửi: Trung tâm Y tế các huyện.", left="UBND TỈNH HÀ MÂY\nSỞ Y TẾ"):
    """The tasks that the rules alone read, whatever the weights."""
    text = HEAD.format(left=left, notation="SYT-NVY", to=to) + body + FOOT
    sheet, parts, _, context = opened(text)
    return by_rules(parts, sheet.tables, context)[0]


def orders(body, *to, **head):
    """Of each task: label, who leads, how many points."""
    return [(task.label, task.names(PartyRole.LEAD), len(task.points)) for task in by_the_rules(body, *to, **head)]


ASKS = "Sở Y tế yêu cầu các đơn vị thực hiện:\n"


def test_a_clause_that_only_heads_agencies_is_an_order_for_each_with_its_points():
    body = (
        "1. Về giám sát ổ dịch\n1.1. Trung tâm Kiểm soát bệnh tật\na) Cử 04 đội cơ động;\nb) Lấy mẫu xét nghiệm.\n"
        "1.2. Công an tỉnh lập 03 chốt kiểm soát.\n1.3. UBND các xã\n- Lập danh sách dân;\n- Cấp lương thực.\n"
        "2. Bệnh viện Phổi báo cáo kết quả."
    )
    assert orders(ASKS + body) == [
        ("1.1", ("Trung tâm Kiểm soát bệnh tật",), 2),
        ("1.2", ("Công an tỉnh",), 0),
        ("1.3", ("UBND các xã",), 2),
        ("2", ("Bệnh viện Phổi",), 0),
    ]


def test_dashes_and_a_sentence_below_a_section_headed_by_an_office_are_its_orders():
    body = (
        "I. Phòng Kinh tế\n1. Thống kê đàn chó.\n2. Tổ chức tiêm phòng.\nII. Trạm Y tế xã\n- Dự trữ vắc xin;\n"
        "- Báo cáo số người bị chó cắn.\nIII. Sở Xây dựng\nSơn lại vạch người đi bộ trước cổng trường.\n"
        "IV. Đề nghị Hội Nông dân xã vận động hội viên tiêm phòng cho chó."
    )
    assert [(label, leads) for label, leads, _ in orders(ASKS + body)] == [
        ("I.1", ("Phòng Kinh tế",)),
        ("I.2", ("Phòng Kinh tế",)),
        ("II.1", ("Trạm Y tế xã",)),
        ("II.2", ("Trạm Y tế xã",)),
        ("III", ("Sở Xây dựng",)),
        ("IV", ("Hội Nông dân xã",)),
    ]


@pytest.mark.parametrize(
    ("clause", "leads"),
    [
        ("Vắc xin do Trạm Y tế phường nhận tại Trung tâm Y tế.", "Trạm Y tế phường"),
        ("Kết quả tiêm được Trạm Y tế phường nhập lên hệ thống.", "Trạm Y tế phường"),
        ("Khi phát hiện người chế tạo pháo, chi đoàn báo ngay cho Công an xã.", "chi đoàn"),
        ("Hộ nào còn dùng bếp than thì Ban Quản lý chợ chấm dứt hợp đồng.", "Ban Quản lý chợ"),
        ("Chế độ thông tin: ngày 20 hằng tháng, Trạm Y tế xã báo cáo kết quả.", "Trạm Y tế xã"),
    ],
)
def test_a_clause_is_for_whom_it_names_behind_its_deed_condition_or_day(clause, leads):
    assert ("2", (leads,), 0) in orders(f"{ASKS}1. Bệnh viện Phổi lập danh sách.\n2. {clause}\n3. Trạm Y tế xã trực.")


def test_what_has_been_done_by_somebody_is_no_order():
    read = orders(f"{ASKS}- Bệnh viện Phổi lập danh sách.\n- Bàn ghế đã được Phòng Văn hóa chuẩn bị xong.")
    assert [leads for _, leads, _ in read] == [("Bệnh viện Phổi",)]


def test_steps_are_orders_for_whom_they_name():
    body = (
        "1. Số lượng: mỗi thôn 02 người.\n2. Các bước tiến hành\n"
        "Bước 1: Ban công tác Mặt trận các thôn lập danh sách.\n"
        "Bước 2: Trưởng thôn chuẩn bị hội nghị."
    )
    assert [leads for _, leads, _ in orders(ASKS + body)][-2:] == [
        ("Ban công tác Mặt trận các thôn",),
        ("Trưởng thôn",),
    ]


def test_an_article_shares_out_by_its_numbers():
    body = (
        "Điều 1. Thành lập Ban Tổ chức lễ hội.\nĐiều 2. Phân công các tiểu ban:\n1. Tiểu ban An ninh bố trí xe trực.\n"
        "2. Sở Xây dựng\na) Kiểm tra cầu phao;\nb) Báo cáo kết quả.\nĐiều 3. Quyết định này có hiệu lực từ ngày ký."
    )
    assert orders(body, to="QUYẾT ĐỊNH\nVề việc tổ chức lễ hội")[:2] == [
        ("Điều 2.1", ("Tiểu ban An ninh",), 0),
        ("Điều 2.2", ("Sở Xây dựng",), 2),
    ]


def test_who_a_form_charges_is_charged_however_unlikely_the_words(monkeypatch):
    """In brackets with the role or the day, or by a label; a name alone in brackets is judged as words are."""
    monkeypatch.setattr(likelihood, "_all_weights", lambda: defaultdict(lambda: {"": -20.0}))
    read = letter(
        f"{ASKS}1. Một số việc: khơi 03 cống tiêu ở đồng Cửa Đình (Phòng Kinh tế chủ trì, HTX Bái Trành phối hợp, "
        "xong trước 20/6/2023); tu sửa nghĩa trang (Hội Cựu chiến binh xã, thời hạn 15/7/2023); "
        "cấp phát 4.000 gói thuốc (Trạm Y tế xã).\n"
        "2. Lắp 06 camera ở lối thoát nạn. Đơn vị chủ trì: Ban Quản lý chợ; đơn vị phối hợp: Công an phường; "
        "thời hạn: 28/7/2023.\n3. Trạm Y tế xã tổ chức tiêm chủng."
    )
    found = [
        (one.label, one.names(PartyRole.LEAD), one.names(PartyRole.COOPERATING), str(one.due.value.date))
        for one in read.tasks
    ]
    assert found == [
        ("1.1", ("Phòng Kinh tế",), ("HTX Bái Trành",), "2023-06-20"),
        ("1.2", ("Hội Cựu chiến binh xã",), (), "2023-07-15"),
        ("2", ("Ban Quản lý chợ",), ("Công an phường",), "2023-07-28"),
    ]


def test_whom_something_is_sent_to_is_not_charged_with_it():
    read = orders(f"{ASKS}1. Danh sách gửi về Sở Y tế (Phòng Nghiệp vụ Y).\n2. Bệnh viện Phổi trực.")
    assert ("1", ("Phòng Nghiệp vụ Y",), 0) not in read


@pytest.mark.parametrize(
    ("clause", "lead"),
    [
        ("Đối với kho lạnh, Công ty Thủy sản Hà Mây bố trí máy phát điện.", "Công ty Thủy sản Hà Mây"),
        ("Về phần mộ của 17 gia đình, Mặt trận Tổ quốc xã vận động di dời.", "Mặt trận Tổ quốc xã"),
    ],
)
def test_what_an_order_is_about_may_stand_before_whom_it_is_for(clause, lead):
    assert ("2", (lead,), 0) in orders(f"{ASKS}1. Bệnh viện Phổi lập danh sách.\n2. {clause}\n3. Trạm Y tế xã trực.")


def test_a_clause_with_its_agencies_below_is_an_order_in_whatever_section_it_stands():
    body = (
        "I. MỤC TIÊU\n1. Dữ liệu đúng, đủ, sạch.\nII. NỘI DUNG\n1. Thu thập giấy chứng nhận\n"
        "- Đơn vị thực hiện: Công an xã.\n- Thời gian hoàn thành: trước ngày 30/9/2023.\n"
        "2. Các hoạt động khác\nIII. TỔ CHỨC THỰC HIỆN\n1. Trạm Y tế xã viết tin, bài.\n"
    )
    assert [(label, leads) for label, leads, _ in orders(body, to="KẾ HOẠCH\nLàm sạch dữ liệu")] == [
        ("II.1", ("Công an xã",)),
        ("III.1", ("Trạm Y tế xã",)),
    ]


def test_what_a_body_is_there_for_is_its_duty_where_points_say_it():
    decided = "Điều 1. Thành lập Tổ hỗ trợ.\nĐiều 2. Tổ hỗ trợ có nhiệm vụ"
    told = orders(f"{decided} giúp Chủ tịch chỉ đạo chống dịch.", to="QUYẾT ĐỊNH\nVề việc thành lập Tổ hỗ trợ")
    listed = orders(f"{decided}:\na) Đến từng nhà hướng dẫn;\nb) Hỗ trợ người già.", to="QUYẾT ĐỊNH\nThành lập Tổ")
    assert told == []
    assert listed == [("Điều 2", ("Tổ hỗ trợ",), 2)]


def test_a_section_is_headed_though_its_number_lacks_a_blank():
    assert orders(f"{ASKS}I.SỞ XÂY DỰNG\n1. Rà soát hồ sơ.\nII.CÔNG AN TỈNH\n1. Kiểm tra nhà trọ.") == [
        ("I.1", ("Sở xây dựng",), 0),
        ("II.1", ("Công an tỉnh",), 0),
    ]


@pytest.mark.parametrize(
    ("clause", "to"),
    [
        ("Thủ trưởng các đơn vị chịu trách nhiệm trước Giám đốc Sở nếu để sót.", ""),
        ("Các đơn vị nghiêm túc thực hiện Công văn này.", ""),
        ("Sở khuyến khích cán bộ, công chức nêu gương trước ngày 20/10/2023.", ""),
        ("Khuyến khích các hộ nuôi cá bảy màu.", ""),
        ("Thành viên Tổ hưởng phụ cấp chống dịch.", ""),
        ("Đội xung kích tự giải thể khi hết đợt cao điểm.", ""),
        ("Trưởng thôn nào để xảy ra tai nạn sẽ bị xem xét khi bình xét thi đua.", ""),
        ("Có ý kiến đề nghị hợp nhất hai chi bộ, giao Phòng Nội vụ tham mưu; ý kiến này không tiếp thu.", ""),
        ("Biện pháp đã thực hiện\n- Giao Trạm Y tế súc rửa bể mỗi quý một lần.", ""),
        ("Ban Giám đốc Sở Y tế\n- Ban hành kế hoạch;\n- Sơ kết, báo cáo Bộ Y tế.", "KẾ HOẠCH\nThi đua"),
    ],
)
def test_liability_encouragement_entitlement_threat_opinion_and_the_writers_own_part_order_nobody(clause, to):
    read = orders(f"{ASKS}1. Bệnh viện Phổi lập danh sách.\n2. {clause}\n3. Trạm Y tế xã trực.", *([to] if to else []))
    assert [label for label, _, _ in read] == ["1", "3"]


def test_a_petition_passed_on_is_no_order_beside_what_is_asked_of_the_same_body():
    passed = "Sở Y tế chuyển đơn đến Trung tâm Y tế các huyện để giải quyết theo thẩm quyền."
    asked = "Đề nghị Trung tâm Y tế các huyện kiểm tra, trả lời trước ngày 30/6/2023."
    assert len(orders(passed)) == 1
    assert len(orders(f"{passed} {asked}")) == 1
    assert len(orders(f"{passed} Đề nghị Bệnh viện Phổi kiểm tra, trả lời trước ngày 30/6/2023.")) == 2


def test_the_head_of_the_writers_own_body_is_the_writer_under_its_short_name():
    body = "1. Ban Thường vụ Đoàn phường\n- Ban hành kế hoạch.\n2. Các chi đoàn khu phố\n- Dọn lốp xe."
    read = orders(body, to="KẾ HOẠCH\nTháng Thanh niên", left="THÀNH ĐOÀN HÀ MÂY\nBCH ĐOÀN PHƯỜNG CỬA LẤP")
    assert [leads for _, leads, _ in read] == [("Các chi đoàn khu phố",)]


@pytest.mark.parametrize(
    ("second", "leads"),
    [
        ("Khi có người mắc, Trạm Y tế xã lập danh sách tiếp xúc.", ["Bệnh viện Phổi", "Trạm Y tế xã"]),
        ("Khi có người mắc, Bệnh viện Phổi báo ngay Sở Y tế để hội chẩn.", ["Bệnh viện Phổi"]),
    ],
)
def test_a_conditional_sentence_of_a_clause_is_an_order_of_its_own_for_another_body_only(second, leads):
    read = orders(f"{ASKS}1. Bệnh viện Phổi dự trữ thuốc. {second}\n2. Công an tỉnh trực.")
    assert [one for _, (one,), _ in read[:-1]] == leads


def parties(body, role, **head):
    return [task.names(role) for task in by_the_rules(body, **head)]


@pytest.mark.parametrize(
    ("clause", "lead"),
    [
        ("Phòng Quản lý chất lượng rút ngẫu nhiên 50 bệnh án mỗi tháng.", "Phòng Quản lý chất lượng"),
        ("Giáo viên chủ nhiệm khối 12 gặp riêng từng gia đình.", "Giáo viên chủ nhiệm khối 12"),
        ("Ban đại diện cha mẹ học sinh nấu bữa trưa.", "Ban đại diện cha mẹ học sinh"),
        ("Phòng Điều dưỡng điều 06 người sang giúp.", "Phòng Điều dưỡng"),
        ("Các chi bộ thôn, bản phân công đảng viên.", "Các chi bộ thôn, bản"),
        ("Trưởng các buôn, thôn ký cam kết với hộ nuôi chó.", "Trưởng các buôn, thôn"),
        ("Tổ Trật tự đô thị có mặt trong vòng 15 phút.", "Tổ Trật tự đô thị"),
        ("Đường dây nóng của du khách giao Trung tâm Xúc tiến trực cả ngày.", "Trung tâm Xúc tiến"),
        ("Số phòng đã bán được các cơ sở lưu trú nhập lên cổng.", "các cơ sở lưu trú"),
    ],
)
def test_a_name_ends_where_the_deed_begins(clause, lead):
    assert parties(f"{ASKS}1. {clause}\n2. Trạm Y tế xã lập danh sách.", PartyRole.LEAD)[0] == (lead,)


@pytest.mark.parametrize(
    ("clause", "lead", "helpers"),
    [
        ("Sở Giao thông vận tải chủ trì, Công an tỉnh phối hợp mở luồng.", "Sở Giao thông vận tải", ("Công an tỉnh",)),
        ("Sở Công Thương cùng Công ty Điện lực lập phương án.", "Sở Công Thương", ("Công ty Điện lực",)),
        ("Trung đoàn 8 chủ trì, hiệp đồng với Công an xã tìm kiếm.", "Trung đoàn 8", ("Công an xã",)),
        ("Phòng Y tế phối hợp với Thuế tỉnh tổ chức hội nghị.", "Phòng Y tế", ("Thuế tỉnh",)),
        (
            "Việc trực cấp cứu do Trạm Y tế, phối hợp với Ban Chỉ huy Quân sự xã, thực hiện.",
            "Trạm Y tế",
            ("Ban Chỉ huy Quân sự xã",),
        ),
    ],
)
def test_who_helps_is_read_behind_together_with_and_before_cooperates(clause, lead, helpers):
    body = f"{ASKS}1. {clause}\n2. Trạm Y tế xã lập danh sách."
    assert parties(body, PartyRole.LEAD)[0] == (lead,)
    assert parties(body, PartyRole.COOPERATING)[0] == helpers


BOTH = "Kính gửi:\n- Sở Y tế các tỉnh, thành phố;\n- Các bệnh viện trực thuộc Bộ."


@pytest.mark.parametrize(
    ("asks", "leads"),
    [
        ("Cục đề nghị Sở Y tế các tỉnh, thành phố:", ("Sở Y tế các tỉnh, thành phố",)),
        ("Cục đề nghị các đồng chí Giám đốc Sở Y tế các tỉnh, thành phố quan tâm:", ("Sở Y tế các tỉnh, thành phố",)),
        (
            "Cục đề nghị Sở Y tế các tỉnh, thành phố và bệnh viện:",
            ("Sở Y tế các tỉnh, thành phố", "Các bệnh viện trực thuộc Bộ"),
        ),
        (
            "Cục đề nghị các trường và Sở Y tế các tỉnh, thành phố:",
            ("Sở Y tế các tỉnh, thành phố", "Các bệnh viện trực thuộc Bộ"),
        ),
    ],
)
def test_one_of_several_addressees_leads_where_the_sentence_asks_it_alone(asks, leads):
    body = f"{asks}\n1. Rà soát thuốc giải độc.\n2. Thống kê số ca mắc."
    assert parties(body, PartyRole.LEAD, to=BOTH, left="BỘ Y TẾ\nCỤC QUẢN LÝ") == [leads, leads]


def test_a_section_in_capitals_that_begins_with_for_is_of_whom_it_names():
    body = (
        "Bộ Y tế yêu cầu:\nI. ĐỐI VỚI SỞ Y TẾ CÁC TỈNH\n1. Rà soát thuốc giải độc.\n2. Thống kê số ca mắc.\n"
        "II. ĐỐI VỚI CÁC BỆNH VIỆN\n1. Dự trù quả lọc.\n2. Báo cáo số máy thở."
    )
    found = parties(body, PartyRole.LEAD, to=BOTH, left="BỘ Y TẾ\nCỤC QUẢN LÝ")
    assert [tuple(name.casefold() for name in one) for one in found] == [
        ("sở y tế các tỉnh",), ("sở y tế các tỉnh",), ("các bệnh viện",), ("các bệnh viện",),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "clause",
    [
        "Sơn La ghi nhận 12 ca mắc trong tuần.",
        "Hàn Quốc tặng tỉnh 2.000 liều vắc xin.",
        "Ghi chú: số liệu tính đến 17 giờ.",
        "Gặp người say nắng thì đưa vào bóng râm.",
        "Dẫn đầu là xã Bản Mây.",
    ],
)
def test_a_place_a_note_and_a_condition_are_no_orders_though_they_begin_as_deeds_do(clause):
    assert [leads for _, leads, _ in orders(f"{ASKS}1. Bệnh viện Phổi lập danh sách.\n2. {clause}")] == [
        ("Bệnh viện Phổi",)
    ]


@pytest.mark.parametrize("blank", ["\u00a0", "\u2003", ",\t"])
def test_before_a_deed_a_blank_of_any_kind_is_no_name(blank):
    text = f"{blank} lập danh sách"
    assert by_capitals(Passage(text, tuple(range(len(text))))) is None
