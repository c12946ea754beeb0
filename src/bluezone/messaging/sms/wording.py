# SPDX-License-Identifier: Apache-2.0
"""The notice to a visitor, in two languages and in one or two segments. Source: the texts of the project, section 5.

The link is the short one of the public site, the same for everybody. A sender with a name cannot be answered, so
visitors opt out on the page behind the link.
"""

from dataclasses import dataclass

from bluezone.city_settings import City
from bluezone.messaging.sms.segmentation import SegmentedText, segment_text, without_diacritics

_VI = {
    (1, True): "{vi}: mời quý khách cài Bluezone: {link}",
    (1, False): "{plain} kinh chao quy khach. De nghi cai Bluezone de duoc canh bao nguy co lay nhiem COVID-19: {link}."
    " Khong nhan tin nay nua: xem lien ket.",
    (
        2,
        True,
    ): "{vi} chào quý khách. Đề nghị cài Bluezone để được cảnh báo nguy cơ lây nhiễm COVID-19: {link} (miễn phí)",
    (2, False): "{plain} kinh chao quy khach. De nghi cai ung dung Bluezone de duoc canh bao nguy co lay nhiem COVID-19"
    " (mien phi, khong can khai ten): {link} Neu sot, ho, kho tho: goi {hotline} truoc khi den co so y te. Tin chi gui"
    " mot lan moi dot luu tru.",
}
_EN = {
    1: "{en}: welcome. Please install Bluezone to be warned if you were near a COVID-19 case. Free, no name needed:"
    " {link} Stop: see link",
    2: "{en} People's Committee: welcome. Please install Bluezone: it warns you if you were near a confirmed COVID-19"
    " case. Free, no name or phone number needed, Vietnamese and English: {link} If unwell, call {hotline} before going"
    " to a clinic. This notice is sent once per stay.",
}
_CODE = {
    "vi": "{code} là mã đăng ký địa điểm của {vi}. Mã dùng một lần, hết hạn sau 30 phút.",
    "en": "{code} is your code to register a place with {en}. It works once, for 30 minutes.",
}


@dataclass(frozen=True)
class Notice:
    """A notice as it will be sent, and the number of segments that the city chose."""

    language: str
    measured: SegmentedText
    promised: int

    @property
    def fits(self) -> bool:
        """Whether it has no more segments than promised; not so if the city's name or host is too long."""
        return self.measured.segments <= self.promised


def arrival_notice(city: City, language: str, segments: int | None = None, diacritics: bool | None = None) -> Notice:
    """The notice of a city. segments, diacritics: instead of the city's settings."""
    promised = segments or city.sms_notice_segments
    accents = bool(city.sms_notice_diacritics) if diacritics is None else diacritics
    template = _VI[promised, accents] if language == "vi" else _EN[promised]
    measured = segment_text(_fill(template, city))
    if language == "vi" and accents and measured.segments > promised:
        # Better without diacritics than in more segments than the city wants to pay.
        measured = min(
            measured, segment_text(_fill(_VI[promised, False], city)), key=lambda candidate: candidate.segments
        )
    return Notice(language, measured, promised)


def code_text(city: City, language: str, code: str) -> str:
    """The message with a requested code; Vietnamese without diacritics, so that it is one segment."""
    text = _fill(_CODE["vi" if language == "vi" else "en"].replace("{code}", code), city)
    return without_diacritics(text) if language == "vi" else text


def _fill(text: str, city: City) -> str:
    name = city.sms_name_vi or _committee(city.name_vi)
    return text.format(
        vi=name,
        plain=without_diacritics(name),
        # A single letter outside the default alphabet would triple the cost of the English text.
        en=without_diacritics(city.sms_name_en or f"{city.name_en} City"),
        link=f"{city.public_host}/k",
        hotline=city.national_hotline.replace(" ", ""),
    )


def _committee(name: str) -> str:
    """The committee as letterheads shorten it: "thành phố Bắc Kạn" -> "UBND TP Bắc Kạn"."""
    short = {"thành phố ": "TP ", "thị xã ": "TX ", "huyện ": "H. ", "tỉnh ": "tỉnh "}
    for long, abbreviation in short.items():
        if name.lower().startswith(long):
            return f"UBND {abbreviation}{name[len(long) :]}"
    return f"UBND {name}"
