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

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from exercises.instance import Instance
from exercises.language.forward import Line
from exercises.tape import CutTape, Step
from grader.reference.backward import go_back
from grader.reference.dissection import kept_with_dissection
from grader.reference.gradients import reference
from grader.rounding.closeness import sum_of

UNIT = 2.0**-24  # the unit roundoff of float32
# The error of a value of the forward pass, and of a nonlinear function of one, in unit roundoffs.
FORWARD_ROUNDINGS = 4
SMALL_CONSTANT = 1e-3  # a number that keeps a division or a root from its edge is smaller
SMALLEST = 1.2e-38  # below this, float32 rounds to a fixed step
MAY_BE_ROUNDING = 1e-4  # of the largest term of a sum; a larger difference is not worth the price of the bound


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


class Float64Tape(CutTape):
    """A cut tape in float64."""

    def _converted(self, value: Tensor) -> Tensor:
        return value.detach().double() if _is_real(value) else value


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


@kept_with_dissection
def frozen_steps(instance: Instance) -> FrozenSteps:
    """Return the steps of an instance in float64, each from the frozen values."""
    steps, lines = reference(instance).cut.steps, instance.exercise.forward.by_name
    return FrozenSteps({step.name: list(step.reads) for step in steps}, lambda name: _played(instance, lines[name]))


def step_without_constant(instance: Instance, name: str) -> tuple[Step, float] | None:
    """Return a step in float64 without the small number that its line adds, such as 1e-5, and that number.

    None if the line adds none.
    """
    altered = instance.exercise.forward.by_name[name].without_small_constant(SMALL_CONSTANT)
    return altered and (_played(instance, altered[0]), altered[1])


def _played(instance: Instance, line: Line) -> Step:
    """Play a line in float64 from the frozen values of the forward state."""
    state = reference(instance).state
    tape = Float64Tape({read: state[read] for read in line.reads}, instance.exercise.without_gradient)
    line.play(tape)
    return tape.steps[0]


def bounded_back(step: Step, upstream: Bounded) -> dict[str, Bounded]:
    """Go back through one step; return the name of each tensor that it reads → what it adds to its gradient.

    :raises Unbounded: an operation has no rule
    """
    mode = _BoundsMode()
    mode.set(upstream.value, upstream.error)
    with mode:
        values = go_back([step.output], list(step.reads.values()), [upstream.value])
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
                return DECOMPOSED[name](*args, **kwargs)
        if name == "convolution_backward":
            return self._convolution_back(func, args)
        if name.endswith("_") and name[:-1] in RULES:
            with self:
                value = getattr(torch.ops.aten, name[:-1])(*args, **kwargs)
            args[0].copy_(value)
            self.set(args[0], self.error_of(value))
            return args[0]
        rule = RULES.get(name)
        result = func(*args, **kwargs)
        if _is_real(result) or isinstance(result, list | tuple):
            if rule is None:
                raise Unbounded(f"{func} has no rule")
            self.set(result, rule(self, lambda *changed: func(*changed, **kwargs), args, result))
        return result

    def _convolution_back(self, func: Any, args: Sequence[Any]) -> Any:
        """Go back through a convolution: three results, each bilinear in two of the first three arguments."""
        results = func(*args)
        tensors, rest = args[:3], args[3:]
        sizes = [each.abs() for each in tensors]
        errors = [self.error_of(each) for each in tensors]
        products = func(*map(torch.ones_like, tensors), *rest)
        whole, carried = func(*sizes, *rest), func(errors[0], *sizes[1:], *rest)
        through_values = func(sizes[0], *errors[1:], *rest)
        for number, result in enumerate(results):
            if result is not None:
                error = carried[number] + _gamma(products[number]) * whole[number]
                self.set(result, error + through_values[number] if number < BIAS else error)
        return results


BIAS = 2  # its place among the results of a convolution's backward pass

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


def _mean(mode: _BoundsMode, apply: Callable[..., Tensor], arguments: Sequence[Any], result: Tensor) -> Tensor:
    count = arguments[0].numel() // max(result.numel(), 1)
    return torch.add(_moved(mode, apply, arguments, result), _gamma(count) * apply(*_mapped(torch.abs, arguments)))


def _weighted(terms: Callable[[Sequence[Any], Tensor], float]) -> Rule:
    """Return the rule of a sum with weights of its own, of at most so many terms, as of an average or interpolation."""

    def bound(mode: _BoundsMode, apply: Callable[..., Tensor], arguments: Sequence[Any], result: Tensor) -> Tensor:
        roundings = terms(arguments, result) + 2 * FORWARD_ROUNDINGS
        sizes = apply(*_mapped(torch.abs, arguments))
        return torch.add(_moved(mode, apply, arguments, result), _gamma(roundings) * sizes)

    return bound


def _running_product(
    mode: _BoundsMode, apply: Callable[..., Tensor], arguments: Sequence[Any], result: Tensor
) -> Tensor:
    # Of values of the forward pass, each known to a few ulps.
    return torch.mul(result.abs(), _gamma((FORWARD_ROUNDINGS + 1) * arguments[0].shape[arguments[1]]))


def _nothing(mode: _BoundsMode, apply: Callable[..., Tensor], arguments: Sequence[Any], result: Tensor) -> Tensor:
    return torch.zeros_like(result)


def _as_tensor(number: Any) -> Tensor:
    return number.double() if isinstance(number, Tensor) else torch.tensor(number, dtype=torch.float64)


def _rules(names: str, rule: Rule) -> dict[str, Rule]:
    return dict.fromkeys(names.split(), rule)


RULES: Mapping[str, Rule] = {
    **_rules(
        "view reshape _unsafe_view expand t transpose permute detach alias clone squeeze unsqueeze slice select", _moved
    ),
    **_rules("slice_backward select_backward diagonal_backward _to_copy flip tril triu constant_pad_nd roll", _moved),
    **_rules("cat stack where scatter gather index masked_fill repeat", _moved),
    **_rules("sum cumsum index_put _unsafe_index_put index_add scatter_add", _linear),
    **_rules("unfold_backward max_pool2d_with_indices_backward", _linear),
    **_rules("reflection_pad1d_backward reflection_pad2d_backward", _linear),
    **_rules("replication_pad1d_backward replication_pad2d_backward", _linear),
    **_rules("upsample_nearest1d_backward upsample_nearest2d_backward", _linear),
    **_rules("avg_pool2d_backward", _weighted(lambda arguments, result: math.prod(arguments[2]))),
    **_rules("_adaptive_avg_pool2d_backward", _weighted(lambda arguments, result: arguments[0].numel())),
    **_rules(
        "upsample_linear1d_backward upsample_bilinear2d_backward",
        # Each number goes to its two neighbours along an axis, from as many places as the axis has grown by, and one.
        _weighted(lambda arguments, result: 4 * (arguments[0].numel() / result.numel() + 2) ** 2),
    ),
    **_rules("mean", _mean),
    **_rules("cumprod", _running_product),
    **{name: _bilinear(getattr(torch, name)) for name in ("mul", "mm", "bmm", "mv", "dot")},
    **_rules("add sub rsub", _added),
    **_rules("div", _divided),
    **_rules("pow exp log tanh sigmoid sqrt rsqrt reciprocal sin cos erf abs", _function),
    **_rules("sinh cosh tan atan asin acos log1p expm1 log2 exp2 erfc", _function),
    **_rules("sgn sign", _nothing),
    **_rules("zeros ones full zeros_like ones_like full_like new_zeros new_ones new_full scalar_tensor", _nothing),
    **_rules("neg", lambda mode, apply, arguments, result: mode.error_of(arguments[0])),
}


def _gelu_back(upstream: Tensor, x: Tensor, approximate: str = "none") -> Tensor:
    if approximate == "none":
        share = 0.5 * (1 + torch.erf(x * math.sqrt(0.5)))
        return upstream * (share + x * (torch.exp(-0.5 * (x * x)) * math.sqrt(0.5 / math.pi)))
    scale = math.sqrt(2 / math.pi)
    t = torch.tanh(scale * (x + 0.044715 * (x * x * x)))
    return upstream * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * (scale * (1 + 3 * 0.044715 * (x * x))))


def _silu_back(upstream: Tensor, x: Tensor) -> Tensor:
    share = torch.sigmoid(x)
    return upstream * (share * (1 + x * (1 - share)))


def _elu_back(upstream: Tensor, alpha: float, scale: float, input_scale: float, is_result: bool, x: Tensor) -> Tensor:
    below = input_scale * (x + alpha * scale) if is_result else input_scale * alpha * scale * torch.exp(x * input_scale)
    return torch.where(x > 0, upstream * scale, upstream * below)


def _layer_norm_back(
    upstream: Tensor, x: Tensor, shape: Sequence[int], mean: Tensor, inverse: Tensor, *rest: Any
) -> tuple[Tensor | None, ...]:
    weight, _, wanted = rest
    axes = list(range(x.dim() - len(shape), x.dim()))
    normed = (x - mean) * inverse
    scaled = upstream if weight is None else upstream * weight
    shift, turn = scaled.mean(axes, keepdim=True), (scaled * normed).mean(axes, keepdim=True)
    others = list(range(x.dim() - len(shape)))
    return (
        inverse * (scaled - shift - normed * turn) if wanted[0] else None,
        (upstream * normed).sum(others) if wanted[1] else None,
        upstream.sum(others) if wanted[2] else None,
    )


def _group_norm_back(
    upstream: Tensor, x: Tensor, mean: Tensor, inverse: Tensor, weight: Tensor | None, *rest: Any
) -> tuple[Tensor | None, ...]:
    rows, channels, _, groups, wanted = rest
    grouped, spread = (rows, groups, -1), (channels, *[1] * (x.dim() - 2))
    scale = inverse.reshape(rows, groups, 1)
    normed = (x.reshape(grouped) - mean.reshape(rows, groups, 1)) * scale
    scaled = (upstream if weight is None else upstream * weight.reshape(spread)).reshape(grouped)
    shift, turn = scaled.mean(-1, keepdim=True), (scaled * normed).mean(-1, keepdim=True)
    others = [0, *range(2, x.dim())]
    return (
        (scale * (scaled - shift - normed * turn)).reshape(x.shape) if wanted[0] else None,
        (upstream * normed.reshape(x.shape)).sum(others) if wanted[1] else None,
        upstream.sum(others) if wanted[2] else None,
    )


def _mse_back(upstream: Tensor, x: Tensor, target: Tensor, reduction: int) -> Tensor:
    return upstream * (2 * (x - target)) / (x.numel() if reduction == MEAN else 1)


def _nll_back(
    upstream: Tensor, x: Tensor, target: Tensor, weight: Tensor | None, reduction: int, ignored: int, total: Tensor
) -> Tensor:
    if weight is not None or x.dim() != ROWS_AND_CLASSES:
        raise Unbounded("nll_loss_backward with weights, or of no matrix, has no rule")
    is_target = torch.arange(x.shape[1]) == target.unsqueeze(1)
    counts = is_target & (target != ignored).unsqueeze(1)
    each = upstream / total if reduction == MEAN else upstream
    return torch.where(counts, -(each.unsqueeze(1) if each.dim() else each), torch.zeros_like(x))


def _binary_cross_entropy_back(
    upstream: Tensor, x: Tensor, target: Tensor, weight: Tensor | None = None, reduction: int = 1
) -> Tensor:
    if weight is not None:
        raise Unbounded("binary_cross_entropy_backward with weights has no rule")
    return upstream * ((x - target) / ((1 - x) * x)) / (x.numel() if reduction == MEAN else 1)


def _embedding_back(upstream: Tensor, indices: Tensor, rows: int, *rest: Any) -> Tensor:
    width = upstream.shape[-1]
    return upstream.new_zeros(rows, width).index_add(0, indices.reshape(-1), upstream.reshape(-1, width))


MEAN = 1  # the reduction of a loss, as torch numbers it
ROWS_AND_CLASSES = 2  # axes


# Derivatives that are one operation in PyTorch → the same in operations that have rules.
DECOMPOSED: Mapping[str, Callable[..., Any]] = {
    "tanh_backward": lambda upstream, output: upstream * (1 - output * output),
    "sigmoid_backward": lambda upstream, output: upstream * (output * (1 - output)),
    "threshold_backward": lambda upstream, argument, threshold: torch.where(
        argument > threshold, upstream, torch.zeros_like(upstream)
    ),
    "_softmax_backward_data": lambda upstream, output, dim, dtype: (
        output * (upstream - (upstream * output).sum(dim, keepdim=True))
    ),
    "_log_softmax_backward_data": lambda upstream, output, dim, dtype: (
        upstream - output.exp() * upstream.sum(dim, keepdim=True)
    ),
    "gelu_backward": _gelu_back,
    "silu_backward": _silu_back,
    "elu_backward": _elu_back,
    "softplus_backward": lambda upstream, argument, beta, threshold: torch.where(
        argument * beta > threshold, upstream, upstream * torch.sigmoid(argument * beta)
    ),
    "leaky_relu_backward": lambda upstream, argument, slope, is_result: torch.where(
        argument > 0, upstream, upstream * slope
    ),
    "hardtanh_backward": lambda upstream, argument, low, high: torch.where(
        (argument > low) & (argument < high), upstream, torch.zeros_like(upstream)
    ),
    "log_sigmoid_backward": lambda upstream, argument, buffer: upstream * torch.sigmoid(-argument),
    "native_layer_norm_backward": _layer_norm_back,
    "native_group_norm_backward": _group_norm_back,
    "mse_loss_backward": _mse_back,
    "nll_loss_backward": _nll_back,
    "binary_cross_entropy_backward": _binary_cross_entropy_back,
    "embedding_dense_backward": _embedding_back,
}
