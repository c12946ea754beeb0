# SPDX-License-Identifier: Apache-2.0
"""The ruled tables of a PDF page, found by the lines that are drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# Rules are followed for tables alone; a page with more of them is a drawing.
_MOST_RULES = 1_000
Matrix = tuple[float, float, float, float, float, float]
IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


@dataclass(frozen=True)
class Grid:
    """A ruled table: its column edges from left to right, its row edges from above."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]

    def holds(self, x: float, y: float) -> bool:
        """Return whether a point lies within the table."""
        return self.ys[-1] < y < self.ys[0] and self.xs[0] < x < self.xs[-1]


def numbers_of(operands: Any) -> Matrix:
    a, b, c, d, e, f = (float(number) for number in operands)
    return a, b, c, d, e, f


def product(one: Matrix, other: Matrix) -> Matrix:
    a, b, c, d, e, f = one
    g, h, i, j, k, m = other
    return a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m


def find_grids(operations: Sequence[tuple[Any, bytes]]) -> list[Grid]:
    """Tables by their rules: level and upright strokes, or thin boxes, that touch one another."""
    level, upright = _rules(operations)
    if not level or not upright:
        return []
    # As boxes (x0, y0, x1, y1), a little larger than they are, so that those that meet overlap.
    boxes = [(x0 - 2, y - 2, x1 + 2, y + 2) for y, x0, x1 in level]
    boxes += [(x - 2, y0 - 2, x + 2, y1 + 2) for x, y0, y1 in upright]
    grids: list[Grid] = []
    waiting = set(range(len(boxes)))
    while waiting:
        together, edge = set[int](), [waiting.pop()]
        while edge:
            at = edge.pop()
            together.add(at)
            x0, y0, x1, y1 = boxes[at]
            meeting = [
                other
                for other in waiting
                if boxes[other][0] < x1 and x0 < boxes[other][2] and boxes[other][1] < y1 and y0 < boxes[other][3]
            ]
            waiting.difference_update(meeting)
            edge += meeting
        ys = _distinct([level[at][0] for at in together if at < len(level)])
        xs = _distinct([upright[at - len(level)][0] for at in together if at >= len(level)])
        if len(xs) >= 4 and len(ys) >= 2:
            grids.append(Grid(tuple(xs), tuple(reversed(ys))))
    return grids


def _distinct(values: Sequence[float]) -> list[float]:
    found: list[float] = []
    for value in sorted(values):
        if not found or value - found[-1] > 4:
            found.append(value)
    return found


Rule = tuple[float, float, float]
Point = tuple[float, float]
_THICKEST = 2.5
_DRAWING = (b"q", b"Q", b"cm", b"re", b"m", b"l")


class _Ruler:
    """Follows the operators that draw lines, and keeps those that are level or upright."""

    def __init__(self) -> None:
        self.matrix: Matrix = IDENTITY
        self.stack: list[Matrix] = []
        self.level: list[Rule] = []
        self.upright: list[Rule] = []
        self.at: Point | None = None

    def take(self, operator: bytes, numbers: list[float]) -> None:
        """Follow one operator with its numbers."""
        match operator, numbers:
            case b"q", _:
                self.stack.append(self.matrix)
            case b"Q", _ if self.stack:
                self.matrix = self.stack.pop()
            case b"cm", [_, _, _, _, _, _]:
                self.matrix = product(numbers_of(numbers), self.matrix)
            case b"re", [x, y, width, height]:
                self._box(self._placed(x, y), self._placed(x + width, y + height))
            case b"m", [x, y]:
                self.at = self._placed(x, y)
            case b"l", [x, y]:
                to = self._placed(x, y)
                if self.at is not None:
                    self._line(self.at, to)
                self.at = to

    def _placed(self, x: float, y: float) -> Point:
        a, b, c, d, e, f = self.matrix
        return x * a + y * c + e, x * b + y * d + f

    def _box(self, corner: Point, other: Point) -> None:
        """A thin box is a rule; a larger one is four, which no text crosses, stroked or not."""
        if abs(other[0] - corner[0]) <= _THICKEST or abs(other[1] - corner[1]) <= _THICKEST:
            self._line(corner, other)
            return
        for y in (corner[1], other[1]):
            self._line((corner[0], y), (other[0], y))
        for x in (corner[0], other[0]):
            self._line((x, corner[1]), (x, other[1]))

    def _line(self, a: Point, b: Point) -> None:
        (x0, x1), (y0, y1) = sorted((a[0], b[0])), sorted((a[1], b[1]))
        if y1 - y0 <= _THICKEST and x1 - x0 > 12:
            self.level.append(((y0 + y1) / 2, x0, x1))
        elif x1 - x0 <= _THICKEST and y1 - y0 > 6:
            self.upright.append(((x0 + x1) / 2, y0, y1))


def _rules(operations: Sequence[tuple[Any, bytes]]) -> tuple[list[Rule], list[Rule]]:
    """Level rules as (y, x0, x1) and upright ones as (x, y0, y1), in points of the page; none of a drawing."""
    ruler = _Ruler()
    for operands, operator in operations:
        if operator in _DRAWING:
            try:
                ruler.take(operator, [float(number) for number in operands])
            except (TypeError, ValueError):
                continue
        if len(ruler.level) + len(ruler.upright) > _MOST_RULES:
            return [], []
    return ruler.level, ruler.upright
