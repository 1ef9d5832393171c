"""The lecture's ``cmp`` as data: one row a checkpoint.

``exact`` is ``torch.all(dt == t.grad)``, ``approximate`` is ``torch.allclose`` with its defaults, ``maxdiff``
is the largest absolute difference. A bad answer is a verdict, never an exception.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from grader.answer import Answer

# A comparison that broadcasts to more elements than this is not made. An answer that forgot to sum over the
# minibatch has 32 x 30 x 64 at the most; one of shape [2000000, 1] must cost its author something, not us.
LARGEST_BROADCAST = 65_536
RTOL, ATOL = 1e-5, 1e-8  # the defaults of torch.allclose

Ordinals = npt.NDArray[np.int64]


class Verdict(StrEnum):
    """What a row says, from best to worst."""

    EXACT = "exact"
    APPROXIMATE = "approximate"
    WRONG = "wrong"
    NOT_FINITE = "not_finite"
    SHAPE = "shape"
    DTYPE = "dtype"
    MISSING = "missing"


class Origin(StrEnum):
    """Where a wrong step went wrong."""

    OWN = "own"  # the mistake is in this step
    INHERITED = "inherited"  # right, given the student's own upstream gradient


@dataclass(frozen=True)
class Diagnosis:
    """The kind of an own mistake: a code of the design, and hints for the student, each telling more than the
    one before: the kind, the line of the forward pass, what to look at there.
    """

    code: str
    hints: tuple[str, ...]

    @property
    def message(self) -> str:
        """The hints as one text."""
        return " ".join(self.hints)

    def shown(self, levels: int) -> Diagnosis:
        """With the first few hints only: a course decides how much it tells, and when."""
        return Diagnosis(self.code, self.hints[:levels])

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "message": self.message, "hints": list(self.hints)}


@dataclass(frozen=True)
class Comparison:
    """One row of ``cmp``. ``maxdiff`` is None where nothing could be subtracted; ``ulps`` is the largest
    distance in units of the last place; ``mismatched`` counts the elements outside ``allclose``'s tolerance,
    and ``worst`` is the index of the largest difference.
    """

    name: str
    verdict: Verdict
    exact: bool = False
    approximate: bool = False
    maxdiff: float | None = None
    ulps: int | None = None
    mismatched: int | None = None
    worst: tuple[int, ...] | None = None
    notes: tuple[str, ...] = ()
    origin: Origin | None = None
    diagnosis: tuple[Diagnosis, ...] = ()

    @property
    def passed(self) -> bool:
        """Passing means approximate; exact is shown beside it."""
        return self.approximate

    def line(self) -> str:
        """The row as the lecture prints it."""
        maxdiff = "-" if self.maxdiff is None else self.maxdiff
        flags = f"exact: {self.exact!s:5s} | approximate: {self.approximate!s:5s}"
        return f"{self.name:15s} | {flags} | maxdiff: {maxdiff}"

    def as_json(self) -> dict[str, Any]:
        """The row as REST and ``--json`` show it; JSON has no NaN, so a maxdiff that is not finite is
        null.
        """
        finite = self.maxdiff is not None and math.isfinite(self.maxdiff)
        return {
            "name": self.name,
            "verdict": self.verdict.value,
            "exact": self.exact,
            "approximate": self.approximate,
            "maxdiff": self.maxdiff if finite else None,
            "ulps": self.ulps,
            "mismatched": self.mismatched,
            "worst": None if self.worst is None else list(self.worst),
            "origin": None if self.origin is None else self.origin.value,
            "diagnosis": [each.as_json() for each in self.diagnosis],
            "notes": list(self.notes),
        }


def compare(name: str, answer: Answer, expected: Tensor) -> Comparison:
    """Compare an answer with the expected gradient (float32, any shape) of the checkpoint ``name``."""
    given = answer.tensor
    if given is None:
        why = answer.misfit or "nothing was handed in"
        return Comparison(name, _verdict_on_misfit(answer, expected), notes=(*answer.notes, why))
    if not given.is_floating_point():
        kind = str(given.dtype).removeprefix("torch.")
        return Comparison(name, Verdict.DTYPE, notes=(*answer.notes, f"{kind} cannot hold a gradient; use float32"))
    notes = answer.notes
    if given.dtype != expected.dtype:
        notes = (*notes, f"{str(given.dtype).removeprefix('torch.')}, compared as float32")
        given = given.to(expected.dtype)
    if given.shape != expected.shape:
        have, want = list(given.shape), list(expected.shape)
        if not _fits(given.shape, expected.shape):
            return Comparison(name, Verdict.SHAPE, notes=(*notes, f"shape {have} does not fit {want}"))
        notes = (*notes, f"shape {have}, compared with {want} by broadcasting")
    elif torch.equal(given, expected):  # the answer most often seen, and the cheapest to see
        return Comparison(name, Verdict.EXACT, True, True, 0.0, 0, 0, notes=notes)
    return _compare_values(name, given, expected, notes)


def _verdict_on_misfit(answer: Answer, expected: Tensor) -> Verdict:
    """What is wrong with an answer that left nothing to compare."""
    if answer.dtype is not None and answer.dtype.startswith("complex"):
        return Verdict.DTYPE
    if answer.shape is not None and not _fits(answer.shape, expected.shape):
        return Verdict.SHAPE
    return Verdict.MISSING


def _fits(shape: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    """Whether ``cmp`` could compare an answer of this shape, and there would be something to compare."""
    try:
        together: tuple[int, ...] = torch.broadcast_shapes(shape, expected)
    except RuntimeError:
        return False
    return 0 < math.prod(together) <= LARGEST_BROADCAST


def _compare_values(name: str, given: Tensor, expected: Tensor, notes: tuple[str, ...]) -> Comparison:
    # numpy, because a dozen small operations on tensors cost more than the rest of the comparison
    shape = expected.shape if given.shape == expected.shape else torch.broadcast_shapes(given.shape, expected.shape)
    have, want = given.expand(shape).numpy(), expected.expand(shape).numpy()
    with np.errstate(invalid="ignore", over="ignore"):
        difference = np.abs(have - want)
        close = difference <= ATOL + np.abs(RTOL * want)  # as torch.allclose has it
    maxdiff = float(difference.max())
    if not math.isfinite(maxdiff):
        bad = int((~given.isfinite()).sum())
        if bad:
            notes = (*notes, f"{bad} of {given.numel()} elements are NaN or infinite")
            return Comparison(name, Verdict.NOT_FINITE, maxdiff=maxdiff, mismatched=bad, notes=notes)
        with np.errstate(over="ignore"):
            close = np.isclose(have, want, RTOL, ATOL)  # infinity is close to itself alone
    exact = bool((have == want).all())
    mismatched = close.size - int(np.count_nonzero(close))
    approximate = mismatched == 0
    verdict = Verdict.EXACT if exact else Verdict.APPROXIMATE if approximate else Verdict.WRONG
    return Comparison(
        name,
        verdict,
        exact,
        approximate,
        maxdiff,
        ulps=int(np.abs(_ordinals(have) - _ordinals(want)).max()),
        mismatched=mismatched,
        worst=None if exact else _index(int(difference.argmax()), shape),
        notes=notes,
    )


def _index(place: int, shape: torch.Size) -> tuple[int, ...]:
    """Where an element sits whose place in the flattened tensor is known."""
    found = []
    for length in reversed(shape):
        place, index = divmod(place, length)
        found.append(index)
    return tuple(reversed(found))


def _ordinals(values: npt.NDArray[np.float32]) -> Ordinals:
    """Float32 values to int64 ordinals: neighbouring floats have neighbouring ordinals, and both zeros have
    0.
    """
    bits = np.ascontiguousarray(values).view(np.int32).astype(np.int64)
    return np.where(bits < 0, -(2**31) - bits, bits)
