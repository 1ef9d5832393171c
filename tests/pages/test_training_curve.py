"""The loss curve of a training run, drawn by the server."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest

from server.pages.study.training_curve import NARROW, WIDE, Picture, curve_shown, picture
from server.tables import TrainingRunRow
from server.training.run import TrainingRun

RIGHT = [[0, 3.3], [500, 2.6], [1000, 2.4]]
WRONG = [[0, 3.3], [500, 2.9], [1000, 2.8]]


def run(own: Any = RIGHT, reference: Any = RIGHT, steps: int = 2000) -> TrainingRun:
    values: dict[str, Any] = {"id": 1, "course_id": 1, "account_id": 1, "filename": "a", "body": b"", "dataset": ""}
    values |= {"steps": steps, "batch": 32, "schedule": [[0, 0.1]], "seed": 1, "chunk_steps": 1}
    row = TrainingRunRow(**values, curve=own, reference_curve=reference)
    return TrainingRun.of(row)


def points(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", path)]


def test_a_run_without_a_point_has_no_curve() -> None:
    assert curve_shown(run([], [])) is None


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_a_curve_stays_in_its_picture_and_falls_with_the_loss(size: tuple[int, int]) -> None:
    drawn = picture(run(WRONG), size)
    own, reference = points(drawn.own), points(drawn.reference)

    assert all(drawn.left <= x <= size[0] - drawn.right and 0 <= y <= size[1] for x, y in own + reference)
    assert own[0] == reference[0]
    assert [y for _, y in own] == sorted(y for _, y in own)
    assert all(mine < theirs for (_, mine), (_, theirs) in zip(own[1:], reference[1:], strict=True))
    assert drawn.dot == own[-1]


def test_ticks_do_not_touch_one_another() -> None:
    for size in (WIDE, NARROW):
        for steps in (1, 7, 20_000, 123_456, 200_000):
            ticks = picture(run(steps=steps), size).steps
            widths = [7 * len(tick.label) for tick in ticks]
            gaps = [after.at - before.at for before, after in pairwise(ticks)]
            assert len(ticks) > 1
            assert all(gap > width for gap, width in zip(gaps, widths, strict=False)), steps


def test_words_say_what_the_picture_shows() -> None:
    right, wrong = curve_shown(run()), curve_shown(run(WRONG))

    assert right is not None and right.is_same and right.words.endswith("The reference's curve is the same.")
    assert wrong is not None and not wrong.is_same and wrong.words.endswith("The reference has 2.4000.")


def test_a_curve_that_climbs_is_cut() -> None:
    shown = curve_shown(run([[0, 3.3], [500, 1e9], [1000, float("nan")]]))

    assert shown is not None and shown.cut is not None and shown.cut < 10
    assert isinstance(shown.wide, Picture) and "nan" not in shown.wide.own
    assert "not finite" in shown.words
