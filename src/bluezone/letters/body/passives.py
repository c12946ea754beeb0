# SPDX-License-Identifier: Apache-2.0
"""Find by whom something is to be done, where a sentence names the deed first."""

import re

from bluezone.letters.agency_names import STARTS_AS_AGENCY, is_agency
from bluezone.letters.body.deeds import IMPERATIVE, VERB

# "Việc lấy mẫu do Trung tâm Y tế thực hiện"
_DONE_BY = re.compile(
    rf"(?:[Vv]iệc|[Cc]ông tác|[Nn]hiệm vụ|Nội dung|Phần|[Kk]inh phí|[Cc]hi phí|Hoạt động|Khâu)\s[^.;:]{{2,120}}?"
    rf"\s+(?:sẽ\s+)?(?:do|được giao cho|giao cho)\s+"
    rf"(?P<who>{STARTS_AS_AGENCY.pattern}[^.;:]{{2,100}}?)\s+(?:chủ trì|thực hiện|đảm nhiệm|đảm nhận|phụ trách"
    rf"|chịu trách nhiệm|bảo đảm|đảm bảo|bố trí|tổ chức|chi trả|tổng hợp|tiến hành|trực tiếp)\b"
)
# "An ninh trật tự tại điểm tiêm do Công an quận đảm nhiệm", in a list of orders
_CHARGED = re.compile(
    rf"(?:(?!{STARTS_AS_AGENCY.pattern})|(?=Điểm|Lực lượng|Chốt"
    rf"|Bản))[A-ZĐ][^.;:]{{2,160}}?\s+(?:sẽ\s+)?(?:do|được giao cho|giao cho)\s+"
    rf"(?P<who>{STARTS_AS_AGENCY.pattern}[^.;:]{{2,100}}?)\s+(?P<deed>chủ trì|thực hiện|đảm nhiệm|đảm nhận"
    rf"|đảm trách|phụ trách"
    rf"|chịu trách nhiệm|chuẩn bị|lo|bố trí|thiết lập|thành lập|dựng|lắp đặt|phát hành|in ấn|biên soạn"
    rf"|dàn dựng|trang trí"
    rf"|vận chuyển|mua sắm)\b"
)
# "Lịch làm thẻ được Phòng Giáo dục và Đào tạo thông báo cho cha mẹ học sinh", in a list of orders
_CHARGED_BY = re.compile(
    rf"(?P<what>[A-ZĐ][^.;:]{{2,120}}?)\s+được\s+(?P<who>{STARTS_AS_AGENCY.pattern}[^.;:,]{{2,80}}?)\s+"
    r"(?:thông báo|công bố|niêm yết|tổng hợp|lập|chuyển|bàn giao|cập nhật|rà soát|kiểm tra|in|huy động"
    r"|bố trí|chuẩn bị"
    r"|phát quang|dọn|vệ sinh|trang trí|lắp đặt|sửa chữa|sơn|trồng|quét|phun|khử khuẩn|vận chuyển|bảo vệ"
    r"|tiếp nhận|kê|dựng"
    r"|phát|treo|dán|đón|đưa|hướng dẫn|trông giữ|phân công|biên soạn|thu gom|xây dựng|bố cục|giám sát|theo dõi)\b"
)
# "Phương án bảo đảm an ninh giao Công an thành phố xây dựng", in a list of orders
_CHARGED_TO = re.compile(
    rf"(?!{STARTS_AS_AGENCY.pattern})[A-ZĐ][^.;:]{{2,120}}?[^\W\d_A-ZĐ]\s+(?:được )?(?:giao|phân công)(?: cho)?\s+"
    rf"(?P<who>(?=[A-ZĐỦ]){STARTS_AS_AGENCY.pattern}[^.;:]{{2,100}}?)(?={VERB.pattern})"
)
# "Danh sách được Hiệp hội Du lịch tổng hợp, gửi về Sở trước 11 giờ ngày 29/4"
_DONE_BY_A_DAY = re.compile(
    rf"(?!{STARTS_AS_AGENCY.pattern})[A-ZĐ][^.;:]{{2,120}}?\s+được\s+(?P<who>{STARTS_AS_AGENCY.pattern}[^.;:,]{{2,80}}?)\s+"
    rf"(?:tổng hợp|lập|gửi|chuyển|thực hiện|hoàn thành|bàn giao|cập nhật|rà soát|kiểm tra|in|cấp|trả|tiêm|lấy)\b"
    rf"(?=[^.;]*\b(?:trước|chậm nhất|xong|hạn|hằng|hàng)\b)"
)
# "Vắc xin do Trạm Y tế phường nhận tại Trung tâm Y tế", in a list of orders: whatever is done by whom
_BY_WHOM = re.compile(
    rf"(?!{STARTS_AS_AGENCY.pattern})(?![^.;:]*\b(?:đã|đang|vừa|sẽ)\s(?:được|do)\b)"
    r"[A-ZĐ][^.;:]{2,160}?\s(?:do|được)\s"
    rf"(?P<who>{STARTS_AS_AGENCY.pattern}\s[^.;:]{{2,100}}?)(?={VERB.pattern})"
)


def doer_in(text: str, *, listed: bool) -> re.Match[str] | None:
    """Return where the text names who is to do it, as group `who`; None where it is not in the passive.

    listed: whether it is one of a list of orders, in which the deed need not be named as one ("Việc …").
    """
    doer = _DONE_BY.match(text) or _DONE_BY_A_DAY.match(text)
    if doer or not listed:
        return doer
    charged = _CHARGED.match(text)
    if charged and (charged["deed"] in ("đảm nhiệm", "đảm nhận") or not IMPERATIVE.match(text)):
        return charged
    by = _CHARGED_BY.match(text)
    if by and not is_agency(by["what"]):
        return by
    return _CHARGED_TO.match(text) or (None if IMPERATIVE.match(text) else _BY_WHOM.match(text))
