"""The pattern of a wrong answer: a short text that is the same for answers that are wrong alike.

It says which finding explains the answer, and how the answer differs from the right one: where, by which factor, and of
what form the difference is. It holds no number that depends on the instance, so that students with different numbers
who make the same mistake have the same pattern. Reports group by it; nobody is shown it as a sentence.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
from torch import Tensor

from grader.diagnosis.codes import Code, Finding, NamedPart
from grader.rounding.closeness import align

PATTERN_LENGTH_MAX: Final = 200
DIGEST_LENGTH: Final = 8
MATTERS: Final = 1e-5  # of the largest element; anything smaller may be rounding
SAME: Final = 1e-4  # relative difference of numbers that count as equal
NEARLY_ALL: Final = 0.9  # by chance, a wrong number may be right
SELDOM: Final = 0.01
FITTED: Final = 1e-2  # of the largest element; a ratio of smaller ones is mostly rounding
# What a figure of the instance looks like in a text. Names of factors, "1/n (1/32)", have none.
FIGURE: Final = re.compile(r"\d+\.\d+(e[-+]?\d+)?|\d+e[-+]?\d+|\d{4,}")
AXES: Final = frozenset({"axis"})
EXPLAINED_AT_LENGTH: Final = frozenset({"about"})  # the same for every finding about that part
# Forms that do not say what the student wrote instead: here the numbers have to tell one mistake from another.
VAGUE: Final = (Code.UNKNOWN.value, f"{Code.MISSING_LOCAL.value}.other_function")

Matrix = npt.NDArray[np.float32]


def finding_pattern(finding: Finding) -> str:
    """Return the part of a pattern that says what explains the answer, without the numbers of the instance."""
    words = [f"{finding.code.value}.{finding.form}", *finding.at]
    for key, value in finding.values.items():
        if key in AXES:
            words.append(f"{key} {value}")
        elif key not in EXPLAINED_AT_LENGTH:
            words += _names(value)
    words += [form for form, _ in finding.besides]
    return " ".join(words)


def answer_pattern(finding: str, answer: Tensor, right: Tensor) -> str:
    """Return the pattern of an answer in place of ``right``, which is what is right given the student's own upstream.

    ``finding`` is what ``finding_pattern`` gives; it is empty if nothing was diagnosed.
    """
    is_vague = not finding or finding.startswith(VAGUE)
    pattern = "; ".join(filter(None, (finding, *_difference(answer, right, is_vague))))
    if len(pattern) <= PATTERN_LENGTH_MAX:
        return pattern
    digest = hashlib.blake2b(pattern.encode(), digest_size=DIGEST_LENGTH // 2).hexdigest()
    return f"{pattern[: PATTERN_LENGTH_MAX - DIGEST_LENGTH - 1]}~{digest}"


def _names(value: object) -> Iterator[str]:
    if isinstance(value, NamedPart):
        yield value.name or f"{value.read}:{value.step}"
    elif isinstance(value, str):
        yield FIGURE.sub("#", value)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _names(each)


def _difference(answer: Tensor, right: Tensor, is_vague: bool) -> Iterator[str]:
    if answer.shape != right.shape:
        yield "shape " + "x".join(map(str, answer.shape))
    aligned = align(answer, right.shape)
    if aligned is None:
        return
    columns = right.shape[-1] if right.dim() else 1
    have, want = (tensor.detach().numpy().reshape(-1, columns) for tensor in (aligned, right))
    with np.errstate(all="ignore"):
        yield from _difference_of_matrices(have, want, is_vague)


def _difference_of_matrices(have: Matrix, want: Matrix, is_vague: bool) -> Iterator[str]:
    difference = have - want
    sizes = np.abs(difference)
    largest = float(sizes.max())
    if not largest < np.inf:
        yield "NaN" if np.isnan(have).any() else "infinite"
        return
    if not have.any():
        yield "zero"
        return
    yield from _form(difference, sizes, largest)
    if not is_vague:
        return
    size = np.abs(want)
    scale = float(size.max()) or float(np.abs(have).max())
    yield from _places(sizes > MATTERS * min(scale, largest), want)
    ratio = _ratio(have, want, size, scale)
    if ratio is not None:
        yield f"times {ratio:.2g}"
        return
    yield from _tendency(have, want, size, scale)
    if have.shape[0] > 1 and not np.abs(have - have[:1]).max() > SAME * scale:
        yield "the answer is the same in every row"
    if have.shape[1] > 1 and not np.abs(have - have[:, :1]).max() > SAME * scale:
        yield "the answer is the same in every column"


def _places(wrong: npt.NDArray[np.bool_], want: Matrix) -> Iterator[str]:
    """Say which rows and columns are wrong, and whether that has to do with the zeros of the right gradient."""
    rows, columns = wrong.shape
    by_row, by_column = wrong.sum(1), wrong.sum(0)
    for name, counts, length, others in (("row", by_row, rows, columns), ("column", by_column, columns, rows)):
        touched = int(np.count_nonzero(counts))
        if length > 1 and touched < NEARLY_ALL * length:
            yield f"one {name}" if touched == 1 else f"some {name}s"
        if others > 1 and length > 1 and touched and int(counts.max()) == 1:
            yield f"one a {name}"
    zeros = want == 0
    if zeros.any():
        at_zeros, elsewhere = bool((wrong & zeros).any()), bool((wrong & ~zeros).any())
        if at_zeros != elsewhere:
            yield "where zero is right" if at_zeros else "where zero is wrong"


def _ratio(have: Matrix, want: Matrix, size: Matrix, scale: float) -> float | None:
    """Return the number that the right gradient was multiplied with; None if it is not one number."""
    if scale == 0:
        return None
    counts = size > FITTED * scale
    if not counts.any():  # the right gradient is zero
        return None
    ratios = have[counts] / want[counts]
    low, high = float(ratios.min()), float(ratios.max())
    if ratios.size < 2 or not high - low <= SAME * max(abs(low), abs(high)):
        return None
    if not np.abs(have[~counts] - low * want[~counts]).max(initial=0) <= SAME * abs(low) * scale:
        return None
    return low


def _tendency(have: Matrix, want: Matrix, size: Matrix, scale: float) -> Iterator[str]:
    """Say whether all signs are right or turned, and whether all numbers are too large or too small."""
    counts = size > FITTED * scale
    ratios = have[counts] / want[counts]
    for shares, always, never in (
        (ratios < 0, "signs turned", "signs right"),
        (np.abs(ratios) > 1, "too large", "too small"),
    ):
        share = float(shares.mean()) if ratios.size > 1 else 0.5
        if not SELDOM < share < 1 - SELDOM:
            yield always if share > 0.5 else never


def _form(matrix: Matrix, sizes: Matrix, largest: float) -> Iterator[str]:
    """Say whether a difference is constant along an axis, of rank one, or sums to zero."""
    rows, columns = matrix.shape
    limit = SAME * largest
    if rows > 1 and columns > 1:
        same_rows = not np.abs(matrix - matrix[:1]).max() > limit
        same_columns = not np.abs(matrix - matrix[:, :1]).max() > limit
        if same_rows or same_columns:
            where = "everywhere" if same_rows and same_columns else "in every row" if same_rows else "in every column"
            yield f"the difference is the same {where}"
        else:
            row, column = divmod(int(sizes.argmax()), columns)
            product = np.multiply.outer(matrix[:, column], matrix[row] / matrix[row, column])
            if not np.abs(matrix - product).max() > limit:
                yield "the difference is of rank one"
    elif not np.abs(matrix - matrix[0, 0]).max() > limit:
        yield "the difference is the same everywhere"
    for axis, what in ((0, "columns"), (1, "rows")):
        if matrix.shape[axis] > 1 and not np.abs(matrix.sum(axis)).max() > SAME * float(sizes.sum(axis).max()):
            yield f"the difference has {what} that sum to zero"
