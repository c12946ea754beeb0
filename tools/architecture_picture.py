#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draw docs/images/architecture.svg from the imports of src/bluezone; with --check, exit 1 if it is out of date.

Every package and module directly under bluezone is a box. A box lies above all that it imports. Boxes that import each
other share a frame. An arrow is left out where a longer way leads to the same box. Standard library only; the same
source gives the same bytes.
"""

import ast
import math
import sys
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
SOURCE = REPOSITORY / "src" / "bluezone"
PICTURE = REPOSITORY / "docs" / "images" / "architecture.svg"
ROOT = SOURCE.name

# Folders inside a package that every Django app has; they are no parts of the idea.
NOT_PARTS = {"migrations", "management", "models", "templatetags"}

BOX_WIDTH, MODULE_WIDTH, WIDE_WIDTH = 196, 128, 400
LINE_HEIGHT, PADDING, FRAME = 15, 10, 14
GAP, LANE, ROW_GAP, MARGIN = 30, 10, 58, 24
LETTERS_PER_LINE = {BOX_WIDTH: 31, WIDE_WIDTH: 66}

Graph = dict[str, set[str]]


@dataclass
class Box:
    """What is drawn of one package or module."""

    name: str
    is_package: bool
    sentence: str
    parts: list[str]

    @property
    def width(self) -> int:
        """Pixels; a package of many parts is wide, a module narrow."""
        if not self.is_package:
            return MODULE_WIDTH
        return WIDE_WIDTH if len(self.parts) > 6 else BOX_WIDTH

    def lines(self) -> tuple[list[str], list[str]]:
        """The wrapped lines of the sentence and of the parts."""
        if not self.is_package:
            return [], []
        letters = LETTERS_PER_LINE[self.width]
        said = textwrap.wrap(self.sentence, letters, max_lines=3, placeholder=" …", break_on_hyphens=False)
        return said, textwrap.wrap(" · ".join(self.parts), letters, break_on_hyphens=False)

    @property
    def height(self) -> int:
        """Pixels."""
        return 2 * PADDING + LINE_HEIGHT * (1 + sum(map(len, self.lines())))


@dataclass
class Place:
    """A stop on a layer: a group of boxes, or (without boxes) a lane through which an arrow passes."""

    key: str
    layer: int
    boxes: list[Box] = field(default_factory=list)
    x: float = 0.0
    y: float = 0.0
    row_height: float = 0.0

    @property
    def framed(self) -> bool:
        """Whether its boxes import each other."""
        return len(self.boxes) > 1

    @property
    def width(self) -> int:
        """Pixels."""
        if not self.boxes:
            return LANE
        inner = sum(box.width for box in self.boxes) + GAP // 2 * (len(self.boxes) - 1)
        return inner + 2 * FRAME * self.framed

    @property
    def height(self) -> float:
        """Pixels; a lane is as high as its row."""
        if not self.boxes:
            return self.row_height
        return max(box.height for box in self.boxes) + (2 * FRAME + LINE_HEIGHT) * self.framed


def read_boxes() -> dict[str, Box]:
    """Every package and module directly under the root, by name."""
    boxes = {}
    for path in sorted(SOURCE.iterdir()):
        if path.is_dir() and (path / "__init__.py").exists():
            parts = sorted(
                child.name for child in path.iterdir()
                if child.name not in NOT_PARTS and (child / "__init__.py").exists()
            )  # fmt: skip
            boxes[path.name] = Box(path.name, True, first_sentence(path / "__init__.py"), parts)
        elif path.suffix == ".py" and path.stem != "__init__":
            boxes[path.stem] = Box(path.stem, False, first_sentence(path), [])
    return boxes


def first_sentence(path: Path) -> str:
    """The first sentence of a module's docstring."""
    text = " ".join((ast.get_docstring(ast.parse(path.read_text())) or "").split())
    return text.split(". ")[0].rstrip(".")


def read_imports(names: Iterable[str]) -> Graph:
    """Which box imports which others."""
    known = set(names)
    graph: Graph = {name: set() for name in sorted(known)}
    for path in sorted(SOURCE.rglob("*.py")):
        first = path.relative_to(SOURCE).parts[0]
        owner = first.removesuffix(".py")
        if owner in known:
            graph[owner] |= set(imported(ast.parse(path.read_text()), known)) - {owner}
    return graph


def imported(tree: ast.AST, known: set[str]) -> Iterator[str]:
    """The boxes that a module imports; what only a type checker sees does not count."""
    if isinstance(tree, ast.If) and ast.unparse(tree.test).endswith("TYPE_CHECKING"):
        return
    if isinstance(tree, ast.Import):
        yield from (parts[1] for alias in tree.names if (parts := alias.name.split("."))[0] == ROOT and len(parts) > 1)
    elif isinstance(tree, ast.ImportFrom) and tree.level == 0 and (tree.module or "").split(".")[0] == ROOT:
        below = (tree.module or "").split(".")[1:]
        yield from below[:1] if below else (alias.name for alias in tree.names if alias.name in known)
    for child in ast.iter_child_nodes(tree):
        yield from imported(child, known)


def reachable(graph: Graph, start: str) -> set[str]:
    """Everything that `start` imports, directly or through others."""
    seen: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend(graph[name])
    return seen


def grouped(graph: Graph) -> tuple[dict[str, list[str]], Graph]:
    """Put boxes that import each other into one group, named by its first; return the groups and their imports."""
    reach = {name: reachable(graph, name) for name in graph}
    group_of = {name: min([name, *(other for other in reach[name] if name in reach[other])]) for name in graph}
    members: dict[str, list[str]] = defaultdict(list)
    for name in sorted(graph):
        members[group_of[name]].append(name)
    between: Graph = {group: set() for group in members}
    for name, others in graph.items():
        between[group_of[name]] |= {group_of[other] for other in others} - {group_of[name]}
    return dict(members), between


def without_shortcuts(graph: Graph) -> Graph:
    """Leave out each arrow to what another arrow leads to anyway. The graph must have no circle."""
    reach = {name: reachable(graph, name) for name in graph}
    return {
        name: {other for other in others if not any(other in reach[third] for third in others - {other})}
        for name, others in graph.items()
    }


def layers_of(graph: Graph) -> dict[str, int]:
    """How high each group lies: 0 imports nothing, others one above the highest that they import."""
    layers: dict[str, int] = {}

    def layer(name: str) -> int:
        if name not in layers:
            layers[name] = 1 + max((layer(other) for other in graph[name]), default=-1)
        return layers[name]

    for name in sorted(graph):
        layer(name)
    # Who imports little would lie at the bottom, far from those who import it: up to just below the lowest of them.
    for name in sorted(graph, key=lambda name: -layers[name]):
        above = [layers[other] for other in graph if name in graph[other]]
        if above:
            layers[name] = min(above) - 1
    return layers


def placed(members: dict[str, list[str]], graph: Graph, boxes: dict[str, Box]) -> tuple[list[list[Place]], Graph]:
    """Rows of places from top to bottom, and the steps between neighbouring rows, with lanes for long arrows."""
    layers = layers_of(graph)
    places = {name: Place(name, layers[name], [boxes[box] for box in members[name]]) for name in sorted(members)}
    steps: Graph = defaultdict(set)
    for name in sorted(graph):
        for other in sorted(graph[name]):
            previous = name
            for layer in range(layers[name] - 1, layers[other], -1):
                # Arrows to one box share their lanes.
                lane = f"{other}@{layer}"
                places.setdefault(lane, Place(lane, layer))
                steps[previous].add(lane)
                previous = lane
            steps[previous].add(other)
    rows = [
        [place for place in places.values() if place.layer == layer] for layer in range(max(layers.values()), -1, -1)
    ]
    return rows, steps


def arrange(rows: list[list[Place]], steps: Graph) -> None:
    """Order the rows so that few arrows cross, and give every place its x and y."""
    below = {place.key: steps.get(place.key, set()) for row in rows for place in row}
    above: Graph = {key: {other for other, ends in below.items() if key in ends} for key in below}
    at = {place.key: place for row in rows for place in row}
    for row in rows:
        row.sort(key=lambda place: place.key)
        spread(row)
    for turn in range(24):
        neighbours, order = (above, rows) if turn % 2 == 0 else (below, rows[::-1])
        for row in order:
            wanted = {place.key: mean([at[key].x for key in neighbours[place.key]], place.x) for place in row}
            row.sort(key=lambda place: (wanted[place.key], place.key))
            spread(row, wanted)
    left = min(place.x - place.width / 2 for row in rows for place in row)
    y = float(MARGIN)
    for row in rows:
        tallest = max(place.height for place in row)
        for place in row:
            place.x += MARGIN - left
            place.row_height = tallest
            place.y = y
        y += tallest + ROW_GAP


def mean(values: list[float], otherwise: float) -> float:
    """The arithmetic mean, or `otherwise` of nothing."""
    # Exact: the order of a set must not show in the last digit.
    return math.fsum(values) / len(values) if values else otherwise


def spread(row: list[Place], wanted: dict[str, float] | None = None) -> None:
    """Put a row's places side by side without touching, as near as may be to where they are wanted."""
    gaps = [(a.width + b.width) / 2 + GAP for a, b in pairwise(row)]
    offsets = [sum(gaps[:i]) for i in range(len(row))]
    aims = [(wanted or {}).get(place.key, 0.0) - offset for place, offset in zip(row, offsets, strict=True)]
    # Isotonic regression: neighbours that would overlap move together.
    blocks: list[tuple[float, int]] = []
    for aim in aims:
        blocks.append((aim, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (b, n), (a, m) = blocks.pop(), blocks.pop()
            blocks.append(((a * m + b * n) / (m + n), m + n))
    starts = [value for value, count in blocks for _ in range(count)]
    for place, offset, start in zip(row, offsets, starts, strict=True):
        place.x = start + offset


def drawn(rows: list[list[Place]], steps: Graph) -> str:
    """The picture."""
    places = {place.key: place for row in rows for place in row}
    width = max(place.x + place.width / 2 for place in places.values()) + MARGIN
    height = max(place.y + place.height for place in places.values()) + MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img"',
        '     font-family="system-ui, sans-serif" font-size="11">',
        "<title>The packages of Bluezone: each lies above what it imports</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">',
        '<path d="M0 0 8 4 0 8z" fill="#5b6b80"/></marker></defs>',
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#fff"/>',
    ]
    for key in sorted(steps):
        lines += [arrow(places[key], places[other]) for other in sorted(steps[key])]
    for key in sorted(places):
        lines += draw_place(places[key])
    return "\n".join([*lines, "</svg>", ""])


def arrow(upper: Place, lower: Place) -> str:
    """One step of an arrow; only its last step, into a box, has a tip."""
    start, end = upper.y + upper.row_height, lower.y
    bend = (end - start) / 2
    tip = ' marker-end="url(#tip)"' if lower.boxes else ""
    path = f"M{upper.x:.1f} {upper.y + upper.height:.1f}V{start:.1f}C{upper.x:.1f} {start + bend:.1f} "
    path += f"{lower.x:.1f} {end - bend:.1f} {lower.x:.1f} {end:.1f}"
    if not lower.boxes:
        path += f"V{end + lower.height:.1f}"
    return f'<path d="{path}" fill="none" stroke="#5b6b80" stroke-width="1.3"{tip}/>'


def draw_place(place: Place) -> list[str]:
    """The boxes of a place, in a frame where they import each other."""
    lines = []
    left, top = place.x - place.width / 2, place.y
    if place.framed:
        lines.append(
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{place.width}" height="{place.height}" rx="12" fill="#fff" '
            'stroke="#b45309" stroke-dasharray="5 4"/>'
        )
        lines.append(
            f'<text x="{place.x:.1f}" y="{top + place.height - 9:.1f}" text-anchor="middle" fill="#b45309">'
            "these import each other</text>"
        )
        left, top = left + FRAME, top + FRAME
    for box in place.boxes:
        lines += draw_box(box, left, top)
        left += box.width + GAP // 2
    return lines


def draw_box(box: Box, left: float, top: float) -> list[str]:
    """A rectangle with the name, its sentence and its parts."""
    fill, edge = ("#eef4ff", "#0b4fc4") if box.is_package else ("#f6f7f9", "#8a97a8")
    said, parts = box.lines()
    y = top + PADDING + 11
    lines = [
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{box.width}" height="{box.height}" rx="8" fill="{fill}" '
        f'stroke="{edge}"/>',
        text(
            box.name if box.is_package else f"{box.name}.py", left, y, 'font-size="13" font-weight="700" fill="#10243f"'
        ),
    ]
    for line in said:
        y += LINE_HEIGHT
        lines.append(text(line, left, y, 'fill="#33455c"'))
    for line in parts:
        y += LINE_HEIGHT
        lines.append(text(line, left, y, 'fill="#0b4fc4"'))
    return lines


def text(words: str, left: float, y: float, look: str) -> str:
    """One line of text inside a box."""
    return f'<text x="{left + PADDING:.1f}" y="{y:.1f}" {look}>{escape(words, quote=False)}</text>'


def picture() -> str:
    """The picture of the source as it is now."""
    boxes = read_boxes()
    members, between = grouped(read_imports(boxes))
    rows, steps = placed(members, without_shortcuts(between), boxes)
    arrange(rows, steps)
    return drawn(rows, steps)


def main() -> int:
    """Write the picture, or with --check compare it with the one that is there."""
    if sys.argv[1:] not in ([], ["--check"]):
        print("usage: architecture_picture.py [--check]", file=sys.stderr)
        return 2
    new = picture()
    if not sys.argv[1:]:
        PICTURE.write_text(new)
        return 0
    if PICTURE.exists() and PICTURE.read_text() == new:
        return 0
    print(f"{PICTURE.relative_to(REPOSITORY)} is out of date; run tools/architecture_picture.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
