# SPDX-License-Identifier: Apache-2.0
"""The report of a rehearsal as one page: what was expected beside what came, and how long warnings took."""

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

_DISTANCES = ("0.3–1 m", "1–2 m", "2–4 m", "4–12 m")
_LENGTHS = ("5–10 min", "10–25", "25–60", "60–120")
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; } th, td { padding: .3rem .6rem; border: 1px solid #8888; text-align: right; }
svg { max-width: 100%; height: auto; } .came { fill: #0a4fbf; } .expected { fill: none; stroke: currentColor; }
svg text { font: 12px system-ui, sans-serif; fill: currentColor; }
"""


def write_page(result: Mapping[str, Any]) -> str:
    """The page, HTML without scripts. result: of `Outcome.as_json`."""
    asked = result["asked"]
    facts = {
        "Phones, days, meetings": f"{result['phones']:,}, {asked['days']}, {result['meetings']:,}",
        "Reports acknowledged, of cases; lost": f"{result['reports']} of {result['cases']}; {result['missing']}",
        "Keys of them lost; reports that waited": f"{result['missing_keys']}; {result['waited']}",
        "Said “high” first without a server": f"{result['told_away']}",
        "Phones near a case; of them say “high”": f"{result['should']}; {result['should_told']}",
        "Phones that say “high”; without having met a case": f"{result['told']}; {result['unmet']}",
        **{
            f"Met one case, {name}: say “high”; expected, standard error": (
                f"{part['told']}; {part['expected']:.0f}, {part['error']:.0f}"
            )
            for name, part in (("within 2 m", result["near"]), ("farther away", result["far"]))
        },
        "Phones that share nothing; of them as the crowd": f"{result['whole']}; {result['whole_equal']}",
        "Files, bytes a phone fetches": f"{result['files']}, {result['home_bytes']:,}",
        "Largest store of a phone, bytes": f"{result['store_bytes']:,}",
        "Processor time of the server, of all, s": f"{result['server_seconds']:.0f}, {result['seconds']:.0f}",
        **(_of_two(result) if asked["cities"] > 1 else {}),
        "Failures": ", ".join(asked["failures"]) or "none",
    }
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in facts.items())
    hours = Counter(int(delay // 4) * 4 for delay in result["delays"])
    delays = [(f"{hour}–{hour + 4} h", hours[hour], None) for hour in range(0, max(hours, default=0) + 4, 4)]
    cells = [
        (f"{distance}, {length}", cell["told"], cell["expected"])
        for distance, row in zip(_DISTANCES, result["cells"], strict=True)
        for length, cell in zip(_LENGTHS, row, strict=True)
        if cell["met"]
    ]
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Rehearsal of a city</title><style>{_STYLE}</style></head><body>
<h1>Rehearsal of a city</h1>
<table>{rows}</table>
<h2>Who met one case once: phones that say “high”, and how many were to be expected (outline)</h2>
{_bars(cells)}
<h2>From the report to the first “high”</h2>
{_bars(delays)}
</body></html>
"""


def _of_two(result: Mapping[str, Any]) -> dict[str, str]:
    more = result["file_bytes"] - result["home_bytes"]
    return {
        "Phones that went to the other city; that follow it": f"{result['travellers']}; {result['following']}",
        "Bytes more for a phone that follows it": f"{more:,}",
        "Near a case of the other city alone; of them say “high”": f"{result['abroad']}; {result['abroad_told']}",
        "The same, but they do not follow it": f"{result['not_following']}",
    }


def _bars(rows: Sequence[tuple[str, float, float | None]]) -> str:
    """Horizontal bars with their numbers; an outline where something was expected."""
    most = max([1.0, *(value for _, value, _ in rows), *(wanted or 0.0 for *_, wanted in rows)])
    parts = []
    for place, (name, value, wanted) in enumerate(rows):
        top = 24 * place
        parts.append(f'<text x="150" y="{top + 15}" text-anchor="end">{escape(name)}</text>')
        parts.append(f'<rect class="came" x="160" y="{top + 3}" width="{440 * value / most:.1f}" height="16"/>')
        said = f"{value:g}"
        if wanted is not None:
            parts.append(
                f'<rect class="expected" x="160" y="{top + 1}" width="{440 * wanted / most:.1f}" height="20"/>'
            )
            said += f" ({wanted:.1f})"
        end = 160 + 440 * max(value, wanted or 0.0) / most
        parts.append(f'<text x="{end + 6:.1f}" y="{top + 15}">{said}</text>')
    height = 24 * max(len(rows), 1)
    return f'<svg viewBox="0 0 700 {height}" role="img" aria-label="bars with their numbers">{"".join(parts)}</svg>'
