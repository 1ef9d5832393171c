"""The difference of an answer as levels."""

from __future__ import annotations

import torch

from grader.differences import COLUMNS_MAX, ROWS_MAX, SUM_LEVELS, Pattern, difference, flattened


def test_levels_are_linear_to_the_99th_percentile() -> None:
    expected = torch.zeros(10, 100)
    answer = torch.zeros(10, 100)
    answer[0] = torch.linspace(0, 1, 100)
    answer[1, 0] = 100.0

    seen = difference(answer, expected)

    assert seen is not None
    assert seen.clipped
    assert seen.levels[99] == 9
    assert seen.levels[100] == 9
    assert seen.worst == (1, 0)
    assert seen.levels[200:] == bytes(800)
    assert max(seen.row_sums) == SUM_LEVELS == seen.row_sums[1]


def test_a_right_answer_has_no_difference() -> None:
    assert difference(torch.ones(3, 4), torch.ones(3, 4)) is None


def test_shapes_that_do_not_fit_have_no_difference() -> None:
    assert difference(torch.ones(3, 5), torch.ones(3, 4)) is None


def test_no_number_of_the_right_gradient_can_be_worked_out() -> None:
    expected = torch.tensor([[0.123456, 0.654321], [0.111111, 0.999999]])
    answer = torch.full((2, 2), 2.0)

    seen = difference(answer, expected)

    assert seen is not None
    right = {round(float(value), 6) for value in expected.flatten()} | {
        round(float(value), 6) for value in (answer - expected).flatten()
    }
    told = [*seen.values, *seen.row_sums, *seen.column_sums, seen.scale]
    assert right.isdisjoint(round(value, 6) for value in told if value is not None)


def test_patterns_that_are_certain_are_named() -> None:
    right = torch.rand(4, 6)
    some_rows = right.clone()
    some_rows[2] += torch.rand(6) + 0.5
    patterns = {
        Pattern.EVERYWHERE: right + 1,
        Pattern.ALONG_ROWS: right + torch.arange(1.0, 5).unsqueeze(1),
        Pattern.ALONG_COLUMNS: right + torch.arange(1.0, 7),
        Pattern.SOME_ROWS: some_rows,
        None: right + torch.rand(4, 6) + torch.eye(4, 6),
    }

    for pattern, answer in patterns.items():
        seen = difference(answer, right)
        assert seen is not None
        assert seen.pattern == pattern


def test_numbers_that_are_not_finite_have_the_last_level() -> None:
    answer = torch.zeros(3, 3)
    answer[1, 1] = float("nan")

    seen = difference(answer, torch.ones(3, 3))

    assert seen is not None
    assert seen.worst == (1, 1)
    assert seen.levels[4] == 9
    assert seen.values[4] is None


def test_large_tensors_are_shown_in_blocks_without_losing_the_worst() -> None:
    answer = torch.zeros(200, 300)
    answer[151, 299] = 5.0

    seen = difference(answer, torch.zeros(200, 300))

    assert seen is not None
    assert seen.rows <= ROWS_MAX
    assert seen.columns <= COLUMNS_MAX
    assert seen.values == ()
    row, column = seen.worst_cell
    assert seen.levels[row * seen.columns + column] == 9
    assert seen.worst == (151, 299)


def test_tensors_are_folded_into_rows_and_columns() -> None:
    assert [flattened(shape) for shape in [(), (27,), (32, 64), (32, 3, 10)]] == [(1, 1), (1, 27), (32, 64), (32, 30)]
