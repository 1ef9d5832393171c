"""The sum inside the derivative of one operation, such as that of a softmax: ``y * (dy - (y * dy).sum(1))``.

The line is gone back through once more with that sum along another axis, over everything, left out, or turned around.
So nothing here knows the formula of an operation: ``error_bounds`` takes its derivative apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from grader.diagnosis.case import Case, Edge
from grader.diagnosis.codes import Code, Finding
from grader.diagnosis.repair import replaced
from grader.error_bounds import DECOMPOSED

NODES: Final = frozenset({"SoftmaxBackward0", "LogSoftmaxBackward0"})

# (what is summed, the axis of the sum) → what stands in place of the sum
Change = Callable[[Tensor, int], Tensor]


def in_the_derivative(case: Case) -> Iterator[Finding]:
    """Find another sum in the derivative of a line."""
    for edge in case.edges:
        if not case.altered.nodes(edge.step.name) & NODES:
            continue
        for change, findings in _changes(edge):
            term, axis = _back(edge, change)
            arrived = None if term is None else case.arrives(edge, term)
            if arrived is None or case.same(edge.share, arrived) or not case.same(edge.observed, arrived):
                continue
            repair = replaced(case, arrived, edge.share)
            for code, form, values in findings:
                values = {"read": edge.read, "axis": axis, **values}
                yield Finding(code, form, edge.step.name, repair, **values)
            return


_Findings = Sequence[tuple[Code, str, dict[str, Any]]]


def _changes(edge: Edge) -> Iterator[tuple[Change, _Findings]]:
    """Yield what may stand in place of the sum, and what it is called."""
    for other in range(edge.step.output.dim()):
        yield partial(_along, other), [(Code.WRONG_AXIS, "derivative_sum", {"other_axis": other})]
    yield lambda summed, axis: summed.sum(), [(Code.WRONG_AXIS, "derivative_sum_of_all", {})]
    yield lambda summed, axis: summed, [(Code.NOT_REDUCED, "derivative_sum", {})]
    yield (
        lambda summed, axis: torch.zeros_like(summed.sum(axis, keepdim=True)),
        [(Code.MISSING_TERM, "derivative_sum", {})],
    )
    yield lambda summed, axis: -summed.sum(axis, keepdim=True), [(Code.TERM_SIGN, "derivative_sum", {})]


def _along(other: int, summed: Tensor, axis: int) -> Tensor:
    return summed.sum(other, keepdim=True)


def _back(edge: Edge, change: Change) -> tuple[Tensor | None, int]:
    """Return the term of an edge with a changed sum, None if the shapes do not allow it, and the axis of the sum."""
    mode = _ChangedSum(change)
    try:
        with mode:
            (term,) = torch.autograd.grad(
                edge.step.output, edge.step.reads[edge.read], edge.upstream, retain_graph=True, materialize_grads=True
            )
    except RuntimeError:
        return None, mode.axis
    return term, mode.axis


class _ChangedSum(TorchDispatchMode):
    """Goes back through a line with something else in place of the sums inside the derivatives of its operations."""

    def __init__(self, change: Change) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._change = change
        self._inside = False
        self.axis = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Say that nothing here is compiled, so that torch does not import its compiler."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        if name in DECOMPOSED:
            self._inside = True
            with self:
                result = DECOMPOSED[name](*args)
            self._inside = False
            return result
        if self._inside and name == "sum":
            self.axis = args[1][0] % args[0].dim()
            return self._change(args[0], self.axis)
        return func(*args, **(kwargs or {}))
