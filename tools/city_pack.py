#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Make the city pack from two public sources, and say where they differ.

    tools/city_pack.py FOLDER-A FOLDER-B     two folders with the unpacked packages

A: vietnam-provinces (names and codes of the statistics office before and since 1 July 2025, which commune became
which). B: vietnam-address-converter (the same by names, with codes of its own). Facts alone are taken: names, codes
and which became which. They are read as data; nothing of the packages is run. Where the two differ in which places took
over from a commune, what both say is kept, or all that A says where they share nothing.
"""

import ast
import json
import lzma
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bluezone.vietnamese.spelling import fold

TARGET = Path(__file__).parents[1] / "src" / "bluezone" / "firstday" / "city-pack.txt.xz"
_LEVELS = (
    "Thành phố", "Thành Phố", "Tỉnh", "Quận", "Huyện", "Thị xã", "Thị Xã", "Phường", "Đặc khu", "Đặc Khu", "Thị trấn",
    "Thị Trấn", "Xã",
)  # fmt: skip
_ROMAN = {"1": "i", "2": "ii", "3": "iii", "4": "iv", "5": "v", "6": "vi", "7": "vii"}
Key = tuple[str, str, str]


def named(text: str) -> str:
    """A name with its level in small letters: "phường Đức Xuân"."""
    text = " ".join(text.split())
    level = next((level for level in _LEVELS if text.startswith(f"{level} ")), "")
    return f"{level.lower()}{text[len(level) :]}"


def alike(text: str) -> str:
    """A name as the two are compared by: level, marks, dashes, "y" and Roman numbers do not count."""
    plain = fold(named(text))
    plain = re.sub(r"^(thanh pho|tinh|quan|huyen|thi xa|phuong|dac khu|thi tran|xa) ", "", plain)
    plain = re.sub(r"[^a-z0-9]", "", plain).replace("y", "i")
    return _ROMAN.get(plain, plain)


def levelled(text: str) -> tuple[str, str]:
    """A name as the two are compared by, with its level."""
    return next(level for level in map(str.lower, _LEVELS) if named(text).startswith(f"{level} ")), alike(text)


class SourceA:
    """vietnam-provinces: today's divisions from its JSON, the past ones and what they became from its tables."""

    def __init__(self, folder: Path) -> None:
        package = folder / "vietnam_provinces"
        self.today = json.loads((package / "data" / "nested-divisions.json").read_text("utf-8"))
        lookup = _tables(package / "legacy" / "_lookup.py")
        self.provinces = {code: call.args[0].value for code, call in lookup["PROVINCE_MAPPING"]}
        self.districts = {code: call.args[0].value for code, call in lookup["DISTRICT_MAPPING"]}
        self.wards = {code: call.args[0].value for code, call in lookup["WARD_MAPPING"]}
        self.became: dict[int, tuple[int, int, list[int]]] = {}
        for code, call in _tables(package / "_ward_conversion_2025.py")["OLD_TO_NEW"]:
            old, new = call.args
            heirs = [heir.args[0].value for heir in new.elts]
            self.became[code] = (old.args[1].value, old.args[2].value, heirs)
        # One commune stands under a district with the province of another: the district's own counts.
        provinces: dict[int, Counter[int]] = defaultdict(Counter)
        for district, province, _heirs in self.became.values():
            provinces[district][province] += 1
        for code, (district, _province, heirs) in self.became.items():
            self.became[code] = (district, provinces[district].most_common(1)[0][0], heirs)


def _tables(path: Path) -> dict[str, list[tuple[int, Any]]]:
    """The tables of a module: code -> the call that stands there, as syntax."""
    found = {}
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Dict) and isinstance(node.target, ast.Name):
            keys = [key.value for key in node.value.keys if isinstance(key, ast.Constant)]
            found[node.target.id] = list(zip(keys, node.value.values, strict=True))
    return found


class SourceB:
    """vietnam-address-converter: today's units, and rows of a commune of before and a place that took over."""

    def __init__(self, folder: Path) -> None:
        text = (folder / "vietnam_address_converter" / "data.py").read_text("utf-8")
        literal = next(
            node.value.args[0]
            for node in ast.parse(text).body
            if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Call)
        )
        data = json.loads(literal.value)  # type: ignore[attr-defined]
        names = {code: row["name_with_type"] for code, row in data["newProvinces"].items()}
        self.today = Counter(
            (alike(names[row["parent_code"]]), levelled(row["name_with_type"])) for row in data["newWards"].values()
        )
        self.became: dict[Key, set[tuple[str, str]]] = defaultdict(set)
        self.names: dict[Key, str] = {}
        for row in data["mapping"]["rows"]:
            old, new = row["old"], row["new"]
            key = (alike(old["province_name"]), alike(old["district_name"]), alike(old["ward_name"]))
            self.became[key].add((alike(new["province_name"]), alike(new["ward_name"])))
            self.names[key] = old["ward_name"]


def main(folder_a: str, folder_b: str) -> None:
    """Write the pack and print what was compared."""
    a, b = SourceA(Path(folder_a)), SourceB(Path(folder_b))
    today = Counter((alike(p["name"]), levelled(w["name"])) for p in a.today for w in p["wards"])
    both = (today & b.today).total()
    print(f"today: {len(a.today)} provinces, {today.total()} places in A, {b.today.total()} in B, alike {both}")
    lines = [*_today(a), *_past(a, b)]
    packed = lzma.compress(("\n".join(lines) + "\n").encode(), preset=9 | lzma.PRESET_EXTREME)
    TARGET.write_bytes(packed)
    print(f"wrote {len(lines)} lines, {len(packed)} bytes")


def _today(a: SourceA) -> Iterator[str]:
    for province in sorted(a.today, key=lambda row: row["code"]):
        yield f"now\t{province['code']:02}\t{named(province['name'])}"
        for place in sorted(province["wards"], key=lambda row: row["code"]):
            yield f"in\t{place['code']:05}\t{named(place['name'])}"


def _past(a: SourceA, b: SourceB) -> Iterator[str]:
    place_of = {w["code"]: (alike(p["name"]), alike(w["name"])) for p in a.today for w in p["wards"]}
    province_of = {w["code"]: p["code"] for p in a.today for w in p["wards"]}
    counts = {"alike": 0, "partly": 0, "apart": 0, "in A alone": 0}
    rows = []
    for code, (district, province, heirs) in a.became.items():
        if code not in a.wards:
            a.wards[code] = _name_in_b(a, b, district, province, {place_of[heir] for heir in heirs})
        key = (alike(a.provinces[province]), alike(a.districts[district]), alike(a.wards[code]))
        said = b.became.get(key)
        kept = heirs if said is None else [heir for heir in heirs if place_of[heir] in said] or heirs
        mine = {place_of[heir] for heir in heirs}
        counts["in A alone" if said is None else "alike" if mine == said else "partly" if mine & said else "apart"] += 1
        rows.append((province, district, code, kept))
    print(f"communes of before: {len(rows)} in A, {len(b.became)} in B; what they became: {counts}")
    known = {(alike(a.provinces[p]), alike(a.districts[d]), alike(a.wards[c])) for p, d, c, _heirs in rows}
    print(f"  in B alone: {sorted(b.became.keys() - known)[:40]}")
    became: dict[int, Counter[int]] = defaultdict(Counter)
    for province, _district, _code, kept in rows:
        became[province].update(province_of[one] for one in kept)
    above: tuple[int, int] = (0, 0)
    for province, district, code, kept in sorted(rows):
        if province != above[0]:
            heir = became[province].most_common(1)[0][0]
            yield f"old\t{province:02}\t{named(a.provinces[province])}\t{heir:02}"
        if (province, district) != above:
            yield f"district\t{district:03}\t{named(a.districts[district])}"
        above = (province, district)
        yield f"was\t{code:05}\t{named(a.wards[code])}\t{','.join(f'{heir:05}' for heir in kept)}"


def _name_in_b(a: SourceA, b: SourceB, district: int, province: int, became: set[tuple[str, str]]) -> str:
    """What B calls a commune that A has a code for and no name: the one that became the same and A does not name."""
    inside = (alike(a.provinces[province]), alike(a.districts[district]))
    named_in_a = {
        (alike(a.provinces[p]), alike(a.districts[d]), alike(a.wards[code]))
        for code, (d, p, _heirs) in a.became.items()
        if code in a.wards
    }
    fitting = [key for key, heirs in b.became.items() if key[:2] == inside and heirs & became and key not in named_in_a]
    fitting.sort(key=lambda key: b.became[key] != became)
    print(f"  no name in A; in B: {[(b.names[key], b.became[key] == became) for key in fitting]}")
    return b.names[fitting[0]]


if __name__ == "__main__":
    main(*sys.argv[1:])
