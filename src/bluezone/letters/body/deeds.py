# SPDX-License-Identifier: Apache-2.0
"""The words by which letters say what is to be done: where a name ends, and how an order without one begins."""

import re
from collections.abc import Iterator

# What an agency is told to do, or how: where a list of agencies ends. Small letters only ("Ban Chỉ đạo" is a name).
_VERBS = (
    "đi từng nhà", "đi", "triển khai", "thực hiện", "chỉ đạo", "chủ trì", "phối hợp", "có trách nhiệm",
    "chịu trách nhiệm", "tăng cường", "hướng dẫn", "tuyên truyền", "yêu cầu", "phát", "rà soát", "báo cáo",
    "tham mưu",
    "cử", "vận động", "đưa", "đăng", "theo dõi", "kiểm tra", "bố trí", "khẩn trương", "tiếp tục", "chủ động",
    "nghiêm túc", "giao", "đôn đốc", "căn cứ", "xây dựng", "hỗ trợ", "quán triệt", "phổ biến", "bảo đảm", "đảm bảo",
    "thường xuyên", "cung cấp", "tổng hợp", "lập", "thông báo", "đề nghị", "cài đặt", "nêu", "lồng ghép", "đẩy mạnh",
    "quản lý", "phân công", "để", "nhằm", "trong việc", "thống kê", "duy trì", "gửi", "huy động", "ban hành",
    "thành lập", "tiến hành", "giám sát", "xử lý", "tiếp nhận", "kịp thời", "chuẩn bị", "hoàn thành", "hoàn thiện",
    "khắc phục", "cập nhật", "nghiên cứu", "đề xuất", "trình", "thẩm định", "kiểm soát", "mời",
    "sắp xếp", "tập trung", "tập huấn", "nắm", "nhắc", "ký", "quan tâm", "công khai", "niêm yết", "treo",
    "phát thanh", "xác minh", "điều tra", "lấy", "tổng vệ sinh", "phun", "khử khuẩn", "ra quân", "đến từng",
    "tự kiểm tra", "tự rà soát", "tự tổ chức", "tự đánh giá", "tự bố trí",
    "cắm", "kiểm kê", "phân phối", "khơi thông", "chốt chặn",
    "phát dọn", "nhắc nhở", "tư vấn", "lắng nghe", "thường trực",
    "kêu gọi", "phong tỏa", "định hướng", "lãnh đạo", "giáo dục",
    "niêm phong", "thu hồi", "tháo dỡ", "dọn", "cải tạo", "nạo vét", "trồng", "chăm sóc", "bảo quản", "bảo vệ", "gắn",
    "truyền đạt", "phản bác", "đấu tranh", "xác định", "làm rõ",
    "làm việc", "làm tốt", "trao đổi", "chia sẻ", "ứng dụng",
    "khai thác", "công bố", "hướng về", "soát xét", "thống nhất", "lựa chọn", "đôn đốc", "nhân rộng", "khen thưởng",
    "kiện toàn", "làm tốt", "thực hiện tốt", "củng cố", "phát huy", "sẵn sàng", "chấp hành",
    "tuân thủ", "cam kết", "tổ chức", "kiến nghị", "ký kết",
    "mở rộng", "mở chuyên", "mở lớp", "mở đợt", "thực thi",
    "giải ngân", "quyết toán", "thanh toán", "ghi nhận", "giải thích",
    "vận chuyển", "điều động", "tham vấn", "xem", "thay thế", "giúp", "mua sắm", "bổ sung", "rút kinh nghiệm",
    "khai báo", "tạm dừng", "dừng", "sử dụng", "đối chiếu", "phân bổ", "thẩm tra", "đánh giá", "sơ kết",
    "tổng kết", "chấn chỉnh", "nhập", "tạo điều kiện", "giới thiệu", "lựa chọn", "đăng ký",
    "tham gia", "cùng", "quét", "dán", "đặt", "nộp", "xem xét", "giải quyết", "trả lời", "cho ý kiến", "góp ý",
    "sao gửi", "chuyển", "bàn giao", "ứng trực", "tuần tra", "di dời", "sơ tán", "kiểm đếm", "chằng chống", "cấm",
    "ngừng", "tận dụng", "động viên", "khuyến khích", "thăm", "chi trả", "nghiệm thu", "vận hành", "kết nối",
    "tích hợp", "sao lưu", "khảo sát", "thay", "sửa chữa", "lắp đặt", "phân loại", "thu gom", "cân đối", "ưu tiên",
    "liên hệ", "truyền tải", "phản ánh", "đôn đốc", "tích cực", "định kỳ", "hằng ngày", "hằng tuần", "hàng tuần",
    "hàng ngày", "trước ngày", "phải", "cần", "dự trù", "giám định", "truy vết", "cách ly", "khoanh vùng",
    "điều phối",
    "đón", "nối", "cung ứng", "chốt", "dồn", "gọi", "mua", "đóng", "khóa", "cắt", "chở", "nhận", "trao",
    "tìm kiếm", "khám", "điều trị", "xét nghiệm", "đào",
    "phân ca", "canh", "hạn chế", "cảnh báo", "khuyến cáo", "xử phạt",
    "thay mặt", "đăng tải", "tiếp nước", "cứu chữa", "bảo trì",
    "rải", "phong toả", "soạn", "biên soạn", "thẩm tra", "tra cứu",
    "kiểm định", "mở đường dây", "mở thêm", "mở điểm", "chụp", "quay", "thiết lập", "xác lập", "chi hỗ trợ",
    "chi tiền",
    "cấp phát",
    "đẩy nhanh", "trang bị", "nhập liệu", "dự trữ", "cho học sinh", "cho người", "thu dung", "phân luồng", "tháo gỡ",
    "điều chuyển", "rút ngắn", "gia hạn", "giảm", "miễn", "nghiêm cấm", "nâng cấp", "lập danh sách", "liên thông",
    "kích hoạt", "bảo hành", "bảo dưỡng", "in ấn", "in sao", "phát hành", "phát hiện", "phát động", "phân tích",
    "tiêm", "tẩy", "diệt", "khoán", "cung cấp thông tin", "giữ gìn", "hoàn trả", "nghiêm chỉnh", "thẩm tra",
    "xét duyệt", "xét chọn", "tuyển chọn", "chọn", "đình chỉ", "tạm đình chỉ", "thu giữ", "tiêu hủy", "tiêu huỷ",
    "báo động", "trưng dụng", "điều phối", "thông tin kịp thời", "thông tin, tuyên truyền", "thông tin rộng rãi",
    "khám sàng lọc", "sàng lọc", "rà, soát", "rà lại", "làm đầu mối", "là đầu mối", "làm cơ quan", "đo đạc",
    "đo thân",
    "tổ chức", "tăng", "nâng cao", "góp phần", "kê khai",
    "biết", "thi hành", "có nhiệm vụ", "lo", "hoàn toàn", "trực tiếp", "chịu toàn bộ", "soạn thảo", "hợp đồng",
    "thuê",
    "chọn cử", "thông tin", "mang", "niêm phong", "đăng ký", "chấm", "đối soát", "phúc tra", "tiếp tế", "tiếp đón",
    "dự toán", "thanh tra", "mở rộng", "mở cửa", "hạch toán", "trợ giúp", "trợ cấp",
    "tẩy trùng", "diễn tập", "giảng dạy", "truyền thông", "nuôi nhốt", "tiêm phòng", "chích ngừa",
    "lau", "rửa", "đeo", "xả", "bơm", "tưới", "chặn", "rào", "bốc", "dỡ",
    "đóng góp", "quyên góp", "ủng hộ", "tặng", "tính toán", "ước tính", "nghiêm trị",
    "tạm ngừng", "tạm giữ", "tạm hoãn", "hoãn", "hủy", "huỷ", "bãi bỏ", "sửa", "sửa đổi", "chỉnh sửa", "chỉnh lý",
    "thu hoạch", "thu phí", "đốt", "chôn", "bảo hộ", "tố giác", "trình báo", "phổ cập", "ngăn chặn",
    "phòng ngừa", "khống chế", "dập dịch", "dập", "truy tìm", "giao nộp", "đối thoại", "tiếp xúc", "tiếp dân",
    "lập sổ",
    "chưa để", "không tổ chức", "không cấp phép", "không cho phép", "không khóa", "không tự ý",
    "ngoài việc", "ngoài nhiệm vụ", "còn phải", "còn có trách nhiệm",
    "nhắn tin", "nhắn", "trả kết quả", "trả", "giao ban", "họp", "đậy", "ngủ", "thả", "che chắn", "gia cố", "neo",
    "buộc",
    "quây", "căng", "giăng", "vớt", "lật", "úp", "thay rửa", "tránh", "mặc", "dùng", "đi tiêm", "đưa con", "hỏi",
    "nghe", "ghi sổ", "ghi chép", "ghi nhật ký", "tắt", "bật", "khoanh", "rắc", "cài", "quét dọn", "dẹp", "giải tỏa",
    "kê", "xếp", "phân loại", "tách", "gộp", "in", "photo", "sao chụp", "kéo dài", "lùi", "dời", "dựa", "vẽ", "viết",
    "sáng tác", "biểu diễn", "chiếu", "trưng bày", "giữ", "nhắc", "đo", "cân", "tẩy giun", "cho uống", "cho trẻ",
    "cho nghỉ", "cho phép", "cho vay", "hỗ trợ", "đền bù", "bồi thường", "thẩm vấn", "triệu tập", "bắt giữ",
    "tống đạt",
    "bổ nhiệm", "luân chuyển", "điều chỉnh", "cắt giảm", "tinh giản", "tái lập", "khôi phục", "phục hồi",
    "thiết kế", "kê thêm", "sáng lập", "tổ chức lại", "phân tuyến", "tách riêng", "truy thu", "thu nộp",
    "thăm hỏi", "xuống", "kiểm điểm", "nghiêm khắc", "thông tuyến", "giải phóng",
    "đấu nối", "tiếp quản", "sáp nhập", "thúc đẩy", "đổi mới", "cải tiến", "hiện đại hóa", "số hóa", "chỉ định",
    "phê bình", "khiển trách", "răn đe", "hòa giải", "khai thông", "tiêu độc", "khử trùng", "sát trùng",
    "tổng kiểm tra",
    "truy quét", "triệt phá", "tịch thu", "cưỡng chế", "tái định cư", "bốc thăm", "chấm điểm", "xếp loại", "bình xét",
    "bình chọn", "thảo luận", "hội chẩn", "hội ý", "chẩn đoán", "kê đơn", "phát sóng", "ghi hình", "đưa tin",
    "viết bài",
    "đăng bài", "lan tỏa", "sao y", "chứng thực", "đóng dấu", "lưu hồ sơ", "lưu giữ", "cảnh giác", "lên phương án",
    "lên kế hoạch", "lên danh sách", "lên lịch", "ra văn bản", "ra thông báo", "ra quyết định", "vào cuộc", "bám nắm",
    "bám sát", "nhân bản", "đôn đốc", "khơi dòng", "gánh", "khoan", "bắc", "lát", "san gạt", "hót", "xúc", "kéo",
    "thắp", "tiếp sức", "đồng hành", "hưởng ứng", "phối kết hợp", "kiểm dịch", "kiểm nghiệm", "hiệu chuẩn", "súc rửa",
    "thau rửa", "cọ rửa", "giặt", "hấp", "ngâm", "phơi", "sấy", "cách điện", "ngắt", "hạ tải", "chuyển tải", "bù",
    "nhận diện", "phát giác", "tố cáo", "khuyên", "dặn", "thuyết phục", "giải đáp", "trấn an", "thu thập",
    "mỗi", "đọc", "phê duyệt", "không được", "không để",
    "lưu mẫu", "lưu trữ", "điểm danh", "đi kiểm tra", "bám", "nhận lại", "dạy", "cấp cứu", "thu xếp",
    "hoàn tất", "kết thúc", "bắt đầu", "khởi công", "thi công", "nạp", "chạy", "cho thuê", "hạ mực",
    "thông báo rộng rãi", "chuyển đổi", "giữ nguyên", "bỏ", "gom", "hút", "kiểm", "dò", "đắp",
    "phủ kín", "che phủ", "đánh kẻng", "đánh dấu", "đánh số", "gõ kẻng", "phát quang", "đóng cọc", "cắm biển",
    "cắm mốc",
    "giải cứu", "cứu hộ", "cứu trợ", "nấu ăn cho", "chặt tỉa", "cắt tỉa", "chỉnh trang",
    "thông tắc", "giao nhận", "thông báo cho", "đưa đón", "giãn cách",
    "tạo tài khoản", "tạo lập", "tạo nhóm", "thu âm", "ghi âm", "lên danh mục", "bắn pháo", "cấp tài khoản",
    "gửi lại", "làm thủ tục", "tăng tin", "mở tuyến", "tham quan", "đào tạo", "bồi dưỡng",
)  # fmt: skip
# Where a name ends, too; but what begins with one need be no order: "Sơn La", "Hàn Quốc", "Gặp người say nắng thì …".
_ONLY_BEHIND_NAMES = (
    "rút", "gặp", "gặp gỡ", "bế", "cáng", "khiêng", "cõng", "dìu", "duyệt", "lắp", "điều xe", "sơn", "trám", "vá",
    "che", "chèn", "kè", "múc", "tát", "dẫn", "dắt", "vác", "xách", "cất", "cất giữ", "thu dọn", "thu mua",
    "thu tiền", "thu lại", "trông coi", "trông giữ", "ứng cứu", "soi", "rọi", "xịt", "chùi", "dội", "ôn tập",
    "phụ đạo", "luyện tập", "tập dượt", "ra đề", "bấm", "tìm", "xuất cấp", "xuất kho", "xuất quân", "băng bó",
    "chia", "phân nhóm", "phân chia", "phân tổ", "nhặt", "gieo", "cấy", "gặt", "chặt", "đốn", "pha", "trộn", "đun",
    "gõ cửa", "thổi còi", "trích", "đăng nhập", "xóa", "gỡ", "gọi điện", "thử", "kẻ", "bịt", "hàn", "lấp",
    "ủi", "đẩy", "đưa tiễn", "tiễn", "viếng", "phạt", "hẹn", "nhổ", "bón", "lục soát",
    "giải trình", "quan sát", "trinh sát", "hậu kiểm", "dự thảo", "biên tập", "thương lượng", "tiêu nước", "điều tiết",
    "điều phương tiện", "điều người", "điều tàu", "điều ca nô", "điều trực thăng", "điều cán bộ", "đến nhà",
    "đến tận", "nói chuyện", "tuần tiễu", "quyết định cho", "giám hộ", "phụng dưỡng", "tiêu tẩy", "báo gia đình",
    "bóc", "tháo", "đong", "đếm", "chép", "dịch ra", "lồng tiếng", "ghi tên", "ghi lại", "tra soát",
)  # fmt: skip
# "Ban chỉ đạo", "cảnh sát giao thông", "các tổ chức đoàn thể" hold a verb in a name.
_IN_NAMES = {
    "sử dụng",
    "thông tin",
    "tổng hợp",
    "cử",
    "cùng",
    "trình",
    "xây dựng",
    "nhận",
    "chỉ đạo",
    "quản lý",
    "giám sát",
    "giao",
    "tổ chức",
    "phòng",
    "cần",
}
VERB = re.compile(
    r"(?:^|[\s,]\s*)(?P<verb>(?:(?<!các )tổ chức"
    r"(?! đoàn thể| chính trị| xã hội|,| hội(?! (?:nghị|thảo|thi|chợ|đàm|họp|chẩn))| tôn giáo)"
    r"|(?<!các )(?<!hai )(?<!cùng )cấp(?! xã| huyện| tỉnh| thành| cơ| trên| dưới| ủy| bộ| học| cứu|,)"
    r"|(?<![tT]hường )trực(?! thuộc| tiếp| tuyến)|(?<![Bb]an )(?:chỉ đạo|quản lý|giám sát)|giao(?! thông| dịch| lưu)"
    r"|tổng hợp(?!(?<=Kế hoạch tổng hợp)(?:,| chịu)"
    r"|(?<=Kế hoạch tổng hợp) (?:phối hợp|chủ trì|lập|tham mưu|theo dõi|đôn đốc|có trách nhiệm|hướng dẫn))"
    r"|(?<![hH]ậu )cần|(?<![nN]ghệ )(?<![nN]gành )thông tin|(?<![nN]gười )sử dụng"
    r"|(?<!bầu )cử(?! tri)|cùng(?! cấp)"
    r"|(?<![Tt]ờ )(?<!công )(?<!chương )(?<!quá )(?<!quy )(?<!lộ )(?<!giáo )trình"
    r"|(?<!đầu tư )xây dựng|nhận(?! được| thấy| thức| định)"
    r"|(?<![xX]ây )dựng|tuyệt đối(?= (?:không|chấp hành))|(?:mở|in|làm)"
    r"(?=,? (?:\d|các |lớp |sổ |ngay|cấp|ra|và|tài|giấy|phiếu|thẻ|hồ sơ|báo cáo))"
    r"|(?:điều|chi|coi|cấp|giữ)(?= \d)"
    r"|được (?:giao|phân công)(?= (?:nhiệm vụ )?(?:chủ trì|hướng dẫn|tổ chức|kiểm tra|theo dõi|tham mưu|phối hợp"
    r"|thực hiện|trực|chuẩn bị|phụ trách|rà soát|tổng hợp|lập|xây dựng|bố trí|cung cấp|đôn đốc|giám sát"
    r"|triển khai|quản lý|tiếp nhận"
    r"|điều phối))"
    rf"|{'|'.join(sorted({*_VERBS, *_ONLY_BEHIND_NAMES} - _IN_NAMES, key=len, reverse=True))})"
    r"(?!\w)(?!\s+(?:được\b|số \d+\s)))"
)
_NO_IMPERATIVES = {
    "khuyến khích",
    "hoàn toàn",
    "chưa để",
    "giữ",
    "in",
    "dựa",
    "nghe",
    "nhắc",
    "đo",
    "cân",
    "kê",
    "xếp",
    "họp",
    "trả",
    "thông tin",
    "hợp đồng",
    "thu phí",
    "dự toán",
    "biết",
}
# What is done in a place ("cơ sở giáo dục") belongs to its name.
IN_PLACES = {"khám", "giáo dục", "điều trị", "cách ly", "tiêm", "chăm sóc", "xét nghiệm", "thu dung", "mua", "thu gom"}
_PLAIN_VERBS = (
    set(_VERBS) - _NO_IMPERATIVES - {"để", "nhằm", "trong việc", "nêu", "căn cứ", "cần", "phải", "mỗi", "trước ngày"}
)
# They begin an order, and may stand within a name ("Tổ nấu ăn").
_BEGIN = (
    "cho uống", "cho nghỉ", "cho các", "điều xe", "thu âm", "chặt", "tỉa", "cưa", "đốn", "kẻ", "sơn", "đánh",
    "gõ", "thổi", "bấm", "nạo", "vét", "be bờ", "bịt", "trám", "vá",
    "rà", "mắc", "tháo", "hạ", "nâng", "gác", "vây", "bắt", "cứu", "may", "nấu", "chia", "giãn", "tạm ứng", "chuyển",
    "nhổ", "gieo", "cấy", "bón", "thu mua", "thu hái", "thu dọn", "thu xếp", "thả", "bảo mật", "đăng nhập", "tải",
    "đồng bộ", "quét", "lưu", "phủ", "che", "đậy", "san", "lấp", "ủi", "đẩy", "kéo", "chống", "trực", "đón",
    "tiễn", "dâng", "viếng", "thắp", "dạy", "ôn", "ra đề", "phạt", "truy vết", "truy tìm", "duyệt", "bầu", "tuyển",
    "rút", "bù", "nối lại", "cấp lại", "cấp đổi", "cấp bù", "bán", "mượn", "hoàn", "làm rõ", "hẹn", "tìm",
    "lọc", "đun",
    "ngâm", "trộn", "chế biến", "đóng gói", "dán nhãn", "ghi nhãn", "thử", "hiệu chỉnh", "hút", "đỗ", "chạy",
    "thay", "gọi", "nhắn", "viết", "vẽ", "quay phim", "chụp", "phô tô", "sao lục", "đóng dấu", "trưng cầu",
    "bỏ phiếu",
    "kiểm phiếu", "kết nạp", "phát tờ rơi", "phát loa", "phát sóng", "hiến máu", "tạm hoãn", "tạm dừng", "xóa", "gỡ",
)  # fmt: skip
# Before what is not to be, and not before what is not: "Không ghi nhận ca mắc mới".
_NOT_TO = (
    r"(?:yêu cầu|để|được|cho|tự|tổ chức|bố trí|sử dụng|thu|nhận|ra|tụ tập|chủ quan|đăng|chia sẻ|lợi dụng"
    r"|gây|bán|vứt|xả"
    r"|mua|làm|giao|ký|cấp|bắt|ép|đưa|đi|vào|tiếp nhận|giải quyết|phê duyệt|thanh toán|lấy|dùng|đến|đốt|rời"
    r"|tập trung|cắt|ngắt|mở|chở|nấu|ăn|uống|hút|thả|phun|khai thác|xử lý|chặt|phá)"
)
IMPERATIVE = re.compile(
    rf"^(?:(?:In|Thu(?! nhập| chi)|Làm|Ghi(?! nhận| chú)|Chi(?! phí| cục| bộ| nhánh| tiết| hội| đoàn)|Mở|Kẻ"
    rf"|Giữ|Đo|Coi"
    rf"|Cấp(?! xã| huyện| tỉnh| cơ| ủy)|Xem|Dành|Mang|Đeo|Tự|Không {_NOT_TO}|Chưa {_NOT_TO})\s"
    r"|(?:Tổ chức|Trực(?! thuộc)|Vệ sinh|Tuyệt đối|Nghiêm cấm|Chấm dứt|Lắp|Quyết định cho|Nhanh chóng|Hạn chế"
    r"|Trong thời gian|Bám sát|Nêu cao"
    rf"|(?:{'|'.join(sorted(_BEGIN, key=len, reverse=True))})(?= [^\W\d_A-ZĐ]| \d)"
    rf"|{'|'.join(sorted(set(_PLAIN_VERBS), key=len, reverse=True))})(?!\w))",
    re.IGNORECASE,
)
# Small words that a name of an agency is made of, beside its capitals.
NAME_WORDS = frozenset({
    "các", "và", "của", "tỉnh", "thành", "phố", "huyện", "quận", "xã", "phường", "thị", "trấn", "trên", "địa",
    "bàn", "khu", "vực", "cơ", "sở", "cấp", "dân", "tổ", "học", "sinh", "y", "tế", "trường", "thôn", "bản",
    "đơn", "vị", "quan", "ban", "ngành", "phòng", "đoàn", "thể", "liên", "trực", "thuộc", "công", "lập", "tư",
    "thục", "đội", "hội", "chi", "nhánh", "doanh", "nghiệp", "mẹ", "khối", "giáo", "viên", "chức", "cán",
    "bộ", "trưởng", "phó", "ấp", "xóm", "trạm", "bệnh", "viện", "trung", "tâm", "chợ", "bến", "xe", "hộ", "gia",
    "xét", "nghiệm", "soát", "tật", "nguyện", "nhân", "đình", "chủ", "nhiệm", "cửa", "hàng", "khách", "sạn",
    "nhà", "siêu", "thuốc", "hợp", "tác", "chính", "trị",
    "lực", "điện", "nước", "thông", "vận", "tải", "du", "lịch", "thương", "mại",
    "hưu", "trí", "cựu", "binh", "phụ", "nữ", "thanh", "niên", "nông", "lao", "động", "người",
    "đặc", "khoa", "ven", "đảng", "cư", "trú", "tễ", "phẩm", "biển", "lượng", "lớp", "đô", "quân", "án", "mầm", "non",
    "tiểu", "trật", "đê", "môn", "đại", "diện", "cha", "ủy", "nghệ", "buôn", "phận", "viễn", "nhiễm", "chất", "xá",
    "kinh", "quốc", "vụ", "rừng", "trẻ", "thú", "biểu", "đảo", "lâm", "sàng", "dục", "dưỡng", "tuổi", "vùng", "sông",
    "chùa", "kỹ", "thuật", "tầng", "thủy", "lợi", "mạng", "hải", "duyên",
})  # fmt: skip


def verbs_after_names(text: str, start: int) -> Iterator[re.Match[str]]:
    """The verbs of a text, from a place on, that have a name before them."""
    return (
        match for match in VERB.finditer(text, start) if text[start : match.start("verb")].replace(",", " ").strip()
    )
