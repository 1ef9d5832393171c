"""Lay out a directed graph in ranks: what is used stands below what uses it.

The method is that of Sugiyama, Tagawa and Toda (1981):

1. A node's rank is its longest way from the top.
2. An edge over several ranks gets a bend in each rank between.
3. Sweeps down and up order the nodes of each rank by the middle of their neighbours; the order with the fewest
   crossings stays.
4. Sweeps move each rank's nodes towards their neighbours, as far as the order and the widths let them (isotonic
   regression, by pooling adjacent violators).
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, insort
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

GAP: Final = 10.0
BEND_WIDTH: Final = 6.0
ORDER_SWEEPS: Final = 12
PLACE_SWEEPS: Final = 24
STRAIGHT: Final = 4.0  # how much more an edge between two bends pulls than one between two nodes

Edge = tuple[str, str]
Bend = tuple[int, int]  # the number of its edge, and its rank
Vertex = str | Bend


@dataclass(frozen=True)
class Placed:
    """Where everything stands: the middle of each node, its rank, and the middles of each edge's bends."""

    x: Mapping[str, float]
    rank: Mapping[str, int]
    bends: Mapping[Edge, Sequence[tuple[float, int]]]
    width: float

    @property
    def ranks(self) -> int:
        """The number of ranks."""
        return max(self.rank.values(), default=-1) + 1


def place(widths: Mapping[str, float], edges: Sequence[Edge]) -> Placed:
    """Return a layout. ``widths`` are the nodes; an edge leads from a node to one below it.

    :raises ValueError: the edges go round in a circle
    """
    rank = _ranks(widths, edges)
    layers = _Layers(widths, edges, rank)
    layers.order()
    x = layers.positions()
    left = min((x[name] - widths[name] / 2 for name in widths), default=0.0)
    moved = {vertex: value - left for vertex, value in x.items()}
    right = max((value + layers.width(vertex) / 2 for vertex, value in moved.items()), default=0.0)
    bends = {edge: [(moved[bend], bend[1]) for bend in layers.bends[edge]] for edge in edges}
    return Placed({name: moved[name] for name in widths}, rank, bends, right)


def _ranks(widths: Mapping[str, float], edges: Sequence[Edge]) -> dict[str, int]:
    below: dict[str, list[str]] = {name: [] for name in widths}
    above = dict.fromkeys(widths, 0)
    for upper, lower in edges:
        below[upper].append(lower)
        above[lower] += 1
    rank = dict.fromkeys(widths, 0)
    ready = [name for name, count in above.items() if count == 0]
    done = 0
    while ready:
        upper = ready.pop()
        done += 1
        for lower in below[upper]:
            rank[lower] = max(rank[lower], rank[upper] + 1)
            above[lower] -= 1
            if above[lower] == 0:
                ready.append(lower)
    if done < len(rank):
        raise ValueError("the edges go round in a circle")
    return rank


class _Layers:
    """The ranks of a graph, each from left to right."""

    def __init__(self, widths: Mapping[str, float], edges: Sequence[Edge], rank: Mapping[str, int]) -> None:
        self._widths = widths
        self.bends: dict[Edge, list[Bend]] = {}
        self._above: dict[Vertex, list[Vertex]] = {name: [] for name in widths}
        self._below: dict[Vertex, list[Vertex]] = {name: [] for name in widths}
        for number, (upper, lower) in enumerate(edges):
            chain = [(number, at) for at in range(rank[upper] + 1, rank[lower])]
            self.bends[upper, lower] = chain
            way: list[Vertex] = [upper, *chain, lower]
            for one, other in itertools.pairwise(way):
                self._below.setdefault(one, []).append(other)
                self._above.setdefault(other, []).append(one)
        self._rows: list[list[Vertex]] = [[] for _ in range(max(rank.values(), default=-1) + 1)]
        for vertex in self._from_the_top(rank):
            self._rows[rank[vertex] if isinstance(vertex, str) else vertex[1]].append(vertex)

    def width(self, vertex: Vertex) -> float:
        """Return the width of a node or a bend."""
        return self._widths[vertex] if isinstance(vertex, str) else BEND_WIDTH

    def order(self) -> None:
        """Order each rank so that few edges cross."""
        best, fewest = [list(row) for row in self._rows], self._crossings()
        for sweep in range(ORDER_SWEEPS):
            if fewest == 0:
                break
            downwards = sweep % 2 == 0
            rows = self._rows[1:] if downwards else self._rows[-2::-1]
            fixed = self._rows[0] if downwards else self._rows[-1]
            for row in rows:
                at = {vertex: float(place) for place, vertex in enumerate(fixed)}
                neighbours = self._above if downwards else self._below
                row.sort(key=_middle_of(row, neighbours, at))
                fixed = row
            crossings = self._crossings()
            if crossings < fewest:
                best, fewest = [list(row) for row in self._rows], crossings
        self._rows = best

    def positions(self) -> dict[Vertex, float]:
        """Return the middle of each node and bend."""
        x: dict[Vertex, float] = {}
        for row in self._rows:
            at = 0.0
            for vertex in row:
                x[vertex] = at + self.width(vertex) / 2
                at += self.width(vertex) + GAP
        for sweep in range(PLACE_SWEEPS):
            rows = self._rows if sweep % 2 == 0 else self._rows[::-1]
            sides: tuple[dict[Vertex, list[Vertex]], ...] = (self._above,) if sweep % 2 == 0 else (self._below,)
            if sweep >= PLACE_SWEEPS - 4:  # the last ones look both ways
                sides = (self._above, self._below)
            for row in rows:
                self._settle(row, x, sides)
        return x

    def _settle(
        self, row: Sequence[Vertex], x: dict[Vertex, float], sides: Sequence[Mapping[Vertex, Sequence[Vertex]]]
    ) -> None:
        """Move a rank's nodes as near to their neighbours as the order and the widths let them."""
        offset, offsets = 0.0, []
        for left, right in zip([None, *row], row, strict=False):
            offset += 0.0 if left is None else (self.width(left) + self.width(right)) / 2 + GAP
            offsets.append(offset)
        wished, weights = [], []
        for vertex, shift in zip(row, offsets, strict=True):
            pulls = [
                (x[other], STRAIGHT if not isinstance(vertex, str) and not isinstance(other, str) else 1.0)
                for side in sides
                for other in side.get(vertex, ())
            ]
            weight = sum(pull for _, pull in pulls)
            middle = sum(at * pull for at, pull in pulls) / weight if pulls else x[vertex]
            wished.append(middle - shift)
            weights.append(weight or 0.01)
        for vertex, shift, at in zip(row, offsets, _increasing(wished, weights), strict=True):
            x[vertex] = at + shift

    def _crossings(self) -> int:
        total = 0
        for upper, lower in zip(self._rows, self._rows[1:], strict=False):
            at = {vertex: place for place, vertex in enumerate(lower)}
            seen: list[int] = []
            for vertex in upper:
                ends = sorted(at[other] for other in self._below.get(vertex, ()))
                total += sum(len(seen) - bisect_left(seen, end + 1) for end in ends)
                for end in ends:
                    insort(seen, end)
        return total

    def _from_the_top(self, rank: Mapping[str, int]) -> Sequence[Vertex]:
        """Return all vertices, each soon after one that stands above it, so that the first order is a good one."""
        seen: dict[Vertex, None] = {}
        stack: list[Vertex] = sorted((name for name in rank if rank[name] == 0), reverse=True)
        while stack:
            vertex = stack.pop()
            if vertex not in seen:
                seen[vertex] = None
                stack += reversed(self._below.get(vertex, []))
        return list(seen)


def _middle_of(
    row: Sequence[Vertex], neighbours: Mapping[Vertex, Sequence[Vertex]], at: Mapping[Vertex, float]
) -> Callable[[Vertex], float]:
    """Return the key to sort a rank by: the mean place of a vertex's neighbours, or its own without any."""
    own = {vertex: float(place) for place, vertex in enumerate(row)}

    def middle(vertex: Vertex) -> float:
        places = [at[other] for other in neighbours.get(vertex, ())]
        return sum(places) / len(places) if places else own[vertex]

    return middle


def _increasing(wished: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Return the numbers nearest to ``wished``, by weighted squares, that never decrease."""
    blocks: list[tuple[float, float, int]] = []  # mean, weight, length
    for wish, weight in zip(wished, weights, strict=True):
        block = (wish, weight, 1)
        while blocks and blocks[-1][0] > block[0]:
            mean, heavy, length = blocks.pop()
            total = heavy + block[1]
            block = ((mean * heavy + block[0] * block[1]) / total, total, length + block[2])
        blocks.append(block)
    return [mean for mean, _, length in blocks for _ in range(length)]
