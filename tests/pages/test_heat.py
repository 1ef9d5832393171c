"""The difference picture."""

from __future__ import annotations

import torch

from grader.differences import difference
from server.pages.heat import draw, number, times


def test_cells_of_one_level_are_one_path_and_the_ground_is_none() -> None:
    answer = torch.zeros(4, 8)
    answer[1, 2:7] = 1.0

    seen = difference(answer, torch.zeros(4, 8))
    assert seen is not None
    shown = draw("h", seen)

    assert shown.levels == ((9, "M2 1h5v1h-5z"),)
    assert shown.worst_at == "[1, 2]"
    assert shown.sentences == ("Only 1 of 4 rows differ.",)
    assert "4 × 8" in shown.label


def test_the_width_is_the_same_for_all_shapes() -> None:
    widths = set()
    for shape in [(1,), (27,), (32, 64), (64, 27), (32, 3, 10), (300, 4)]:
        seen = difference(torch.ones(shape), torch.zeros(shape))
        assert seen is not None
        widths.add(draw("h", seen).width)

    assert len(widths) == 1


def test_figures_are_short() -> None:
    assert [number(each) for each in (0.00062, 1.5e-8, 0.31, 12.0, 4e5)] == ["6.2e−4", "1.5e−8", "0.31", "12", "4.0e5"]
    assert [times(shape) for shape in [(), (27,), (32, 3, 10)]] == ["1", "27", "32 × 3 × 10"]
