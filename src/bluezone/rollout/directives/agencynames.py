# SPDX-License-Identifier: Apache-2.0
"""Take apart a list of agencies as letters write it: "Phòng Giáo dục và Đào tạo thành phố, UBND các xã, phường".

Commas and "và" also stand inside names ("Trung tâm Văn hóa, Thể thao và Truyền thông") and inside one collective
("các phòng, ban, đơn vị"), so a list is cut only where a new name begins.
"""

import re

from bluezone.rollout.directives.passages import Passage

# How the name of an agency, a level of government or a union begins. Capitals and small letters count apart:
# "Ban Dân tộc" is an agency, "ban" inside "các phòng, ban" is not a new one.
_HEADS = (
    "UBND",
    "HĐND",
    "UBMTTQ",
    "MTTQ",
    "Ủy ban",
    "Hội đồng",
    "Mặt trận",
    "Các",
    "các",
    "Phòng",
    "Ban",
    "Trung tâm",
    "Văn phòng",
    "Hội",
    "Thành đoàn",
    "Tỉnh đoàn",
    "Huyện đoàn",
    "Đoàn",
    "Liên đoàn",
    "Công an",
    "Sở",
    "Bộ",
    "Chi cục",
    "Cục",
    "Trạm",
    "Trường",
    "Bệnh viện",
    "Chính quyền",
    "chính quyền",
    "Thôn",
    "thôn",
    "Tổ",
    "tổ dân phố",
    "tổ trưởng",
    "trưởng thôn",
    "Trưởng thôn",
    "Bản",
    "bản",
    "Chủ tịch",
    "Thủ trưởng",
    "thủ trưởng",
    "Người đứng đầu",
    "Bí thư",
    "Giám đốc",
    "Chánh Văn phòng",
    "Trưởng phòng",
    "Trưởng các",
    "Hiệu trưởng",
    "Cơ quan",
    "cơ quan",
    "Đơn vị",
    "đơn vị",
    "Doanh nghiệp",
    "doanh nghiệp",
    "Tổ chức",
    "tổ chức",
    "Địa phương",
    "địa phương",
    "Đội",
    "Đài",
    "Kho bạc",
    "Ngân hàng",
    "Bảo hiểm",
    "Viện",
    "Tòa án",
    "Thanh tra",
    "Chi nhánh",
    "Công ty",
    "Đề nghị",
    "Thường trực",
    "Thành ủy",
    "Tỉnh ủy",
    "Huyện ủy",
    "Đảng ủy",
    "CT,",
    "PCT",
    "Lãnh đạo",
    "lãnh đạo",
    "Như",
    "Trưởng ban",
    "Tổ Covid",
    "Tổ COVID",
)
_HEAD = rf"(?:{'|'.join(re.escape(head) for head in sorted(_HEADS, key=len, reverse=True))})(?!\w)"
STARTS_AS_AGENCY = re.compile(_HEAD)

_CUT = re.compile(rf"\s*[,;]\s*(?={_HEAD})|\s+(?:và|cùng|với)\s+(?={_HEAD})|\s*;\s*")

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
    {"thôn", "tổ dân phố", "bản", "khu phố", "xóm", "tiểu khu"},
)
_COLLECTIVE = re.compile(r"(?:^|\s)các\s", re.IGNORECASE)
_COLLECTIVE_WORDS = re.compile(
    r"^(?:chính quyền cơ sở|thôn|tổ dân phố|bản|cơ quan|đơn vị|địa phương|tổ chức|doanh nghiệp"
    r"|thủ trưởng|tổ trưởng|trưởng thôn)\b",
    re.IGNORECASE,
)

# Longer than any list of agencies in one breath; what is longer is a sentence.
LONGEST_LIST = 400


def split_names(list_of_names: Passage) -> list[Passage]:
    """Cut a list of agencies into its names, in order."""
    pieces: list[tuple[int, int]] = []
    start = 0
    text = list_of_names.text
    for cut in _CUT.finditer(text):
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
    return any(_opens_with(listed, kind) and _opens_with(after, kind) for kind in _COLLECTIVE_KINDS)


def _opens_with(text: str, words: set[str]) -> bool:
    return any(re.match(rf"{word}(?!\w)", text) for word in words)


def is_collective(name: str) -> bool:
    """Return whether the name stands for several agencies that the office has to name: "UBND các xã, phường"."""
    return bool(_COLLECTIVE.search(name) or _COLLECTIVE_WORDS.match(name))


def all_agencies(names: list[Passage]) -> bool:
    """Return whether each name begins as an agency does."""
    return bool(names) and all(STARTS_AS_AGENCY.match(name.text) for name in names)
