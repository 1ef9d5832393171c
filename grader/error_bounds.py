"""How far float32 arithmetic may come from the true gradient: the backward pass in float64, with bounds of its error.

A right derivation in another style does the same operations in another order, and rounds otherwise. How far it may come
out is known before it is computed (Higham 2002, *Accuracy and Stability of Numerical Algorithms*, §3.1): a sum of k
terms is off by at most γₖ times the sum of their absolute values, where γₖ = ku / (1 - ku), u = 2⁻²⁴ in float32.

The backward pass is played in float64 from the frozen forward state. Each operation that PyTorch does on the way is
intercepted, and beside its result the bound of its error in float32 is computed, by one of four rules:

1. *Linear*, such as a sum, a view or an index: the bounds of what goes in, added as the operation adds, and γ of the
   number of terms less one. What only moves numbers adds nothing.
2. *Bilinear*, such as a product: |a|·error(b) + error(a)·|b|, and γ of the number of products in each sum.
3. *Elementwise functions*: how far the result moves when the argument moves by its bound, and a few ulps.
4. The derivatives that PyTorch has as one operation, such as that of ``tanh``, are taken apart into such operations.

A value of the forward pass counts as known to a few ulps: another style reads another tensor of the same meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, overload

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from exercises import forward_source
from exercises.instance import Instance
from exercises.tape import CutTape, Step
from grader.reference import reference
from grader.rounding import sum_of

UNIT = 2.0**-24  # the unit roundoff of float32
# The error of a value of the forward pass, and of a nonlinear function of one, in unit roundoffs.
FORWARD_ROUNDINGS = 4
SMALL_CONSTANT = 1e-3  # a number that keeps a division or a root from its edge is smaller
SMALLEST = 1.2e-38  # below this, float32 rounds to a fixed step


class Unbounded(RuntimeError):
    """An operation of the backward pass has no rule, so no bound can be given."""


@dataclass(frozen=True)
class Bounded:
    """A gradient in float64, and by element how far float32 arithmetic may come from it."""

    value: Tensor
    error: Tensor

    def covers(self, answer: Tensor) -> bool:
        """Whether an answer of this shape differs by rounding only."""
        # With numpy, as in grader.compare: small operations on tensors cost three times as much.
        with np.errstate(all="ignore"):
            return bool((np.abs(answer.numpy() - self.value.numpy()) <= self.error.numpy()).all())


class FrozenTape(CutTape):
    """A cut tape in float64. Each step reads the frozen values of the forward state.

    ``frozen`` is the forward state. What a step computes from it is not read by the next one.
    """

    _frozen: Mapping[str, Tensor]

    def __init__(self, given: Mapping[str, Tensor], frozen: Mapping[str, Tensor]) -> None:
        object.__setattr__(self, "_frozen", frozen)
        super().__init__(given)

    def _prepare(self, value: Tensor) -> Tensor:
        return value.detach().double() if value.is_floating_point() else value

    def _write(self, name: str, value: Tensor) -> Tensor:
        super()._write(name, value)
        return self._frozen[name].double()


class FrozenSteps(Sequence[Step]):
    """Steps in float64, in the order of the forward pass. Each is played when it is asked for first.

    ``reads`` maps each step to the names that it reads. ``play`` plays a step.
    """

    def __init__(self, reads: Mapping[str, Sequence[str]], play: Callable[[str], Step]) -> None:
        self.reads = dict(reads)
        self._play = play
        self._names = list(reads)
        self._played: dict[str, Step] = {}

    def named(self, name: str) -> Step:
        """Return a step."""
        if name not in self._played:
            self._played[name] = self._play(name)
        return self._played[name]

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, index: int) -> Step: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Step]: ...
    def __getitem__(self, index: int | slice) -> Step | Sequence[Step]:
        if isinstance(index, slice):
            return [self.named(name) for name in self._names[index]]
        return self.named(self._names[index])


class BoundedBackward:
    """The backward pass in float64 from given upstream gradients, played as far as it is asked for.

    ``given`` maps steps to the gradients of their outputs. They count as exact. A step that is not among them gets the
    gradient that the pass itself gives there, with its bound; the loss gets 1.
    """

    def __init__(self, steps: FrozenSteps, given: Mapping[str, Tensor]) -> None:
        self._given = dict(given)
        self._steps = steps
        self._consumers: dict[str, list[str]] = {}
        for step, reads in reversed(steps.reads.items()):
            for read in reads:
                self._consumers.setdefault(read, []).append(step)
        self._terms: dict[str, dict[str, Bounded]] = {}
        self._gradients: dict[str, Bounded] = {}

    def gradient(self, name: str) -> Bounded:
        """Return the gradient of a tensor, given what is above it.

        :raises Unbounded: an operation on the way has no rule
        """
        if name not in self._gradients:
            self._gradients[name] = self._sum([self.terms(step)[name] for step in self._consumers[name]])
        return self._gradients[name]

    def terms(self, step: str) -> Mapping[str, Bounded]:
        """Return the name of each tensor that a step reads → what the step adds to its gradient.

        :raises Unbounded: an operation on the way has no rule
        """
        if step not in self._terms:
            self._terms[step] = bounded_back(self._steps.named(step), self.upstream(step))
        return self._terms[step]

    def carry_through(self, step: str) -> None:
        """Forget the upstream gradient of a step, before it was asked for: the pass itself gives one."""
        self._given.pop(step, None)

    def consumers(self, name: str) -> list[str]:
        """Return the steps that read a tensor, the last one first."""
        return list(self._consumers[name])

    def upstream(self, step: str) -> Bounded:
        """Return the gradient of a step's output.

        :raises Unbounded: an operation on the way has no rule
        """
        output = self._steps.named(step).output
        if step in self._given:
            upstream = self._given[step].to(output.dtype)
        elif step in self._consumers:
            return self.gradient(step)
        else:
            upstream = torch.ones_like(output) if step == "loss" else torch.zeros_like(output)
        return Bounded(upstream, torch.zeros_like(upstream))

    @staticmethod
    def _sum(terms: Sequence[Bounded]) -> Bounded:
        value, error = sum_of([term.value for term in terms]), sum_of([term.error for term in terms])
        if len(terms) > 1:
            error = error + _gamma(len(terms) - 1) * sum_of([term.value.abs() for term in terms])
        return Bounded(value, error)


@lru_cache(maxsize=32)  # at most some 1 MB each
def frozen_steps(instance: Instance) -> FrozenSteps:
    """Return the steps of an instance in float64, each from the frozen values."""
    right = reference(instance)
    lines = {line.name: line for piece in instance.exercise.pieces for line in forward_source.read(piece).lines}

    reads = {step.name: list(step.reads) for step in right.cut.steps}

    def play(name: str) -> Step:
        # What is no floating number has no gradient, so ``reads`` leaves it out.
        given = {each: value for each, value in right.state.items() if each in reads[name] or not _is_real(value)}
        tape = FrozenTape(given, right.state)
        lines[name].play(tape)
        return tape.steps[0]

    return FrozenSteps(reads, play)


def step_without_constant(instance: Instance, name: str) -> tuple[Step, float] | None:
    """Return a step in float64 without the small number that its line adds, such as 1e-5, and that number.

    None if the line adds none.
    """
    lines = (line for piece in instance.exercise.pieces for line in forward_source.read(piece).lines)
    altered = next(line for line in lines if line.name == name).without_small_constant(SMALL_CONSTANT)
    if altered is None:
        return None
    state = reference(instance).state
    tape = FrozenTape({each: value for each, value in state.items() if each != name}, state)
    altered[0].play(tape)
    return tape.steps[0], altered[1]


def bounded_back(step: Step, upstream: Bounded) -> dict[str, Bounded]:
    """Go back through one step; return the name of each tensor that it reads → what it adds to its gradient.

    :raises Unbounded: an operation has no rule
    """
    mode = _BoundsMode()
    mode.set(upstream.value, upstream.error)
    with mode:
        values = torch.autograd.grad(
            step.output, list(step.reads.values()), upstream.value, retain_graph=True, materialize_grads=True
        )
    # The last rounding is that of the answer itself, where a style keeps it in float64 until the end.
    return {
        read: Bounded(value, mode.error_of(value) + UNIT * value.abs() + SMALLEST)
        for read, value in zip(step.reads, values, strict=True)
    }


def _gamma(roundings: Any) -> Any:
    """Return γₖ, the relative error of k roundings (Higham 2002, §3.1)."""
    return roundings * UNIT / (1 - roundings * UNIT)


class _BoundsMode(TorchDispatchMode):
    """Computes a bound beside each result of the backward pass."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        # A tensor is kept with its bound, so that its id is not used again.
        self._errors: dict[int, tuple[Tensor, Tensor]] = {}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:  # pragma: no mutate block, torch calls it early
        """Say that nothing here is compiled, so that torch does not import its compiler: 0.6 s and 40 MiB."""
        return False

    def set(self, tensor: Tensor, error: Tensor) -> None:
        """Write down the bound of a tensor."""
        self._errors[id(tensor)] = tensor, error

    def error_of(self, value: Tensor) -> Tensor:
        """Return the bound of a tensor; a value of the forward pass is known to a few ulps."""
        known = self._errors.get(id(value))
        return value.abs() * (FORWARD_ROUNDINGS * UNIT) if known is None else known[1]

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = func.overloadpacket.__name__
        if name in DECOMPOSED:
            with self:
                return DECOMPOSED[name](*args)
        rule = RULES.get(name)
        result = func(*args, **kwargs)
        if _is_real(result) or isinstance(result, list | tuple):
            if rule is None:
                raise Unbounded(f"{func} has no rule")
            self.set(result, rule(self, lambda *changed: func(*changed, **kwargs), args, result))
        return result


# (the mode, the operation, its arguments, its result) → the bound of the result
Rule = Callable[[_BoundsMode, Callable[..., Tensor], Sequence[Any], Tensor], Tensor]


def _is_real(argument: Any) -> bool:
    return isinstance(argument, Tensor) and argument.is_floating_point()


def _mapped(function: Callable[[Tensor], Tensor], arguments: Sequence[Any]) -> list[Any]:
    """Return the arguments with a function of each real tensor, those in lists included, in its place."""
    return [
        function(each)
        if _is_real(each)
        else _mapped(function, each)
        if isinstance(each, list | tuple) and any(map(_is_real, each))
        else each
        for each in arguments
    ]


def _linear(mode: _BoundsMode, apply: Callable[..., Tensor], arguments: Sequence[Any], result: Tensor) -> Tensor:
    carried = _moved(mode, apply, arguments, result)
    terms = apply(*_mapped(lambda each: (each != 0).to(each.dtype), arguments))
    sizes = apply(*_mapped(torch.abs, arguments))
    return torch.add(carried, _gamma((terms - 1).clamp(min=0)) * sizes)


def _moved(mode: _BoundsMode, apply: Callable[..., Tensor], arguments: Sequence[Any], result: Tensor) -> Tensor:
    return apply(*_mapped(mode.error_of, arguments))


def _bilinear(product: Callable[[Tensor, Tensor], Tensor]) -> Rule:
    def bound(mode: _BoundsMode, apply: Callable[..., Tensor], arguments: Sequence[Any], result: Tensor) -> Tensor:
        one, other = map(_as_tensor, arguments[:2])
        a, b = one.abs(), other.abs()
        roundings = product(torch.ones_like(a), torch.ones_like(b))
        carried = product(a, mode.error_of(other)) + product(mode.error_of(one), b)
        return torch.add(carried, _gamma(roundings) * product(a, b))

    return bound


def _added(mode: _BoundsMode, apply: Callable[..., Tensor], arguments: Sequence[Any], result: Tensor) -> Tensor:
    one, other = map(_as_tensor, arguments[:2])
    return mode.error_of(one) + mode.error_of(other) + UNIT * (one.abs() + other.abs())


def _divided(mode: _BoundsMode, apply: Callable[..., Tensor], arguments: Sequence[Any], result: Tensor) -> Tensor:
    one, other = map(_as_tensor, arguments[:2])
    return (mode.error_of(one) + result.abs() * (mode.error_of(other) + UNIT * other.abs())) / other.abs()


def _function(mode: _BoundsMode, apply: Callable[..., Tensor], arguments: Sequence[Any], result: Tensor) -> Tensor:
    argument, error = arguments[0], mode.error_of(arguments[0])
    moved = [(apply(argument + step, *arguments[1:]) - result).abs() for step in (error, -error)]
    return torch.maximum(*moved).nan_to_num(nan=torch.inf) + FORWARD_ROUNDINGS * UNIT * result.abs()


def _nothing(mode: _BoundsMode, apply: Callable[..., Tensor], arguments: Sequence[Any], result: Tensor) -> Tensor:
    return torch.zeros_like(result)


def _as_tensor(number: Any) -> Tensor:
    return number if isinstance(number, Tensor) else torch.tensor(number, dtype=torch.float64)


def _rules(names: str, rule: Rule) -> dict[str, Rule]:
    return dict.fromkeys(names.split(), rule)


RULES: Mapping[str, Rule] = {
    **_rules("view _unsafe_view expand t transpose permute detach alias clone squeeze unsqueeze slice select", _moved),
    **_rules("slice_backward select_backward diagonal_backward _to_copy flip tril triu constant_pad_nd roll", _moved),
    **_rules("cat stack where scatter gather index masked_fill repeat", _moved),
    **_rules("sum cumsum index_put _unsafe_index_put index_add scatter_add", _linear),
    **{name: _bilinear(getattr(torch, name)) for name in ("mul", "mm", "bmm", "mv", "dot")},
    **_rules("add sub rsub", _added),
    **_rules("div", _divided),
    **_rules("pow exp log tanh sigmoid sqrt rsqrt reciprocal sin cos erf abs", _function),
    **_rules("zeros ones full zeros_like ones_like full_like new_zeros new_ones new_full scalar_tensor", _nothing),
    **_rules("neg", lambda mode, apply, arguments, result: mode.error_of(arguments[0])),
}


def _mean(values: Tensor, dims: Sequence[int] | None = None, keepdim: bool = False, *_: Any) -> Tensor:
    total = values.sum(None if dims is None else tuple(dims), keepdim=keepdim)
    return total / (values.numel() // max(1, total.numel()))


# Derivatives that are one operation in PyTorch → the same in operations that have rules.
DECOMPOSED: Mapping[str, Callable[..., Tensor]] = {
    "mean": _mean,  # in the derivative of ``var``
    "tanh_backward": lambda upstream, output: upstream * (1 - output * output),
    "sigmoid_backward": lambda upstream, output: upstream * (output * (1 - output)),
    "threshold_backward": lambda upstream, argument, threshold: torch.where(
        argument > threshold, upstream, torch.zeros_like(upstream)
    ),
    "_softmax_backward_data": lambda upstream, output, dim, dtype: (
        output * (upstream - (upstream * output).sum(dim, keepdim=True))
    ),
    # Of a mean over the rows, as ``F.cross_entropy`` takes it.
    "nll_loss_backward": lambda upstream, output, target, *_: (
        -(upstream / output.shape[0]) * torch.zeros_like(output).scatter(1, target.unsqueeze(1), 1.0)
    ),
    "_log_softmax_backward_data": lambda upstream, output, dim, dtype: (
        upstream - output.exp() * upstream.sum(dim, keepdim=True)
    ),
}
