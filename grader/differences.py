"""The difference between an answer and the right gradient, as far as a student may see it: levels, and no numbers.

A student's value together with the exact difference would be the right value. So a difference is one of ten levels,
linear from 0 to the 99th percentile, and the sums of rows and columns are rounded to twentieths of the largest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt
from torch import Tensor

from grader.compare import BROADCAST_ELEMENTS_MAX
from grader.rounding.closeness import broadcast_shape

LEVELS: Final = 10
SUM_LEVELS: Final = 20
CLIPPED_ABOVE: Final = 0.99  # the quantile where the last level begins
ROWS_MAX, COLUMNS_MAX = 96, 128  # of a picture; larger tensors are shown in blocks
FLAT: Final = 0.6  # rows for each column that a picture of more than two dimensions comes near to
SAME: Final = 1e-4  # of the largest difference: differences this near are the same

Floats = npt.NDArray[np.float64]


class Pattern(StrEnum):
    """What is certain about a difference, seen as a whole."""

    EVERYWHERE = "everywhere"  # one difference at all elements
    ALONG_ROWS = "along_rows"  # the same from one end of each row to the other
    ALONG_COLUMNS = "along_columns"  # the same from the top of each column to the bottom
    SOME_ROWS = "some_rows"  # the other rows are right
    SOME_COLUMNS = "some_columns"


@dataclass(frozen=True)
class Difference:
    """A difference as a picture of ``rows`` times ``columns`` cells, each the largest of a block of elements.

    ``levels`` has a byte for each cell, row by row. ``row_sums`` and ``column_sums`` are 0 to ``SUM_LEVELS``. ``scale``
    is where the last level begins, of two digits; ``clipped`` says that some differences are larger. ``worst`` is the
    index of the largest, ``worst_cell`` its row and column. ``values`` are the student's own, of three digits, row by
    row; none if a cell holds more than one. ``affected`` counts the rows or columns of ``SOME_ROWS`` and its like.
    """

    shape: tuple[int, ...]
    rows: int
    columns: int
    block: tuple[int, int]
    levels: bytes
    row_sums: tuple[int, ...]
    column_sums: tuple[int, ...]
    scale: float
    clipped: bool
    worst: tuple[int, ...]
    worst_cell: tuple[int, int]
    pattern: Pattern | None
    affected: int
    values: tuple[float | None, ...]


def difference(answer: Tensor, expected: Tensor) -> Difference | None:
    """Return the difference of an answer; None where nothing can be subtracted, or nothing differs."""
    shape = broadcast_shape(answer.shape, expected.shape)
    if shape is None or math.prod(shape) > BROADCAST_ELEMENTS_MAX or answer.is_complex() or math.prod(shape) == 0:
        return None
    yours = answer.to(expected.dtype).expand(shape)
    signed = (yours.double() - expected.double().expand(shape)).numpy()
    size = np.abs(signed)
    size[~np.isfinite(size)] = np.inf
    if not size.any():
        return None
    worst = tuple(int(each) for each in np.unravel_index(int(size.argmax()), size.shape))
    height, width = flattened(tuple(shape))
    flat = size.reshape(height, width)
    block = (-(-height // ROWS_MAX), -(-width // COLUMNS_MAX))
    cells = _in_blocks(flat, block)
    scale, clipped = _scale(cells)
    pattern, affected = _pattern(signed.reshape(height, width), flat)
    row, column = divmod(int(size.argmax()), width)
    return Difference(
        shape=tuple(shape),
        rows=cells.shape[0],
        columns=cells.shape[1],
        block=block,
        levels=_levels(cells, scale),
        row_sums=_sums(cells, 1),
        column_sums=_sums(cells, 0),
        scale=scale,
        clipped=clipped,
        worst=worst,
        worst_cell=(row // block[0], column // block[1]),
        pattern=pattern,
        affected=affected,
        values=tuple(map(_three_digits, yours.reshape(-1).tolist())) if block == (1, 1) else (),
    )


def flattened(shape: Sequence[int]) -> tuple[int, int]:
    """Return rows and columns of the picture of a tensor: a vector is one row, more dimensions are folded."""
    if len(shape) < 2:
        return 1, math.prod(shape)
    ways = [(math.prod(shape[:at]), math.prod(shape[at:])) for at in range(1, len(shape))]
    return min(ways, key=lambda way: abs(math.log(way[0] / way[1] / FLAT)))


def _in_blocks(flat: Floats, block: tuple[int, int]) -> Floats:
    """Return the largest of each block."""
    if block == (1, 1):
        return flat
    height, width = flat.shape
    rows, columns = -(-height // block[0]), -(-width // block[1])
    padded = np.zeros((rows * block[0], columns * block[1]))
    padded[:height, :width] = flat
    largest: Floats = padded.reshape(rows, block[0], columns, block[1]).max((1, 3))
    return largest


def _scale(cells: Floats) -> tuple[float, bool]:
    """Return where the last level begins, and whether there is more beyond."""
    finite = cells[np.isfinite(cells)]
    largest = float(finite.max()) if finite.size else 0.0
    scale = float(np.quantile(finite, CLIPPED_ABOVE)) if finite.size else 0.0
    scale = scale or largest or 1.0
    return float(f"{scale:.1e}"), largest > scale or finite.size < cells.size


def _levels(cells: Floats, scale: float) -> bytes:
    with np.errstate(invalid="ignore"):
        levels = np.minimum(np.floor(cells / scale * LEVELS), LEVELS - 1)
    return levels.astype(np.uint8).tobytes()


def _sums(cells: Floats, axis: int) -> tuple[int, ...]:
    sums = np.where(np.isfinite(cells), cells, 0.0).sum(axis)
    largest = float(sums.max()) or 1.0
    return tuple(int(each) for each in np.ceil(sums / largest * SUM_LEVELS))


def _pattern(signed: Floats, size: Floats) -> tuple[Pattern | None, int]:
    """Return what is certain of a difference, and how many rows or columns it is in."""
    height, width = signed.shape
    if min(height, width) < 2 or not np.isfinite(size).all():
        return None, 0
    near = SAME * float(size.max())
    along_rows = bool((np.ptp(signed, axis=1) <= near).all())
    along_columns = bool((np.ptp(signed, axis=0) <= near).all())
    if along_rows and along_columns:
        return Pattern.EVERYWHERE, height
    if along_rows or along_columns:
        return (Pattern.ALONG_ROWS if along_rows else Pattern.ALONG_COLUMNS), 0
    rows, columns = int((size.max(1) > near).sum()), int((size.max(0) > near).sum())
    if rows * 2 <= height and columns * 2 > width:
        return Pattern.SOME_ROWS, rows
    if columns * 2 <= width and rows * 2 > height:
        return Pattern.SOME_COLUMNS, columns
    return None, 0


def _three_digits(value: float) -> float | None:
    return float(f"{value:.2e}") if math.isfinite(value) else None
