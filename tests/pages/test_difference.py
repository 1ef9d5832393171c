"""Two sources side by side, and as one."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from server.pages.study.difference import LINES_MAX, Pair, Side, Unified, pairs_of, unified

STEPS = frozenset({"h"})
FIVE = "\n".join(f"x{number} = {number}" for number in range(5))


def numbers(pairs: list[Pair] | None) -> list[tuple[int | None, int | None, int]]:
    assert pairs is not None
    return [
        (each.one.number if each.one else None, each.other.number if each.other else None, each.folded)
        for each in pairs
    ]


def texts(lines: list[Unified]) -> list[str]:
    return [f"{each.sign}{each.side.content if each.side else each.folded}" for each in lines]


def test_what_changed_stands_side_by_side_and_the_rest_is_folded() -> None:
    pairs = pairs_of(f"{FIVE}\ndh = 1\n{FIVE}", f"{FIVE}\ndh = 2\nnew\n{FIVE}", STEPS)

    before = [(3, 3, 0), (4, 4, 0), (5, 5, 0)]
    changed = [(6, 6, 0), (None, 7, 0)]
    assert numbers(pairs) == [(1, 1, 0), (2, 2, 0), *before, *changed, *_from((7, 8), 5)]


def _from(first: tuple[int, int], count: int) -> list[tuple[int | None, int | None, int]]:
    return [(first[0] + step, first[1] + step, 0) for step in range(count)]


def test_many_lines_that_are_the_same_are_folded() -> None:
    long = "\n".join(f"y{number} = {number}" for number in range(30))

    assert numbers(pairs_of(f"{long}\na", f"{long}\nb", STEPS)) == [
        (None, None, 27), (28, 28, 0), (29, 29, 0), (30, 30, 0), (31, 31, 0),
    ]  # fmt: skip


def test_as_one_what_is_gone_comes_before_what_is_new() -> None:
    pairs = pairs_of("a\nb\nc", "a\nd\ne\nc", frozenset())
    assert pairs is not None

    assert texts(list(unified(pairs))) == [" a", "-b", "+d", "+e", " c"]


def test_what_would_take_seconds_is_not_compared() -> None:
    taking_turns = "\n".join("ab"[number % 2] for number in range(LINES_MAX))
    in_pairs = "\n".join("ab"[number // 2 % 2] for number in range(LINES_MAX))

    assert pairs_of(taking_turns, in_pairs, frozenset()) is None
    assert pairs_of("\n".join(map(str, range(LINES_MAX + 1))), "", frozenset()) is None


LINES = st.lists(st.sampled_from(["a", "b", "dh = 1", "", "# <b>", "\x0c", "\u2028", "'''"]), max_size=12)


@given(LINES, LINES)
@settings(max_examples=60, deadline=None)
def test_both_sources_can_be_read_again(one: list[str], other: list[str]) -> None:
    pairs = pairs_of("\n".join(one), "\n".join(other), STEPS)
    assert pairs is not None

    def count(sides: list[Side | None]) -> int:
        return sum(each is not None for each in sides) + sum(each.folded for each in pairs)

    shown = list(unified(pairs))
    lines_one, lines_other = (
        len("\n".join(lines).split("\n")) - ("\n".join(lines)[-1:] in ("", "\n")) for lines in (one, other)
    )
    assert count([each.one for each in pairs]) == lines_one
    assert count([each.other for each in pairs]) == lines_other
    assert sum(each.sign in " -" for each in shown if each.side) + sum(each.folded for each in shown) == lines_one
