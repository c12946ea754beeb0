# SPDX-License-Identifier: Apache-2.0
"""The report of a rehearsal as one page, in Vietnamese and English: what has to hold, what came, how long it took."""

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from bluezone.handset.encounters.log import LOG_BYTES
from bluezone.twin.agreement import Agreement

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 1rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: .25rem .4rem; vertical-align: top; }
tr { border-bottom: 1px solid #8884; } th { text-align: left; font-weight: normal; }
td { text-align: right; white-space: nowrap; }
li.fails { font-weight: bold; color: #b3261e; } li.holds::marker { content: "✓ "; } li.fails::marker { content: "✗ "; }
.bars th, .bars td:last-child { white-space: nowrap; width: 1%; font-size: .9rem; } .bars td { vertical-align: middle; }
.bar { display: block; position: relative; height: 1.1rem; }
.bar span { position: absolute; left: 0; box-sizing: border-box; }
.came { inset-block: 2px; background: #0a4fbf; } .expected { inset-block: 0; border: 2px solid #d97706; }
section + section { margin-top: 3rem; border-top: 3px double; }
"""

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "vi": {
        "title": "Diễn tập một thành phố", "other": "In English",
        "lead": "{phones} máy, {days} ngày, {meetings} lần gặp; sự cố: {failures}.",
        "none": "không", "server": "mất máy chủ", "restore": "mất dữ liệu, dựng lại từ bản sao lưu",
        "clock": "đồng hồ sai", "night": "tắt máy ban đêm", "must": "Những điều phải đúng",
        "keys": "Tin báo đã nhận: không mất khóa nào", "keys_not": "Khóa của tin báo đã nhận mà bị mất: {count}",
        "whole": "Cả {count} máy tự làm mọi việc đều cho kết quả như nhóm chung",
        "whole_not": "Máy tự làm mọi việc cho kết quả khác nhóm chung: {count} trong {of}",
        "unmet": "Không máy nào báo “nguy cơ cao” khi chưa gặp ca bệnh",
        "unmet_not": "Máy báo “nguy cơ cao” khi chưa gặp ca bệnh: {count}",
        "away": "Không máy nào bắt đầu báo “nguy cơ cao” khi mất máy chủ",
        "away_not": "Máy bắt đầu báo “nguy cơ cao” khi mất máy chủ: {count}",
        "store_held": "Kho lớn nhất của một máy: {store}, được phép {most}",
        "near": "Gặp đúng một ca, trong 2 m: {told} máy báo, dự kiến {expected} (sai số chuẩn {error})",
        "far": "Gặp đúng một ca, xa hơn 2 m: {told} máy báo, dự kiến {expected} (sai số chuẩn {error})",
        "figures": "Số liệu", "cases": "Ca bệnh phải báo", "reports": "Tin báo máy chủ đã nhận",
        "waited": "Tin báo phải chờ máy chủ", "should": "Máy đã ở gần ca bệnh",
        "should_told": "trong đó báo “nguy cơ cao”", "told": "Mọi máy báo “nguy cơ cao”",
        "files": "Số tệp đã phát hành", "bytes": "Một máy tải về (tệp khóa)",
        "server_cpu": "Thời gian xử lý của máy chủ", "cpu": "Thời gian xử lý của tất cả",
        "travellers": "Máy đã sang thành phố kia", "following": "Máy theo dõi thành phố kia",
        "more": "Máy theo dõi tải thêm", "abroad": "Theo dõi, chỉ ở gần ca của thành phố kia; báo “nguy cơ cao”",
        "not_following": "Cũng vậy nhưng không theo dõi",
        "cells": "Người gặp đúng một ca: bao nhiêu máy báo “nguy cơ cao”",
        "legend": "Thanh đặc: số máy báo. Khung: số dự kiến theo đường cong đã đo.",
        "minutes": "phút", "delays": "Từ tin báo đến lần báo “nguy cơ cao” đầu tiên", "hours": "giờ", "seconds": "giây",
    },
    "en": {
        "title": "Rehearsal of a city", "other": "Bằng tiếng Việt",
        "lead": "{phones} phones, {days} days, {meetings} meetings; failures: {failures}.",
        "none": "none", "server": "server away", "restore": "data lost, restored from a backup",
        "clock": "wrong clocks", "night": "phones off at night", "must": "What has to hold",
        "keys": "Acknowledged reports: no key is lost",
        "keys_not": "Keys of acknowledged reports that are lost: {count}",
        "whole": "All {count} phones that share nothing say what the crowd says of them",
        "whole_not": "Phones that share nothing and say something else than the crowd: {count} of {of}",
        "unmet": "No phone says “high” without having met a case",
        "unmet_not": "Phones that say “high” without having met a case: {count}",
        "away": "No phone said “high” for the first time while the server was away",
        "away_not": "Phones that said “high” for the first time while the server was away: {count}",
        "store_held": "Largest store of a phone: {store}, at most {most} allowed",
        "near": "Met one case, within 2 m: {told} phones say “high”, {expected} expected (standard error {error})",
        "far": "Met one case, beyond 2 m: {told} phones say “high”, {expected} expected (standard error {error})",
        "figures": "Figures", "cases": "Cases that have to report", "reports": "Reports that the server took",
        "waited": "Reports that waited for the server", "should": "Phones that were near a case",
        "should_told": "of them say “high”", "told": "All phones that say “high”",
        "files": "Files published", "bytes": "A phone fetches (files of keys)",
        "server_cpu": "Processor time of the server", "cpu": "Processor time of all",
        "travellers": "Phones that went to the other city", "following": "Phones that follow the other city",
        "more": "A phone that follows fetches besides",
        "abroad": "Following, near a case of the other city alone; “high”",
        "not_following": "The same, but not following",
        "cells": "People who met one case: how many phones say “high”",
        "legend": "Solid bar: phones that say it. Frame: how many the measured curve leads to expect.",
        "minutes": "min", "delays": "From the report to the first “high”", "hours": "h", "seconds": "s",
    },
}  # fmt: skip
_DISTANCES = ("0.3–1 m", "1–2 m", "2–4 m", "4–12 m")
_LENGTHS = ("5–10", "10–25", "25–60", "60–120")
_DELAY_HOURS = 4


def write_page(result: Mapping[str, Any]) -> str:
    """The page, HTML without scripts. result: of `Outcome.as_json`."""
    sections = "".join(
        f'<section lang="{language}" id="{language}">{_section(result, language)}</section>' for language in _WORDS
    )
    return f"""<!doctype html>
<html lang="vi"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Diễn tập một thành phố · Rehearsal of a city</title><style>{_STYLE}</style></head><body>{sections}</body></html>
"""


def _section(result: Mapping[str, Any], language: str) -> str:
    words, asked = _WORDS[language], result["asked"]
    other = next(each for each in _WORDS if each != language)
    failures = ", ".join(words[name] for name in asked["failures"]) or words["none"]
    lead = words["lead"].format(
        phones=_number(result["phones"], language), days=asked["days"],
        meetings=_number(result["meetings"], language), failures=failures,
    )  # fmt: skip
    held = "".join(f'<li class="{"holds" if holds else "fails"}">{escape(said)}</li>'
                   for holds, said in _held(result, language))  # fmt: skip
    rows = "".join(f"<tr><th>{escape(words[name])}</th><td>{escape(told)}</td></tr>"
                   for name, told in _figures(result, language).items())  # fmt: skip
    cells = [
        (f"{_decimal(distance, language)}, {length} {words['minutes']}", cell["told"], cell["expected"])
        for distance, row in zip(_DISTANCES, result["cells"], strict=True)
        for length, cell in zip(_LENGTHS, row, strict=True)
        if cell["met"]
    ]
    counts = Counter(int(delay // _DELAY_HOURS) for delay in result["delays"])
    delays = [
        (f"{_DELAY_HOURS * place}–{_DELAY_HOURS * (place + 1)} {words['hours']}", counts[place], None)
        for place in range(max(counts, default=-1) + 1)
    ]
    return (
        f'<h1>{words["title"]}</h1><p>{escape(lead)} <a href="#{other}" lang="{other}">{words["other"]}</a></p>'
        f"<h2>{words['must']}</h2><ul>{held}</ul><h2>{words['figures']}</h2><table>{rows}</table>"
        f"<h2>{words['cells']}</h2><p>{words['legend']}</p>{_bars(cells, language)}"
        f"<h2>{words['delays']}</h2>{_bars(delays, language)}"
    )


def _held(result: Mapping[str, Any], language: str) -> list[tuple[bool, str]]:
    """What has to hold: whether it does, and the sentence."""
    words = _WORDS[language]
    differing = result["whole"] - result["whole_equal"]
    counts = {"keys": result["missing_keys"], "whole": differing, "unmet": result["unmet"]}
    if {"server", "restore"} & set(result["asked"]["failures"]):
        counts["away"] = result["told_away"]
    held = [
        (
            not count,
            words[name if not count else f"{name}_not"].format(count=count or result["whole"], of=result["whole"]),
        )
        for name, count in counts.items()
    ]
    most = words["store_held"].format(
        store=_megabytes(result["store_bytes"], language), most=_megabytes(LOG_BYTES, language)
    )
    held.append((result["store_bytes"] <= LOG_BYTES, most))
    for name in ("near", "far"):
        part = Agreement(**result[name])
        said = words[name].format(
            told=_number(part.told, language), expected=_number(part.expected, language, 1),
            error=_number(part.error, language, 1),
        )  # fmt: skip
        held.append((part.agrees, said))
    return held


def _figures(result: Mapping[str, Any], language: str) -> dict[str, str]:
    """Figures by their name among the words."""
    names = ["cases", "reports", "waited", "should", "should_told", "told", "files"]
    figures = {name: _number(result[name], language) for name in names}
    figures["bytes"] = _megabytes(result["home_bytes"], language)
    seconds = _WORDS[language]["seconds"]
    figures["server_cpu"] = f"{_number(result['server_seconds'], language)} {seconds}"
    figures["cpu"] = f"{_number(result['seconds'], language)} {seconds}"
    if result["asked"]["cities"] > 1:
        figures |= {name: _number(result[name], language) for name in ("travellers", "following")}
        figures["more"] = _megabytes(result["file_bytes"] - result["home_bytes"], language)
        figures["abroad"] = f"{_number(result['abroad'], language)}; {_number(result['abroad_told'], language)}"
        figures["not_following"] = _number(result["not_following"], language)
    return figures


def _number(value: float, language: str, places: int = 0) -> str:
    told = f"{value:,.{places}f}"
    return told.translate(str.maketrans(",.", ".,")) if language == "vi" else told


def _decimal(text: str, language: str) -> str:
    return text.replace(".", ",") if language == "vi" else text


def _megabytes(count: int, language: str) -> str:
    return f"{_number(count / 1e6, language, 1)} MB"


def _bars(rows: Sequence[tuple[str, float, float | None]], language: str) -> str:
    """Horizontal bars with their numbers; a frame where something was expected."""
    most = max([1.0, *(value for _, value, _ in rows), *(wanted or 0.0 for *_, wanted in rows)])
    parts = []
    for name, value, wanted in rows:
        bar, said = f'<span class="came" style="width:{100 * value / most:.1f}%"></span>', _number(value, language)
        if wanted:
            bar += f'<span class="expected" style="width:{100 * wanted / most:.1f}%"></span>'
        if wanted is not None:
            said += f" ({_number(wanted, language, 1)})"
        parts.append(f'<tr><th>{escape(name)}</th><td><span class="bar">{bar}</span></td><td>{said}</td></tr>')
    return f'<table class="bars">{"".join(parts)}</table>'
