"""Two sources side by side, and as one: which lines are gone, which are new."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from markupsafe import Markup

from server.pages.source import CodeLine, lines_of

LINES_MAX: Final = 1_000
MATCHES_MAX: Final = 50_000  # pairs of lines that are the same; two lines that take turns 1,000 times cost 5 s
AROUND: Final = 3  # lines that are the same, shown on both sides of a change
FOLDED_MIN: Final = 3


@dataclass(frozen=True)
class Side:
    """A line of one source: its number, its content as HTML, and whether it changed."""

    number: int
    content: Markup
    is_changed: bool


@dataclass(frozen=True)
class Pair:
    """Lines that stand side by side. ``folded`` counts lines that are the same and left out; then both are None."""

    one: Side | None
    other: Side | None
    folded: int = 0


@dataclass(frozen=True)
class Unified:
    """A line of both sources as one: ``sign`` is ``-``, ``+`` or a blank; empty where ``folded`` lines are left out."""

    sign: str
    side: Side | None
    folded: int = 0


def pairs_of(one: str, other: str, steps: frozenset[str]) -> list[Pair] | None:
    """Return two sources side by side; None if to compare them would take longer than a page may."""
    before, after = lines_of(one, steps), lines_of(other, steps)
    if max(len(before), len(after)) > LINES_MAX:
        return None
    first, second = one.splitlines(), other.splitlines()
    if (len(first), len(second)) != (len(before), len(after)):  # breaks that Python's own lines do not have
        first, second = [str(each.content) for each in before], [str(each.content) for each in after]
    counts = Counter(second)
    if sum(counts[line] for line in first) > MATCHES_MAX:
        return None
    pairs: list[Pair] = []
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    operations = matcher.get_opcodes()
    for number, (kind, a, b, c, d) in enumerate(operations):
        if kind == "equal":
            same = [Pair(_side(x), _side(y)) for x, y in zip(before[a:b], after[c:d], strict=True)]
            pairs += _folded(same, is_first=number == 0, is_last=number == len(operations) - 1)
            continue
        gone, new = [_side(each, True) for each in before[a:b]], [_side(each, True) for each in after[c:d]]
        for place in range(max(len(gone), len(new))):
            pairs.append(Pair(_at(gone, place), _at(new, place)))
    return pairs


def unified(pairs: Sequence[Pair]) -> Iterator[Unified]:
    """Yield the same as one text: within each change, what is gone comes before what is new."""
    new: list[Side] = []
    for pair in pairs:
        is_change = not pair.folded and (pair.one is None or pair.other is None or pair.one.is_changed)
        if not is_change:
            yield from (Unified("+", each) for each in new)
            new = []
            yield Unified("" if pair.folded else " ", pair.other, pair.folded)
            continue
        if pair.one is not None:
            yield Unified("-", pair.one)
        if pair.other is not None:
            new.append(pair.other)
    yield from (Unified("+", each) for each in new)


def _side(line: CodeLine, is_changed: bool = False) -> Side:
    return Side(line.number, line.content, is_changed)


def _at(sides: Sequence[Side], place: int) -> Side | None:
    return sides[place] if place < len(sides) else None


def _folded(same: list[Pair], *, is_first: bool, is_last: bool) -> list[Pair]:
    """Return lines that are the same, without those far from any change."""
    head, tail = (0 if is_first else AROUND), (0 if is_last else AROUND)
    count = len(same) - head - tail
    if count < FOLDED_MIN:
        return same
    return [*same[:head], Pair(None, None, count), *same[len(same) - tail :]]
