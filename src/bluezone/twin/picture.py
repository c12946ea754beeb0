# SPDX-License-Identifier: Apache-2.0
"""The report of a rehearsal as one page, in Vietnamese and English: what has to hold, what came, how long it took."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
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

# How each language leads to the other.
_LINKS: Final = {"vi": "In English", "en": "Bằng tiếng Việt"}


def _words(_: Callable[[str], str]) -> dict[str, str]:
    """All that the page says, by the language that `_` puts a text into."""
    return {
        "title": _("Rehearsal of a city"),
        "lead": _("{phones} phones, {days} days, {meetings} meetings; failures: {failures}."),
        "none": _("none"),
        "server": _("server away"),
        "restore": _("data lost, restored from a backup"),
        "clock": _("wrong clocks"),
        "night": _("phones off at night"),
        "must": _("Conditions to meet"),
        "keys": _("Acknowledged reports: no keys are lost"),
        "keys_not": _("Keys of acknowledged reports that are lost: {count}"),
        "whole": _("All {count} phones that share nothing have the same result as the crowd"),
        "whole_not": _("Phones that share nothing and have a different result from the crowd: {count} of {of}"),
        "unmet": _("No phone says “high” without having met a case"),
        "unmet_not": _("Phones that say “high” without having met a case: {count}"),
        "away": _("No phone said “high” for the first time while the server was away"),
        "away_not": _("Phones that said “high” for the first time while the server was away: {count}"),
        "store_held": _("Largest store of a phone: {store}, at most {most} allowed"),
        "near": _("Met one case, within 2 m: {told} phones say “high”, {expected} expected (standard error {error})"),
        "far": _("Met one case, beyond 2 m: {told} phones say “high”, {expected} expected (standard error {error})"),
        "figures": _("Figures"),
        "cases": _("Cases that have to report"),
        "reports": _("Reports that the server accepted"),
        "waited": _("Reports that waited for the server"),
        "should": _("Phones that were near a case"),
        "should_told": _("of them say “high”"),
        "told": _("All phones that say “high”"),
        "files": _("Files published"),
        "bytes": _("Data fetched per phone (key files)"),
        "server_cpu": _("Processor time of the server"),
        "cpu": _("Processor time of all"),
        "travellers": _("Phones that went to the other city"),
        "following": _("Phones that follow the other city"),
        "more": _("Extra data fetched by a following phone"),
        "abroad": _("Following, near a case of the other city only; “high”"),
        "not_following": _("The same, but not following"),
        "cells": _("People who met one case: how many phones say “high”"),
        "legend": _("Solid bar: phones that say “high”. Frame: the number expected from the measured curve."),
        "minutes": _("min"),
        "delays": _("From the report to the first “high”"),
        "hours": _("h"),
        "seconds": _("s"),
    }


_DISTANCES = ("0.3–1 m", "1–2 m", "2–4 m", "4–12 m")
_LENGTHS = ("5–10", "10–25", "25–60", "60–120")
_DELAY_HOURS = 4


def write_page(result: Mapping[str, Any], catalogues: Mapping[str, Callable[[str], str]]) -> str:
    """The page, HTML without scripts. result: of `Outcome.as_json`; catalogues: by language, what translates a text."""
    words = {language: _words(translate) for language, translate in catalogues.items()}
    title = " · ".join(each["title"] for each in words.values())
    sections = "".join(
        f'<section lang="{language}" id="{language}">{_section(result, language, each)}</section>'
        for language, each in words.items()
    )
    return f"""<!doctype html>
<html lang="vi"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>{_STYLE}</style></head><body>{sections}</body></html>
"""


def _section(result: Mapping[str, Any], language: str, words: Mapping[str, str]) -> str:
    asked, other = result["asked"], next(each for each in _LINKS if each != language)
    failures = ", ".join(words[name] for name in asked["failures"]) or words["none"]
    lead = words["lead"].format(
        phones=_number(result["phones"], language), days=asked["days"],
        meetings=_number(result["meetings"], language), failures=failures,
    )  # fmt: skip
    held = "".join(f'<li class="{"holds" if holds else "fails"}">{escape(said)}</li>'
                   for holds, said in _held(result, language, words))  # fmt: skip
    rows = "".join(f"<tr><th>{escape(words[name])}</th><td>{escape(told)}</td></tr>"
                   for name, told in _figures(result, language, words).items())  # fmt: skip
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
        f'<h1>{words["title"]}</h1><p>{escape(lead)} <a href="#{other}" lang="{other}">{_LINKS[language]}</a></p>'
        f"<h2>{words['must']}</h2><ul>{held}</ul><h2>{words['figures']}</h2><table>{rows}</table>"
        f"<h2>{words['cells']}</h2><p>{words['legend']}</p>{_bars(cells, language)}"
        f"<h2>{words['delays']}</h2>{_bars(delays, language)}"
    )


def _held(result: Mapping[str, Any], language: str, words: Mapping[str, str]) -> list[tuple[bool, str]]:
    """What has to hold: whether it does, and the sentence."""
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


def _figures(result: Mapping[str, Any], language: str, words: Mapping[str, str]) -> dict[str, str]:
    """Figures by their name among the words."""
    names = ["cases", "reports", "waited", "should", "should_told", "told", "files"]
    figures = {name: _number(result[name], language) for name in names}
    figures["bytes"] = _megabytes(result["home_bytes"], language)
    for name, seconds in (("server_cpu", result["server_seconds"]), ("cpu", result["seconds"])):
        figures[name] = f"{_number(seconds, language)} {words['seconds']}"
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
