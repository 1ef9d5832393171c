"""The derivative of a softmax and of its logarithm: ``y * (dy - (y * dy).sum(1))`` and ``dy - y.exp() * dy.sum(1)``.

Each has a part at the element's own place, the direct part, and a part with a sum. The line is gone back through once
more with one thing changed in one of the two parts. What arrives is compared with what the student has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from grader.diagnosis.case import Case, Edge
from grader.diagnosis.codes import Code, Finding
from grader.diagnosis.repair import replaced
from grader.reference.backward import go_back

NODES: Final = frozenset({"SoftmaxBackward0", "LogSoftmaxBackward0"})
BACKWARD: Final = frozenset({"_softmax_backward_data", "_log_softmax_backward_data"})


@dataclass(frozen=True)
class Derivative:
    """The derivative of a softmax or of its logarithm, at the output ``output`` for the gradient ``upstream``."""

    upstream: Tensor
    output: Tensor
    axis: int
    of_logarithm: bool

    @property
    def factor(self) -> Tensor:
        """The factor of the part with the sum: the probabilities."""
        return self.output.exp() if self.of_logarithm else self.output

    @property
    def summed(self) -> Tensor:
        """What is summed."""
        return self.upstream if self.of_logarithm else self.upstream * self.output

    def sum(self, summed: Tensor | None = None) -> Tensor:
        """Return the sum along the axis."""
        return (self.summed if summed is None else summed).sum(self.axis, keepdim=True)

    def with_total(self, total: Tensor) -> Tensor:
        """Return the derivative with something in place of the sum."""
        return self.with_parts(self.upstream, total)

    def with_parts(self, direct: Tensor, total: Tensor) -> Tensor:
        """Return the derivative with something in place of both parts: the direct one, and the sum."""
        return direct - self.factor * total if self.of_logarithm else self.factor * (direct - total)


@dataclass(frozen=True)
class Change:
    """A derivative with one thing changed, and what the change is called."""

    value: Callable[[Derivative], Tensor]
    code: Code
    form: str
    other_axis: int | None = None


def in_the_derivative(case: Case) -> Iterator[Finding]:
    """Find one thing that is changed in the derivative of a softmax."""
    for edge in case.edges:
        if not case.altered.nodes(edge.step.name) & NODES:
            continue
        for change in _changes(edge):
            term, axis = _back(edge, change)
            arrived = None if term is None else case.arrives(edge, term)
            if arrived is None or case.same(edge.share, arrived) or not case.same(edge.observed, arrived):
                continue
            values: dict[str, Any] = {"read": edge.read, "axis": axis, "other_axis": change.other_axis}
            yield Finding(change.code, change.form, edge.step.name, replaced(case, arrived, edge.share), **values)
            return


def _changes(edge: Edge) -> Iterator[Change]:
    """Yield what students write in place of a derivative."""
    for other in range(edge.step.output.dim()):
        yield Change(_along(other), Code.WRONG_AXIS, "derivative_sum", other)
    yield from CHANGES
    for read in edge.step.reads.values():
        if read.shape == edge.step.output.shape and read.is_floating_point():
            yield Change(_with_value(read.detach()), Code.MISSING_LOCAL, "derivative_sum_of_another")


def _along(other: int) -> Callable[[Derivative], Tensor]:
    return lambda d: d.with_total(d.summed.sum(other, keepdim=True))


def _with_value(value: Tensor) -> Callable[[Derivative], Tensor]:
    """Return a derivative with another value in place of the output, in the part with the sum."""
    return lambda d: d.upstream - value.exp() * d.sum() if d.of_logarithm else d.with_total(d.sum(d.upstream * value))


CHANGES: Final = (
    Change(lambda d: d.with_total(d.summed.sum()), Code.WRONG_AXIS, "derivative_sum_of_all"),
    Change(lambda d: d.with_total(d.summed), Code.NOT_REDUCED, "derivative_sum"),
    Change(lambda d: d.with_total(torch.zeros_like(d.sum())), Code.MISSING_TERM, "derivative_sum"),
    Change(lambda d: d.with_total(-d.sum()), Code.TERM_SIGN, "derivative_sum"),
    Change(lambda d: d.with_total(2 * d.sum()), Code.DOUBLE_COUNTED, "derivative_sum"),
    Change(lambda d: d.with_total(d.summed.mean(d.axis, keepdim=True)), Code.TERM_SCALE, "derivative_mean"),
    Change(
        lambda d: d.with_parts(torch.zeros_like(d.upstream), d.sum()), Code.MISSING_TERM, "derivative_direct"
    ),
    Change(lambda d: d.with_parts(-d.upstream, d.sum()), Code.TERM_SIGN, "derivative_direct"),
    Change(lambda d: d.with_parts(2 * d.upstream, d.sum()), Code.DOUBLE_COUNTED, "derivative_direct"),
    Change(lambda d: d.with_parts(d.output, d.sum()), Code.MISSING_UPSTREAM, "derivative_direct"),
    # In the sum, the output stands for the gradient.
    Change(
        lambda d: d.with_total(d.sum(d.output if d.of_logarithm else d.output * d.output)),
        Code.MISSING_UPSTREAM,
        "derivative_sum",
    ),
    # The gradient does not show in the part with the sum.
    Change(
        lambda d: d.with_total(torch.ones_like(d.sum()) if d.of_logarithm else d.sum(d.output)),
        Code.MISSING_UPSTREAM,
        "derivative_sum_alone",
    ),
    # The probabilities are left out of the part with the sum, or divide.
    Change(
        lambda d: d.upstream - d.sum() if d.of_logarithm else d.with_total(d.sum(d.upstream)),
        Code.MISSING_LOCAL,
        "derivative_sum",
    ),
    Change(
        lambda d: d.upstream - d.sum() / d.factor if d.of_logarithm else d.with_total(d.sum(d.upstream / d.output)),
        Code.MISSING_LOCAL,
        "derivative_sum_divided",
    ),
    # The probabilities are left out in front of the parenthesis. A log-softmax has none there: nothing changes.
    Change(
        lambda d: d.with_total(d.sum()) if d.of_logarithm else d.upstream - d.sum(),
        Code.MISSING_LOCAL,
        "derivative_factor",
    ),
    # The logarithm stands where the probabilities belong.
    Change(
        lambda d: d.upstream - d.output * d.sum() if d.of_logarithm else d.with_total(d.sum()),
        Code.MISSING_LOCAL,
        "derivative_sum_of_another",
    ),
)  # fmt: skip


def _back(edge: Edge, change: Change) -> tuple[Tensor | None, int]:
    """Return the term of an edge with a changed derivative, None if the shapes do not allow it, and the axis."""
    mode = _Changed(change)
    try:
        with mode:
            (term,) = go_back([edge.step.output], [edge.step.reads[edge.read]], [edge.upstream])
    except RuntimeError:
        return None, mode.axis
    return term, mode.axis


class _Changed(TorchDispatchMode):
    """Goes back through a line with a changed derivative of its softmax."""

    def __init__(self, change: Change) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._change = change
        self.axis = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Say that nothing here is compiled, so that torch does not import its compiler."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        if name not in BACKWARD:
            return func(*args, **(kwargs or {}))
        upstream, output, axis = args[:3]
        self.axis = axis % output.dim()
        return self._change.value(Derivative(upstream, output, self.axis, name == "_log_softmax_backward_data"))
