"""Right answers, in whatever style, are never told that they hold a mistake."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from exercises.instance import Instance
from exercises.registry import exercises
from grader.compare import Origin
from tests.mistakes.catalogue import Mistake, load, source
from tests.mistakes.play import play

STYLES = load(Path(__file__).parents[2] / "right")
MISTAKES = [mistake for mistake in load() if mistake.exercise == "makemore/full-backward"]
CANONICAL = {slug: Instance.canonical(exercise) for slug, exercise in exercises().items()}


def test_there_are_many_styles() -> None:
    assert len(STYLES) >= 40


@pytest.mark.parametrize("style", STYLES, ids=str)
def test_a_right_answer_has_no_mistake(style: Mistake) -> None:
    for row in play(CANONICAL[style.exercise], source(style.exercise, [style])):
        assert row.passed, row.line()
        assert row.origin is None and row.diagnosis == ()


@pytest.mark.parametrize("seed", range(12))
def test_styles_mix(seed: int) -> None:
    styles = _mix(random.Random(seed))
    for row in play(CANONICAL["makemore/full-backward"], source("makemore/full-backward", styles)):
        assert row.origin is not Origin.OWN, (row, styles)


@pytest.mark.parametrize("seed", range(40))
def test_a_mistake_above_makes_no_right_line_wrong(seed: int) -> None:
    """Lines of every style under somebody's mistake: they inherit it, whatever it did to the numbers."""
    chosen = random.Random(seed)
    mistake = chosen.choice(MISTAKES)
    styles = [style for style in _mix(chosen) if not style.touches(mistake) and not _relies(style)]
    rows = play(CANONICAL["makemore/full-backward"], source("makemore/full-backward", [mistake, *styles]))
    own = {row.name for row in rows if row.origin is Origin.OWN}
    assert own <= {mistake.first}, (str(mistake), list(map(str, styles)))


def _mix(chosen: random.Random) -> list[Mistake]:
    """One style for each of some lines."""
    found: list[Mistake] = []
    for style in chosen.sample(STYLES, len(STYLES)):
        if style.exercise == "makemore/full-backward" and not any(map(style.touches, found)):
            found.append(style)
    return found[:15]


def _relies(style: Mistake) -> bool:
    """Whether it is right only because a true gradient is zero or a step is skipped; a mistake above spoils it."""
    return any(
        word in str(style) + " ".join(style.codes)
        for word in ("zeros", "nothing", "harmless", "only", "index_put", "repeated", "closed", "once", "alone")
    ) or style.first in ("logits", "logprobs", "logit_maxes", "b1")
