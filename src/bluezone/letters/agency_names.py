# SPDX-License-Identifier: Apache-2.0
"""How the names of agencies look in running text, and how a list of them is taken apart."""

import dataclasses
import re

from bluezone.letters.letter_text import Passage

# How the name of an agency, a level of government or a union begins. Capitals and small letters count apart:
# "Ban Dân tộc" is an agency, "ban" inside "các phòng, ban" is not a new one.
_HEADS = (
    "UBND", "HĐND", "UBMTTQ", "MTTQ", "Ủy ban", "Hội đồng", "Mặt trận", "Các", "các", "Phòng", "Ban", "Trung tâm",
    "Văn phòng", "Hội", "Thành đoàn", "Tỉnh đoàn", "Huyện đoàn", "Thị đoàn", "Quận đoàn", "Xã đoàn",
    "Phường đoàn", "Đoàn", "Liên đoàn", "Công an", "Sở", "Bộ",
    "Chi cục", "Cục", "Trạm", "Trường", "Bệnh viện", "Chính quyền", "chính quyền", "Thôn", "thôn", "Tổ",
    "tổ dân phố", "tổ trưởng", "trưởng thôn", "Trưởng thôn", "Bản", "bản", "Chủ tịch", "Thủ trưởng", "thủ trưởng",
    "Người đứng đầu", "Bí thư", "Giám đốc", "Chánh Văn phòng", "Trưởng phòng", "Trưởng các", "Hiệu trưởng",
    "Cơ quan", "cơ quan", "Đơn vị", "đơn vị", "Doanh nghiệp", "doanh nghiệp", "Tổ chức", "tổ chức", "Địa phương",
    "địa phương", "Đội", "Đài", "Viễn thông", "Kho bạc", "Ngân hàng", "Bảo hiểm", "Viện", "Tòa án",
    "Thanh tra", "Chi nhánh",
    "Công ty", "Đề nghị", "Thường trực", "Thành ủy", "Tỉnh ủy", "Huyện ủy", "Đảng ủy", "CT,", "PCT", "Lãnh đạo",
    "lãnh đạo", "Như", "Trưởng ban", "Tổ Covid", "Tổ COVID", "BCĐ", "BCH", "Bưu điện", "Điện lực", "VNPT",
    "Viettel", "MobiFone", "Lực lượng", "lực lượng", "Hạt", "Đại học", "Học viện", "Liên minh", "Hiệp hội",
    "Chi đoàn", "Chi hội", "Chi bộ", "Khu phố", "khu phố", "Ấp", "ấp", "Xóm", "xóm", "Quỹ", "Chánh Thanh tra",
    "Chánh văn phòng", "Phó Chủ tịch", "Phó Giám đốc", "Trưởng", "Cán bộ", "cán bộ", "Công chức", "công chức",
    "Đồng chí", "đồng chí", "Ông", "Bà", "Quý", "quý", "Cơ sở", "cơ sở", "Bến xe", "Hợp tác xã", "Tổng công ty",
    "Tập đoàn", "Nhà trường", "nhà trường", "Khoa", "Bộ phận", "bộ phận", "Tiểu ban", "Thành viên", "BQL",
    "Kiểm lâm", "Chủ đầu tư", "chủ đầu tư", "Chủ hộ", "chủ hộ", "Chủ các", "chủ các", "Người dân", "Báo",
    "Cổng Thông tin", "Sở Chỉ huy", "Cảng", "Ga", "Ngành", "Các cấp", "giáo viên", "Giáo viên", "Cha mẹ", "cha mẹ",
    "Phụ huynh", "phụ huynh", "Học sinh", "học sinh", "Hộ gia đình", "hộ gia đình", "Các hộ", "Nhân dân",
    "nhân dân", "người dân", "Đảng viên", "Đoàn viên", "Công dân", "Doanh trại", "Đồn", "Chốt", "Điểm", "Trại",
    "Liên hiệp", "Câu lạc bộ", "Hội Chữ thập đỏ", "Chủ cơ sở", "chủ cơ sở", "Chủ doanh nghiệp", "Chủ nhiệm",
    "Thư ký", "Tổng Giám đốc", "Ban Giám đốc", "Phi đội", "Tài xế", "Lái xe", "Nhà thuốc", "Nhà thầu",
    "đại biểu", "Đội ngũ", "Đơn vị thi công", "Quản lý", "Tổng cục", "Vụ", "Thủ tướng", "Văn thư", "Kế toán",
    "Chủ rừng", "Hai bên",
    "Hai đơn vị", "Hai ngành", "Các bên", "Xí nghiệp", "Nhà máy", "Siêu thị", "bác sĩ", "Bác sĩ", "Điều dưỡng",
    "UB", "UBMT", "HTX", "BHXH", "KBNN", "CDC", "TTYT", "TYT", "LĐLĐ", "PGD", "PGDĐT", "TTVH", "BQLDA", "Công đoàn",
    "công an", "trạm y tế", "trưởng các", "trưởng xóm", "trưởng ấp", "trưởng bản", "hiệu trưởng", "ông", "bà", "Đ/c",
    "đ/c", "Mạng lưới", "Nghiệp đoàn", "Trực ban", "Tổ hợp tác", "Hộ kinh doanh", "hộ kinh doanh", "Chủ tàu",
    "Chỉ huy trưởng", "Chỉ huy", "Cộng tác viên", "cộng tác viên", "Tình nguyện viên", "tình nguyện viên",
    "Nhân viên",
    "nhân viên", "Phó Thủ tướng", "Phó Bí thư", "Phó Trưởng", "Chánh án", "Viện trưởng", "Tòa Giám mục",
    "Kỹ thuật viên", "Viên chức", "viên chức", "Người lao động", "người lao động", "Đại biểu",
    "BS.", "ThS.", "DS.", "TS.", "CN.", "ĐD.", "BSCKI.", "BSCKII.", "Chiến sĩ", "Dân quân", "Trưởng khoa",
    "Nghệ nhân", "Tổ phó", "Vườn", "Thư viện",
    "Bảo tàng", "Nhà văn hóa", "Ký túc xá", "Phân xưởng", "Chi Cục",
    "người sử dụng lao động", "Người sử dụng lao động", "nhà tài trợ",
    "chi đoàn", "chi hội", "chi bộ",
    "Phụ trách", "Chi hội trưởng", "Trưởng ấp", "Bưu cục", "Khối", "Nhóm", "Phân hiệu", "Liên đội",
    "Bệnh xá", "Sư đoàn", "Lữ đoàn", "Trung đoàn", "Tiểu đoàn", "Đại đội", "Trung đội", "Tiểu đội", "Hải đội",
    "Hải đoàn", "Quân khu", "Thuế", "Hải quan", "công đoàn cơ sở", "trung tâm y tế",
    "bệnh viện đa khoa", "tổ trực", "tổ công nghệ số", "đội xung kích",
)  # fmt: skip
# "mỗi huyện" are all of them, one by one, and "17 chi bộ" so many.
_EACH = (
    r"(?:[Mm]ỗi|\d{1,3}) "
    r"(?:sở|huyện|xã|phường|thôn|bản|tổ|khu phố|đơn vị|cơ quan|trường|trạm|khoa|chi đoàn|chi hội|chi bộ|hội)"
)
_HEAD = rf"(?:{'|'.join(re.escape(head) for head in sorted(_HEADS, key=len, reverse=True))}|{_EACH})(?!\w)"
STARTS_AS_AGENCY = re.compile(_HEAD)
# What begins with such a word and is none.
_NO_AGENCY = re.compile(
    r"^(?:Tổ chức(?! đoàn| chính trị| xã hội| tôn giáo|, cá nhân| hội)|Thuế (?:suất|thu|giá)"
    r"|Báo(?! [A-ZĐ]| và (?:Đài|Phát))|Ban"
    r" hành|Phòng (?:ngừa|dịch|bệnh|chống)"
    r"|Phòng,|Hội (?:nghị|thảo|họp)|Trường hợp|Bộ (?:tài liệu|chỉ số|tiêu chí|câu hỏi)|Bản (?:đồ|tin|sao|cam)"
    r"|Đoàn kết|Đội ngũ(?! (?:báo cáo viên|cộng tác viên|giáo viên|cán bộ|y |bác|nhân viên"
    r"|tuyên truyền viên))|Cơ sở (?:dữ liệu|vật chất)|Trạm BTS|Viện (?:phí|dẫn)|Bảo hiểm y tế|Hạt nhân"
    r"|Ban (?:đêm|ngày)|[Ll]ãnh đạo(?:$| (?:việc|công tác|tốt|thực hiện|tổ chức|nhân dân|cán bộ))"
    r"|Như|Quý (?:I|II|III|IV|\d)\b|Ngành nghề|Trưởng thành|Bà con|Trường học$|Quản lý(?! [A-ZĐ])"
    r"|Điểm (?!tiêm|thu|bán|cách ly|tiếp|Bưu)|Vụ (?!trưởng|[A-ZĐ])|Học sinh sinh viên$|Tổ$|Hội$|Ban$|Sở$"
    r"|Bộ$|Phòng$|Đoàn$|Cục$"
    r"|Thôn$|Bản$|Quỹ$|Khoa$|Ga$|Cảng$|Ông$|Bà$|ông$|bà$|bà con|UB$"
    r"|Trực ban (?!\S+ [A-ZĐ])|Khối$|Đội$|Đài$|Viện$|Trưởng$|Ngành$)"
)
# A name that ends so was cut in two.
_UNFINISHED = re.compile(r"(?:^|\s)(?:[Cc]ác|[Nn]hững|và|cùng|do)$")
_COLLECTIVE_OF = re.compile(
    r"^(?:các|những)\s+(?:sở|ban|ngành|phòng|đơn vị|cơ quan|xã|phường|thị trấn|huyện|quận|thị xã|thành phố"
    r"|trường|trạm"
    r"|hội|tổ|doanh nghiệp|cơ sở|bệnh viện|trung tâm|địa phương|đoàn|thành viên|đồng chí|chi|đội|thôn|bản|khu|ấp|xóm"
    r"|lực lượng|tập thể|cá nhân|cán bộ|công chức|công ty|chủ|hộ|tiểu ban|thủ trưởng|báo|cấp|nhà trường|bộ"
    r"|phó|công an"
    r"|ông|bà|đảng|mặt trận|liên đoàn|hợp tác xã|ngân hàng|chợ|nhà hàng|khách sạn|bến|nhà máy|văn phòng|cục|viện"
    r"|đại biểu|đại lý|PCT|CT|UBND|Sở|Phòng|Ban|Trường|Trạm|Hội|Tổ|Chi|Công ty|Thôn|Trung tâm|Đoàn|lãnh đạo|trưởng"
    r"|siêu thị|cửa hàng|quán|điểm|hãng|chốt|bếp|gia đình|người|chủ đầu tư|liên đoàn|tòa án|xí nghiệp|quỹ|câu lạc bộ"
    r"|nhóm|huyện đoàn|đảng ủy|khoa|bộ phận|nhà|quầy|nhà thuốc|bản tin|thị|tỉnh|khối)\b",
    re.IGNORECASE,
)

_CUT = re.compile(
    rf"\s*[,;]\s*(?={_HEAD})|\s*;\s*"
    # "Phòng Khảo thí và Quản lý chất lượng" is one.
    r"|\s+(?:và|cùng|với)\s+(?!(?:Quản lý|Tổ chức|Kế toán|Điều dưỡng|Bảo hiểm|Thư viện|Nhóm|Thanh tra|Bảo tàng)\s)"
    rf"(?={_HEAD})"
)

# Words of one kind that a collective puts side by side: "phường" after "các xã, " is still that collective.
_COLLECTIVE_KINDS = (
    {"xã", "phường", "thị trấn", "huyện", "quận", "thành phố", "thị xã", "tỉnh"},
    {
        "phòng",
        "ban",
        "ngành",
        "đơn vị",
        "đoàn thể",
        "cơ quan",
        "sở",
        "tổ chức",
        "doanh nghiệp",
        "bộ",
        "địa phương",
        "hội",
        "trường",
    },
    {"thôn", "tổ dân phố", "bản", "khu phố", "xóm", "tiểu khu", "buôn", "bon", "làng", "ấp", "sóc"},
)
_PLACES = (_COLLECTIVE_KINDS[0], _COLLECTIVE_KINDS[2])
_COLLECTIVE = re.compile(r"(?:^|\s)các\s", re.IGNORECASE)
_COLLECTIVE_WORDS = re.compile(
    r"^(?:chính quyền cơ sở|thôn|tổ dân phố|bản|cơ quan|đơn vị|địa phương|tổ chức|doanh nghiệp"
    r"|thủ trưởng|tổ trưởng|trưởng thôn)\b",
    re.IGNORECASE,
)

# What no name of an agency holds.
_SENTENCE = re.compile(
    # What a full stop parts is no name; an abbreviation ("TP. Hà Mây", "ThS. An") has no two small letters before it.
    r"[^\W\d_A-ZĐ]{2}\.\s|\b(?:yêu cầu|đề nghị) (?=[A-ZĐ]|các\b)|"
    r"\d[\d.,]* (?:biên chế|liều|bộ|suất|chỉ tiêu|người|triệu|tỷ|đồng|giường|máy|hộp|lọ|tấn|lít|chiếc|lượt)\b|"
    r"\b(?:mấy|một số|những|các) (?:việc|nội dung|nhiệm vụ|công việc|yêu cầu)\b|"
    r"\d/\d|\bngày \d|\bsố \d+/|\bnhận được\b|\bcó nhiệm vụ\b|\bmong\b|\bcho\b|\bchưa\b|\btừng\b"
    r"|\bcó (?:[Tt]ờ|[Cc]ông văn|[Bb]áo cáo|[Vv]ăn bản|đơn)\b|\bcó ý kiến\b"
    r"|(?<!ảnh )(?<!thụ )\bhưởng (?!ứng)"
    r"|\bxin\b|\btrân trọng\b|\bkính\b|\bchúng tôi\b|\bđã\b|\bđược (?:giao|biết|thưởng|cấp|trích"
    r"|phép|hưởng|kiểm soát)|\bnếu\b|\bkhi\b|\bnày\b|\bsau khi\b|\bthì\b"
    r"|\bđang\b|\bcó thể\b|\bsẽ\b|\blà\b|\bvới các\b.*\bvới\b|(?<!hàng )\bkhông\b|(?<![Hh]ậu )\bcần\b"
)
# Longer than any list of agencies in one breath; what is longer is a sentence.
LONGEST_LIST = 400


_ONE_BODY = re.compile(r"(?:\bHĐND|\bĐBQH|\bHội đồng nhân dân|^Báo|Đoàn Đại biểu Quốc hội)$")


def split_names(list_of_names: Passage) -> list[Passage]:
    """Cut a list of agencies into its names, in order."""
    pieces: list[tuple[int, int]] = []
    start = 0
    text = list_of_names.text
    for cut in _CUT.finditer(text):
        if _ONE_BODY.search(text[start : cut.start()]) and not {",", ";"} & set(cut.group()):
            continue  # "Văn phòng HĐND và UBND", "Báo và Đài Phát thanh"
        if text.startswith("bà ", cut.end()) and text[start : cut.start()].endswith("ông"):
            continue  # "các ông, bà có tên tại Điều 1"
        if pieces_join(text[start : cut.start()], text[cut.end() :]) and ";" not in cut.group():
            continue
        pieces.append((start, cut.start()))
        start = cut.end()
    pieces.append((start, len(text)))
    names = [list_of_names.cut(*piece) for piece in pieces]
    return [name.cut(0, len(name.text.rstrip(" .,;:"))) for name in names if name.text.strip(" .,;:")]


def pieces_join(before: str, after: str) -> bool:
    """Return whether `after` carries on the collective that ends `before`: "các xã" and "phường …"."""
    collective = list(re.finditer(r"(?:^|\s)các\s+", before, re.IGNORECASE))
    if not collective:
        return False
    listed = before[collective[-1].end() :]
    if any(_opens_with(listed, kind) and _opens_with(after, kind) for kind in _COLLECTIVE_KINDS):
        return True
    # "các chi bộ thôn, bản"
    return any(listed.endswith(tuple(f" {word}" for word in kind)) and _opens_with(after, kind) for kind in _PLACES)


def _opens_with(text: str, words: set[str]) -> bool:
    return any(re.match(rf"{word}(?!\w)", text) for word in words)


_ABBREVIATIONS = re.compile(r"\b(?:ubnd|hđnd|mttq|ubmttq|bhxh|cdc|ttyt|bql|lđlđ|y tế|việt nam)\b")


_FOR = "ĐỐI VỚI "


def as_written(heading: str) -> str:
    """A heading in capitals, "SỞ NÔNG NGHIỆP", as it would be written in a sentence; any other as it is."""
    if not heading.isupper():
        return heading
    if heading.startswith(_FOR):
        return _FOR.capitalize() + as_written(heading.removeprefix(_FOR))
    text = _ABBREVIATIONS.sub(_with_capitals, heading.lower())
    return text[:1].upper() + text[1:]


def heads_as_agency(title: str) -> bool:
    """Return whether a heading names an agency, in capitals or not: "SỞ Y TẾ", "ĐỐI VỚI SỞ Y TẾ"."""
    return is_agency(as_written(title).removeprefix(_FOR.capitalize()))


def heading_as_written(heading: Passage) -> Passage:
    """A heading as `as_written`, where its letters stay as many."""
    text = as_written(heading.text)
    return dataclasses.replace(heading, text=text) if len(text) == len(heading.text) else heading


def _with_capitals(word: re.Match[str]) -> str:
    return word.group().title().replace("Tế", "tế") if " " in word.group() else word.group().upper()


def is_collective(name: str) -> bool:
    """Return whether the name stands for several agencies that the office has to name: "UBND các xã, phường"."""
    return bool(re.match(_EACH, name) or _COLLECTIVE.search(name) or _COLLECTIVE_WORDS.match(name))


def all_agencies(names: list[Passage]) -> bool:
    """Return whether each name begins as an agency does."""
    return bool(names) and all(is_agency(name.text) for name in names)


def is_agency(name: str) -> bool:
    """Return whether the name is one that an agency, or the holder of an office, can have."""
    if not STARTS_AS_AGENCY.match(name) or _NO_AGENCY.match(name) or _UNFINISHED.search(name):
        return False
    if not may_be_name(name):
        return False
    return bool(_COLLECTIVE_OF.match(name)) if name.lower().startswith(("các ", "những ")) else True


def may_be_name(words: str) -> bool:
    """Return whether the words hold nothing that only a sentence does."""
    return not _SENTENCE.search(words)
