"""The lecture's ``cmp`` as data: one row for each checkpoint.

``exact`` is ``torch.all(dt == t.grad)``, ``approximate`` is ``torch.allclose`` with its defaults, ``maxdiff`` is the
largest absolute difference (the lecture's notebook, makemore part 4, defines ``cmp`` so). A bad answer gets a verdict;
it never raises. ``grader.rounding.tolerance`` makes ``rounding`` of ``wrong`` where the difference is one of rounding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from grader.answer import Answer, dtype_name

# No comparison broadcasts to more elements than this. An answer that is not summed over the minibatch has 32 x 30 x 64
# at most. An answer of shape [2000000, 1] must not cost the grader its memory.
BROADCAST_ELEMENTS_MAX = 65_536
RTOL, ATOL = 1e-5, 1e-8  # the defaults of torch.allclose

Ordinals = npt.NDArray[np.int32]


class Verdict(StrEnum):
    """The outcome of a comparison. The members stand in order, from best to worst."""

    EXACT = "exact"
    APPROXIMATE = "approximate"
    ROUNDING = "rounding"  # cmp fails it, and the difference is within the error bound of float32 arithmetic
    WRONG = "wrong"
    NOT_FINITE = "not_finite"
    SHAPE = "shape"
    DTYPE = "dtype"
    MISSING = "missing"

    @property
    def rank(self) -> int:
        """The place in the order, 0 for the best. A smaller rank is a better verdict."""
        return list(Verdict).index(self)

    @property
    def passed(self) -> bool:
        """Whether a checkpoint with this verdict is passed."""
        return self in (Verdict.EXACT, Verdict.APPROXIMATE, Verdict.ROUNDING)


class Origin(StrEnum):
    """Where a wrong step went wrong."""

    OWN = "own"  # the mistake is in this step
    INHERITED = "inherited"  # right, given the student's own upstream gradient
    UNKNOWN = "unknown"  # the upstream gradient was not handed in, or nothing can go on with it


@dataclass(frozen=True)
class Diagnosis:
    """The kind of a mistake, with hints for the student.

    ``code`` is one of ``grader.diagnosis.codes.Code``. Each of ``hints`` says more than the one before: the kind, the
    line of the forward pass, what to look at there. ``counterexample`` is a sentence that shows the mistake in numbers.
    ``pattern`` is the finding without the numbers of the instance (``grader.diagnosis.pattern``).
    """

    code: str
    hints: tuple[str, ...]
    counterexample: str | None = None
    pattern: str = field(default="", compare=False)

    @property
    def message(self) -> str:
        """The hints and the counterexample as one text."""
        return " ".join((*self.hints, self.counterexample) if self.counterexample else self.hints)

    def as_json(self) -> dict[str, Any]:
        """Return the diagnosis as REST and ``--json`` show it."""
        body = {"code": self.code, "message": self.message, "hints": list(self.hints)}
        return body | {"counterexample": self.counterexample} if self.counterexample else body


@dataclass(frozen=True)
class Comparison:
    """One row of ``cmp``.

    ``maxdiff`` is None where nothing could be subtracted. ``ulps`` is the largest distance in units in the last place.
    ``mismatched`` counts the elements outside the tolerance of ``allclose``; ``worst`` is the index of the largest
    difference. ``origin`` is None for a row that passed, and for one without a tensor. ``blames`` are the gradients
    above a wrong row that have no row of their own: one of them may hold the mistake or, where the row inherits, does.
    ``inherits_constant`` says that the mistake which the row inherits is a gradient with the same number everywhere: it
    inherits no credit from that.
    ``pattern`` is the same for answers that are wrong alike; students do not see it.
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
    blames: tuple[str, ...] = ()
    inherits_constant: bool = False
    pattern: str | None = None

    @property
    def passed(self) -> bool:
        """Whether the row is right: exact, approximate, or within the bound of rounding."""
        return self.verdict.passed

    @property
    def inherits_credit(self) -> bool:
        """Whether the row only inherits a mistake, and not one that makes it easy."""
        return self.origin is Origin.INHERITED and not self.inherits_constant

    def line(self) -> str:
        """Return the row as the lecture prints it."""
        maxdiff = "-" if self.maxdiff is None else self.maxdiff
        flags = f"exact: {self.exact!s:5s} | approximate: {self.approximate!s:5s}"
        return f"{self.name:15s} | {flags} | maxdiff: {maxdiff}"

    def as_json(self) -> dict[str, Any]:
        """Return the row as REST and ``--json`` show it.

        JSON has no NaN and no infinity (RFC 8259 §6): a maxdiff that is not finite is null.
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
            "inherits_constant": self.inherits_constant,
            "diagnosis": [diagnosis.as_json() for diagnosis in self.diagnosis],
            "notes": list(self.notes),
        }


def compare(name: str, answer: Answer, expected: Tensor) -> Comparison:
    """Compare an answer with the expected gradient of the checkpoint ``name``.

    ``expected`` is float32, of any shape. The row has no origin and no diagnosis yet.
    """
    tensor = answer.tensor
    if tensor is None:
        reason = answer.misfit or "nothing was handed in"
        return Comparison(name, _verdict_without_tensor(answer, expected), notes=(*answer.notes, reason))
    if not tensor.is_floating_point():
        note = f"{dtype_name(tensor.dtype)} cannot hold a gradient; use float32"
        return Comparison(name, Verdict.DTYPE, notes=(*answer.notes, note))
    notes = answer.notes
    if tensor.dtype != expected.dtype:
        notes = (*notes, f"{dtype_name(tensor.dtype)}, compared as float32")
        tensor = tensor.to(expected.dtype)
    if tensor.shape != expected.shape:
        shape, expected_shape = list(tensor.shape), list(expected.shape)
        if not _broadcasts(tensor.shape, expected.shape):
            return Comparison(name, Verdict.SHAPE, notes=(*notes, f"shape {shape} does not fit {expected_shape}"))
        notes = (*notes, f"shape {shape}, compared with {expected_shape} by broadcasting")
    elif torch.equal(tensor, expected):  # most answers are equal, and this is the cheapest test
        return Comparison(name, Verdict.EXACT, True, True, 0.0, 0, 0, notes=notes)
    return _compare_values(name, tensor, expected, notes)


def _verdict_without_tensor(answer: Answer, expected: Tensor) -> Verdict:
    if answer.dtype is not None and answer.dtype.startswith("complex"):
        return Verdict.DTYPE
    if answer.shape is not None and not _broadcasts(answer.shape, expected.shape):
        return Verdict.SHAPE
    return Verdict.MISSING


def _broadcasts(shape: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    """Whether ``cmp`` could compare an answer of this shape, and there is something to compare."""
    try:
        common: tuple[int, ...] = torch.broadcast_shapes(shape, expected)
    except RuntimeError:
        return False
    return 0 < math.prod(common) <= BROADCAST_ELEMENTS_MAX


def _compare_values(name: str, tensor: Tensor, expected: Tensor, notes: tuple[str, ...]) -> Comparison:
    # With numpy: a dozen small operations on tensors cost more than the rest of the comparison.
    shape = expected.shape
    stretched = tensor
    if tensor.shape != shape:
        shape = torch.broadcast_shapes(tensor.shape, shape)
        stretched, expected = tensor.expand(shape), expected.expand(shape)
    have, want = stretched.numpy(), expected.numpy()
    with np.errstate(invalid="ignore", over="ignore"):
        difference = np.abs(have - want)
        maxdiff = float(difference.max())
        if not math.isfinite(maxdiff):
            bad = int((~tensor.isfinite()).sum())
            if bad:
                notes = (*notes, f"{bad} of {tensor.numel()} elements are NaN or infinite")
                return Comparison(name, Verdict.NOT_FINITE, maxdiff=maxdiff, mismatched=bad, notes=notes)
            close = np.isclose(have, want, RTOL, ATOL)  # an infinity is close to itself only
            mismatched = close.size - int(np.count_nonzero(close))
        elif maxdiff <= ATOL:  # so are most answers whose operations have another order
            mismatched = 0
        else:
            close = difference <= ATOL + np.abs(RTOL * want)  # the formula of torch.allclose
            mismatched = close.size - int(np.count_nonzero(close))
    exact = not 0 < maxdiff < math.inf and bool((have == want).all())
    approximate = mismatched == 0
    verdict = Verdict.EXACT if exact else Verdict.APPROXIMATE if approximate else Verdict.WRONG
    return Comparison(
        name,
        verdict,
        exact,
        approximate,
        maxdiff,
        ulps=_ulps(have, want),
        mismatched=mismatched,
        worst=None if exact else _index(int(difference.argmax()), shape),
        notes=notes,
    )


def _index(position: int, shape: torch.Size) -> tuple[int, ...]:
    """Return the index of an element from its position in the flattened tensor."""
    index = []
    for length in reversed(shape):
        position, coordinate = divmod(position, length)
        index.append(coordinate)
    return tuple(reversed(index))


def _ulps(have: npt.NDArray[np.float32], want: npt.NDArray[np.float32]) -> int:
    """Return how many floats lie between two tensors, at the elements where most do."""
    bits, others = (np.ascontiguousarray(each).view(np.int32) for each in (have, want))
    if (bits ^ others).min() >= 0:  # all signs are alike: the difference of the bits is that of the sizes
        return int(np.abs(bits - others).max())
    return int(np.abs(np.subtract(_ordinals(have), _ordinals(want), dtype=np.int64)).max())


def _ordinals(values: npt.NDArray[np.float32]) -> Ordinals:
    """Map float32 to int32 so that neighbouring floats have neighbouring integers; both zeros map to 0."""
    bits = np.ascontiguousarray(values).view(np.int32)
    # A negative float has its sign in the first bit and its size in the others.
    sign = bits >> 31
    return ((bits & 0x7FFFFFFF) ^ sign) - sign
