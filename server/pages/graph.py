"""The computation graph of an exercise as a drawing: the loss on top, the data at the bottom.

The layout is worked out here, and once for a revision: an exercise comes from any pack that is installed, so nothing
that is built with the pages could know it. 300 steps take less than half a second.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from exercises.exercise import Exercise
from server.pages import layered
from server.pages.marks import WORDS, Mark, mark_of
from server.submissions.schemas import ComparisonBody

NODE_HEIGHT: Final = 22.0
RANK_HEIGHT: Final = 34.5
LETTER: Final = 7.0  # the width of a letter at 11.5 px
BESIDE_NAME: Final = 32.0  # the mark, and the ends of the box
MARGIN: Final = 4.0
LABEL: Final = 62.0  # what stands beside a path that was left out
LARGE: Final = 60  # more nodes than this are an overview that zooms
TALL: Final = 960.0  # so is a graph of more pixels: shrunk into its pane, its names would have 9 pixels
MINI_STEP: Final = (15.0, 14.0)
LAYOUTS_MAX: Final = 256
RAMP: Final = (40, 60, 75, 88)  # percent, where the next colour begins
MISSING_TERM: Final = "missing_term"
PASSED: Final = frozenset({Mark.EXACT, Mark.APPROXIMATE, Mark.ROUNDING})
GIVEN: Final = "given"


@dataclass(frozen=True)
class Node:
    """A tensor of the forward pass: where it stands, and the steps that use it. ``is_step`` if it is asked for."""

    name: str
    x: float
    rank: int
    width: float
    is_step: bool
    used_by: tuple[str, ...]

    @property
    def y(self) -> float:
        """The top of its box."""
        return MARGIN + self.rank * RANK_HEIGHT

    @property
    def left(self) -> float:
        """The left end of its box."""
        return self.x - self.width / 2


@dataclass(frozen=True)
class Edge:
    """A tensor and a step that uses it; the way between them, from the lower end up."""

    lower: str
    upper: str
    points: tuple[tuple[float, float], ...]

    @property
    def path(self) -> str:
        """The way as SVG: a curve from rank to rank, straight where both ends stand in line."""
        (x, y), *rest = self.points
        words = [f"M{_short(x)} {_short(y)}"]
        for x1, y1 in rest:
            if abs(x1 - x) < 0.05 or abs(y1 - y) < 0.05:
                words.append(f"L{_short(x1)} {_short(y1)}")
            else:
                middle = _short((y + y1) / 2)
                words.append(f"C{_short(x)} {middle} {_short(x1)} {middle} {_short(x1)} {_short(y1)}")
            x, y = x1, y1
        return "".join(words)


@dataclass(frozen=True)
class Layout:
    """Where the nodes and edges of an exercise stand, in pixels."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    width: float
    height: float

    @property
    def is_large(self) -> bool:
        """Whether the names cannot be read when the whole is looked at."""
        return len(self.nodes) > LARGE or self.height > TALL


@dataclass(frozen=True)
class NodeShown:
    """A node with its mark or rate. ``mark`` is one of the marks of pages, ``given`` for what is not asked for."""

    node: Node
    mark: str
    label: str
    rate: int | None = None

    @property
    def classes(self) -> str:
        """The class of its link."""
        return f"n-{self.mark}" if self.rate is None else f"h{ramp(self.rate)}"


@dataclass(frozen=True)
class EdgeShown:
    """An edge with its state: empty, ``inherited``, ``missing`` or ``lost``."""

    edge: Edge
    state: str

    @property
    def cross(self) -> tuple[float, float]:
        """Where the cross of a lost path stands."""
        (x0, y0), (x1, y1) = self.edge.points[:2]
        return round((x0 + x1) / 2, 1), round((y0 + y1) / 2, 1)


@dataclass(frozen=True)
class GraphShown:
    """A graph as a page shows it; ``label`` is read aloud."""

    layout: Layout
    nodes: tuple[NodeShown, ...]
    edges: tuple[EdgeShown, ...]
    label: str
    chosen: str | None = None
    first_lost: EdgeShown | None = None

    @property
    def view_box(self) -> str:
        """The part of the plane that is shown, with room for the label of a lost path."""
        width = self.layout.width
        if self.first_lost is not None:
            width = max(width, self.first_lost.cross[0] + 10 + LABEL + 40)
        return f"-2 -2 {_short(width + 6)} {_short(self.layout.height + 6)}"


def ramp(rate: int) -> int:
    """Return which of the five colours a share in percent has, 0 for the smallest."""
    return sum(rate >= bound for bound in RAMP)


def layout_of(exercise: Exercise) -> Layout:
    """Return the layout of an exercise; it is worked out once for a revision.

    :raises BadForwardPass: the text of the forward pass cannot be read
    """
    return _layout(exercise.forward.text, tuple(each.name for each in exercise.checkpoints))


def reads(forward: str) -> dict[str, tuple[str, ...]]:
    """Return step → the names that its line reads, in the order of the text."""
    lines: dict[str, tuple[str, ...]] = {}
    for statement in ast.parse(forward).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            names = sorted(
                (node for node in ast.walk(statement.value) if isinstance(node, ast.Name)),
                key=lambda node: (node.lineno, node.col_offset),
            )
            lines[statement.targets[0].id] = tuple(dict.fromkeys(node.id for node in names))
    return lines


@lru_cache(LAYOUTS_MAX)
def _layout(forward: str, steps: tuple[str, ...]) -> Layout:
    lines = reads(forward)
    known = {*lines, *steps}
    used: dict[str, list[str]] = {}
    for step, names in lines.items():
        # What is neither computed nor asked for stands at the bottom, below the first line that reads it.
        computed = any(name in lines for name in names)
        for name in names:
            if name in known or (not computed and _is_data(name, names, known)):
                used.setdefault(name, []).append(step)
    drawn = [*reversed(lines), *(name for name in used if name not in lines)]
    widths = {name: LETTER * len(name) + BESIDE_NAME for name in drawn}
    ways = [(upper, lower) for lower, uppers in used.items() for upper in uppers]
    placed = layered.place(widths, ways)
    nodes = tuple(
        Node(name, placed.x[name] + MARGIN, placed.rank[name], widths[name], name in steps, tuple(used.get(name, ())))
        for name in drawn
    )
    by_name = {node.name: node for node in nodes}
    edges = tuple(_edge(by_name[lower], by_name[upper], placed.bends[upper, lower]) for upper, lower in ways)
    height = 2 * MARGIN + (placed.ranks - 1) * RANK_HEIGHT + NODE_HEIGHT
    return Layout(nodes, edges, placed.width + 2 * MARGIN, height)


def _is_data(name: str, names: Sequence[str], known: set[str]) -> bool:
    """Whether a name is drawn though nobody asks for it: an index such as ``Xb``; no module, function or number."""
    return name not in ("torch", "F", "math", "range", "len", "n", "vocab_size") and bool(known & set(names))


def _edge(lower: Node, upper: Node, bends: Sequence[tuple[float, int]]) -> Edge:
    points = [(_towards(lower, bends[-1][0] + MARGIN if bends else upper.x), lower.y)]
    for x, rank in reversed(bends):
        top = MARGIN + rank * RANK_HEIGHT
        points += [(x + MARGIN, top + NODE_HEIGHT), (x + MARGIN, top)]
    points.append((_towards(upper, bends[0][0] + MARGIN if bends else lower.x), upper.y + NODE_HEIGHT))
    return Edge(lower.name, upper.name, tuple(points))


def _towards(node: Node, x: float) -> float:
    """Return where an edge meets a node's box: a little towards its other end."""
    reach = max(node.width / 2 - 12, 0)
    return node.x + max(-reach, min(reach, (x - node.x) * 0.35))


def by_verdicts(
    exercise: Exercise, rows: Mapping[str, ComparisonBody], lines: Mapping[str, str], chosen: str | None = None
) -> GraphShown:
    """Return the graph coloured and marked by verdicts. A step without a row is not there.

    :param lines: step → its line of the forward pass; a hint that shows one names the path that was left out.
    """
    layout = layout_of(exercise)
    marks = {
        node.name: mark_of(row.verdict, row.origin) if (row := rows.get(node.name)) else Mark.MISSING
        for node in layout.nodes
        if node.is_step
    }
    lost = {(name, upper) for name, row in rows.items() for upper in lost_paths(layout, row, lines)}
    edges = tuple(EdgeShown(edge, _state(edge, marks, lost)) for edge in layout.edges)
    nodes = tuple(
        NodeShown(node, marks[node.name], f"{node.name}, {WORDS[marks[node.name]]}")
        if node.is_step
        else NodeShown(node, GIVEN, f"{node.name}, {GIVEN}")
        for node in layout.nodes
    )
    passed = sum(mark in PASSED for mark in marks.values())
    label = f"Computation graph, the loss on top, the data at the bottom: {passed} of {len(marks)} steps pass"
    return GraphShown(layout, nodes, edges, label, chosen, next((each for each in edges if each.state == "lost"), None))


def by_rates(
    exercise: Exercise, rates: Mapping[str, int | None], meaning: str, chosen: str | None = None
) -> GraphShown:
    """Return the graph coloured by a share in percent for each step; None where there is nothing to count.

    :param meaning: what the share is, as the end of "86 probs, percent …".
    """
    layout = layout_of(exercise)
    nodes = []
    for node in layout.nodes:
        rate = rates.get(node.name) if node.is_step else None
        if rate is None:
            label = f"{node.name}, {'nothing yet' if node.is_step else 'given'}"
            nodes.append(NodeShown(node, Mark.MISSING if node.is_step else GIVEN, label))
        else:
            nodes.append(NodeShown(node, Mark.EXACT, f"{rate} {node.name}, percent {meaning}", rate))
    edges = tuple(EdgeShown(edge, "") for edge in layout.edges)
    return GraphShown(layout, tuple(nodes), edges, f"Computation graph: percent {meaning}", chosen)


def lost_paths(layout: Layout, row: ComparisonBody, lines: Mapping[str, str]) -> list[str]:
    """Return the steps through which a gradient misses a path, as far as the hints shown name their lines."""
    shown = " ".join(hint for each in row.diagnosis if each.code == MISSING_TERM for hint in each.hints)
    if not shown:
        return []
    node = next((node for node in layout.nodes if node.name == row.name), None)
    return [step for step in (node.used_by if node else ()) if lines.get(step) and lines[step] in shown]


def _state(edge: Edge, marks: Mapping[str, Mark], lost: set[tuple[str, str]]) -> str:
    if (edge.lower, edge.upper) in lost:
        return "lost"
    if marks.get(edge.lower) is Mark.MISSING:
        return "missing"
    if marks.get(edge.lower) is Mark.INHERITED and marks.get(edge.upper) in (Mark.OWN, Mark.INHERITED):
        return "inherited"
    return ""


@dataclass(frozen=True)
class MiniNode:
    """A mark of the small graph; ``mark`` is empty for what is not asked for."""

    mark: str
    x: float
    y: float


@dataclass(frozen=True)
class MiniGraph:
    """The same layout on its side, from the loss to the data, marks only."""

    nodes: tuple[MiniNode, ...]
    edges: tuple[str, ...]
    width: float
    height: float
    label: str


def mini(exercise: Exercise, marks: Mapping[str, Mark], label: str) -> MiniGraph:
    """Return the small graph of an exercise. ``marks`` are by step; a step without one is not there."""
    layout = layout_of(exercise)
    step, room = MINI_STEP
    ranks = max(node.rank for node in layout.nodes)
    squeeze = min(room / 24.0, 66.0 / max(layout.width - 60.0, 1.0))
    at = {
        node.name: (8 + node.rank * step, round(8 + (layout.width - node.x - 30) * squeeze, 1)) for node in layout.nodes
    }
    edges = []
    for edge in layout.edges:
        (x0, y0), (x1, y1) = at[edge.lower], at[edge.upper]
        edges.append(
            f"M{_short(x0)} {_short(y0)}C{_short((x0 + x1) / 2)} {_short(y0)} "
            f"{_short((x0 + x1) / 2)} {_short(y1)} {_short(x1)} {_short(y1)}"
        )
    nodes = tuple(MiniNode(marks.get(node.name, Mark.MISSING), *at[node.name]) for node in layout.nodes if node.is_step)
    height = max(y for _, y in at.values()) + 8
    return MiniGraph(nodes, tuple(edges), 16 + ranks * step, height, label)


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
