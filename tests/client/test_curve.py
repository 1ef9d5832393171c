"""The frame of a loss curve, and its words."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dojo.curve import POINTS_MAX, are_same, drawn_reference, frame_of, in_words, thinned

REFERENCE = [(0, 3.3), (500, 2.5), (1000, 2.2)]
losses = st.one_of(st.none(), st.floats(-1e30, 1e30, allow_subnormal=False))


def test_ticks_are_round_and_hold_both_curves() -> None:
    frame = frame_of([(0, 3.32), (500, 2.6)], REFERENCE, 20_000)

    assert frame.loss_ticks == (2.0, 2.5, 3.0, 3.5)
    assert frame.step_ticks == (0, 5000, 10_000, 15_000, 20_000)


def test_a_curve_that_climbs_does_not_press_the_other_flat() -> None:
    climbing = [(0, 3.3), (500, 80.0), (1000, 4e9), (1500, None)]
    frame = frame_of(climbing, REFERENCE, 2000)

    assert frame.high <= 8
    assert frame.cuts(climbing) and not frame.cuts(REFERENCE)
    assert [frame.up(loss) for _, loss in climbing[1:]] == [1.0, 1.0, 1.0]


@settings(max_examples=60)
@given(st.lists(losses, max_size=5), st.lists(losses, max_size=5), st.integers(0, 10**7))
def test_every_curve_has_a_frame(own: list[float | None], reference: list[float | None], steps: int) -> None:
    frame = frame_of(list(enumerate(own)), list(enumerate(reference)), steps)

    assert math.isfinite(frame.low) and frame.low < frame.high
    assert 2 <= len(frame.loss_ticks) <= 8 and 1 <= len(frame.step_ticks) <= 6
    assert all(0 <= frame.up(loss) <= 1 for loss in (*own, *reference))


def test_thinning_keeps_both_ends() -> None:
    curve = [(step, float(step)) for step in range(5000)]

    assert len(thinned(curve)) == POINTS_MAX
    assert (thinned(curve)[0], thinned(curve)[-1]) == (curve[0], curve[-1])


@pytest.mark.parametrize(
    ("own", "words"),
    [
        ([], "The curve begins with the first steps."),
        (
            [(0, 3.3), (500, 2.5)],
            "Loss 3.3000 at step 0, 2.5000 at step 500 of 1,000. The reference's curve is the same.",
        ),
        ([(0, 3.3), (500, 2.9)], "Loss 3.3000 at step 0, 2.9000 at step 500 of 1,000. The reference has 2.5000."),
        (
            [(0, 3.4), (700, 2.9)],
            "Loss 3.4000 at step 0, 2.9000 at step 700 of 1,000. The reference has 2.2000 at step 1,000.",
        ),
        ([(0, 3.3), (500, None)], "Loss 3.3000 at step 0, not finite at step 500 of 1,000. The reference has 2.5000."),
    ],
)
def test_a_curve_is_told_in_words(own: list[tuple[int, float | None]], words: str) -> None:
    assert in_words(own, REFERENCE, 1000) == words


def test_a_right_reference_is_drawn_along_ones_own_between_its_points() -> None:
    own = [(0, 3.3), (250, 2.6), (500, 2.5), (1000, 2.2)]
    sparse, wrong = [(0, 3.3), (500, 2.5)], [(0, 3.3), (500, 2.9)]

    assert drawn_reference(own, sparse) == own[:3]
    assert drawn_reference(own, wrong) == wrong
    assert drawn_reference(own, []) == []


def test_curves_are_the_same_only_where_both_are_known() -> None:
    assert not are_same([(0, 3.3), (9, 1.0)], REFERENCE)  # all runs of a seed begin like this
    assert not are_same([(1, 3.3)], REFERENCE)
