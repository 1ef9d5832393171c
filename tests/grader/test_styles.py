"""Whole right derivations in the styles of many students pass, on numbers that nobody chose."""

from __future__ import annotations

import pytest

from exercises.instance import Instance, Kind
from exercises.registry import find
from tests.mistakes.play import play
from tests.styles.__main__ import FIRST_SEED
from tests.styles.catalogue import Style, load

STYLES = load()
SEEDS = range(FIRST_SEED, FIRST_SEED + 3)
DRAWN = {
    slug: [Instance.draw(find(slug), seed, Kind.HIDDEN) for seed in SEEDS]
    for slug in sorted({style.exercise for style in STYLES})
}


def test_the_styles_are_many() -> None:
    assert len(STYLES) >= 36 and len({style.source for style in STYLES}) == len(STYLES)
    assert {style.exercise for style in STYLES} == {
        "makemore/full-backward",
        "makemore/cross-entropy",
        "makemore/batch-norm",
    }


@pytest.mark.parametrize("style", STYLES, ids=str)
def test_a_right_style_passes_everywhere(style: Style) -> None:
    """Sums that cancel differ in their last bits between styles; ``cmp`` alone calls some of them wrong."""
    rows = [row for instance in DRAWN[style.exercise] for row in play(instance, style.source)]

    assert len(rows) == len(SEEDS) * len(find(style.exercise).checkpoints)
    assert [row.line() for row in rows if not row.passed or row.origin is not None or row.diagnosis] == []
