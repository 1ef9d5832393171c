"""Patterns: the same for answers that are wrong alike, whatever their numbers; different for different mistakes."""

from __future__ import annotations

from collections import defaultdict

import pytest
import torch

from exercises.instance import Instance, Kind
from exercises.registry import find
from grader.compare import Comparison
from grader.diagnosis.pattern import PATTERN_LENGTH_MAX, answer_pattern
from tests.mistakes.catalogue import Mistake, load, source
from tests.mistakes.play import play

FULL = "makemore/full-backward"
INSTANCES = [Instance.draw(find(FULL), seed, Kind.HIDDEN) for seed in (1, 2)]
# The same kind at the same step, by other formulas: only the numbers tell them apart.
FUNCTIONS = ["h**2 * dh", "(1.0 + h**2) * dh", "h * (1.0 - h) * dh"]


def row(instance: Instance, mistake: Mistake) -> Comparison:
    """The row of the step where a mistake is made."""
    return next(row for row in play(instance, source(FULL, [mistake])) if row.name == mistake.first)


def test_a_mistake_has_one_pattern_on_all_instances() -> None:
    by_step: dict[str, list[Mistake]] = defaultdict(list)
    for mistake in load():
        if mistake.exercise == FULL:
            by_step[mistake.first].append(mistake)
    chosen = [
        by_step[step][0] for step in ("logprobs", "probs", "counts", "logits", "h", "W2", "hpreact", "bnraw", "C")
    ]

    patterns = [{row(instance, mistake).pattern for instance in INSTANCES} for mistake in chosen]

    assert [len(each) for each in patterns] == [1] * len(chosen)


def test_only_numbers_tell_functions_apart() -> None:
    made = [
        Mistake(FULL, "hpreact", frozenset(), ("dhpreact = (1.0 - h**2) * dh",), (f"dhpreact = {each}",))
        for each in FUNCTIONS
    ]

    patterns = [{row(instance, mistake).pattern for instance in INSTANCES} for mistake in made]

    assert [len(each) for each in patterns] == [1, 1, 1]
    assert len(set.union(*patterns)) == 3


def test_right_and_inherited_rows_have_none() -> None:
    rows = play(INSTANCES[0], find(FULL).solution.replace("dh = dlogits @ W2.T", "dh = 2 * dlogits @ W2.T"))

    assert {row.name for row in rows if row.pattern is not None} == {"h"}


RIGHT = torch.arange(1.0, 13.0).reshape(3, 4).sin()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (RIGHT * 0, ["zero"]),
        (RIGHT * 3, ["times 3"]),
        (RIGHT * torch.nan, ["NaN"]),
        (RIGHT + 1, ["the difference is the same everywhere"]),
        (RIGHT + torch.tensor([1.0, 5.0, 2.0, 7.0]), ["the difference is the same in every row"]),
        (RIGHT + torch.outer(torch.tensor([1.0, 2.0, 4.0]), torch.tensor([1.0, 5.0, 2.0, 7.0])), ["of rank one"]),
        (RIGHT + torch.eye(3, 4), ["one a row", "one a column", "some columns"]),
        (RIGHT[0], ["shape 4"]),
    ],
)
def test_it_says_how_the_numbers_differ(answer: torch.Tensor, words: list[str]) -> None:
    pattern = answer_pattern("", answer, RIGHT)

    assert [word for word in words if word not in pattern] == []


def test_a_long_one_is_cut_and_stays_distinct() -> None:
    long = ["x" * 300 + end for end in "ab"]

    patterns = {answer_pattern(each, RIGHT * 2, RIGHT) for each in long}

    assert len(patterns) == 2
    assert {len(each) for each in patterns} == {PATTERN_LENGTH_MAX}
