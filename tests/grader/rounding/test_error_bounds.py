"""The bounds of float32 arithmetic hold for every order of the operations, and are no larger than they must be."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest
import torch
import torch.nn.functional as functional
from torch import Tensor

from exercises.instance import Instance, Kind
from exercises.registry import exercises
from exercises.tape import Step
from grader.reference.gradients import reference
from grader.rounding.error_bounds import (
    DECOMPOSED,
    FORWARD_ROUNDINGS,
    RULES,
    SMALLEST,
    UNIT,
    Bounded,
    BoundedBackward,
    FrozenSteps,
    Unbounded,
    _BoundsMode,
    bounded_back,
    frozen_steps,
    step_without_constant,
)
from tests.grader.rows import FULL, INSTANCE

SEEDS = torch.Generator().manual_seed(7)


def random(*shape: int) -> Tensor:
    return torch.randn(shape, generator=SEEDS)


def step_of(function: Callable[[Tensor], Tensor], value: Tensor) -> Step:
    """A step in float64 that computes a function of one tensor."""
    leaf = value.double().requires_grad_()
    return Step("y", function(leaf), {"x": leaf})


def bound(function: Callable[[Tensor], Tensor], value: Tensor, upstream: Tensor, error: float = 0.0) -> Bounded:
    upstream = upstream.double()
    return bounded_back(step_of(function, value), Bounded(upstream, torch.full_like(upstream, error)))["x"]


@pytest.mark.parametrize("slug", list(exercises()))
def test_the_reference_itself_is_within_every_bound(slug: str) -> None:
    for instance in (Instance.canonical(exercises()[slug]), Instance.draw(exercises()[slug], 5, Kind.HIDDEN)):
        right = reference(instance).gradients
        from_loss = BoundedBackward(frozen_steps(instance), {})
        by_step = BoundedBackward(frozen_steps(instance), right)
        for checkpoint in instance.exercise.checkpoints:
            for bounds in (from_loss, by_step):
                assert bounds.gradient(checkpoint.name).covers(right[checkpoint.name]), checkpoint.name


FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "exp": torch.exp,
    "relu": torch.relu,
    "softmax": lambda x: torch.softmax(x, 1),
    "log_softmax": lambda x: torch.log_softmax(x, 1),
    "cube": lambda x: x**3,
    "log": lambda x: (x * x + 1).log(),
    "rsqrt": lambda x: (x * x + 1) ** -0.5,
    "quotient": lambda x: x / (x * x + 1),
    "factor": lambda x: 1 / 3 * x,
    "divisor": lambda x: x / 7,
    "sum": lambda x: x.sum(0, keepdim=True),
    "mean": lambda x: x - x.mean(1, keepdim=True),
    "matmul": lambda x: x @ x.T,
    "index": lambda x: x[[0, 0, 1, 0]],
    "max": lambda x: x.max(1, keepdim=True).values,
    "cat": lambda x: torch.cat([x, -x], 1),
    "slices": lambda x: x[:, 1:] * x[:, :-1],
    "cumsum": lambda x: x.view(8, 5).cumsum(0),
    "where": lambda x: torch.where(x > 0, x, 0.1 * x),
    "gelu": functional.gelu,
    "gelu with tanh": lambda x: functional.gelu(x, approximate="tanh"),
    "silu": functional.silu,
    "elu": functional.elu,
    "softplus": functional.softplus,
    "leaky_relu": functional.leaky_relu,
    "hardtanh": functional.hardtanh,
    "logsigmoid": functional.logsigmoid,
    "layer_norm": lambda x: functional.layer_norm(x, x.shape[1:]),
    "mean of squares": lambda x: functional.mse_loss(x, 2 * x.detach()),
    "cross entropy": lambda x: functional.cross_entropy(x, torch.arange(len(x)) % x.shape[1]),
    "binary cross entropy": lambda x: functional.binary_cross_entropy(torch.sigmoid(x), (x > 0).to(x.dtype)),
    "variance": lambda x: x.var(1),
    "norm": lambda x: x.norm(dim=1),
    "largest": lambda x: x.amax(1),
    "product": lambda x: x.prod(1),
    "windows": lambda x: x.unfold(1, 3, 1),
    "lookup": lambda x: functional.embedding(torch.tensor([0, 2, 0, 1]), x),
    "convolution": lambda x: functional.conv1d(x.unsqueeze(0), x.detach()[:, :3].unsqueeze(0)),
    "group_norm": lambda x: functional.group_norm(x.view(1, 4, 10), 2),
    "reflected": lambda x: functional.pad(x.view(1, 5, 8), (2, 1), mode="reflect"),
    "reflected twice": lambda x: functional.pad(x.view(1, 1, 5, 8), (2, 1, 1, 1), mode="reflect"),
    "edges repeated": lambda x: functional.pad(x.view(1, 1, 5, 8), (2, 1, 1, 1), mode="replicate"),
    "averages": lambda x: functional.avg_pool2d(x.view(1, 1, 5, 8), 3, stride=1, padding=1),
    "averages to a size": lambda x: functional.adaptive_avg_pool2d(x.view(1, 1, 5, 8), (2, 3)),
    "enlarged by copies": lambda x: functional.interpolate(x.view(1, 1, 5, 8), scale_factor=2),
    "enlarged": lambda x: functional.interpolate(x.view(1, 1, 5, 8), scale_factor=3, mode="bilinear"),
    "made smaller": lambda x: functional.interpolate(x.view(1, 5, 8), 5, mode="linear"),
    "pooling": lambda x: functional.max_pool1d(x.unsqueeze(0), 2),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_float32_stays_within_the_bound(name: str) -> None:
    function = FUNCTIONS[name]
    value = random(5, 8)
    leaf = value.clone().requires_grad_()
    output = function(leaf)
    upstream = random(*output.shape)
    (computed,) = torch.autograd.grad(output, leaf, upstream)

    bounded = bound(function, value, upstream)

    assert bounded.covers(computed)
    assert not bounded.covers(computed * (1 + 1e-4))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (2, 0, 1)], ids=str)
def test_every_order_of_a_sum_that_cancels_is_within_the_bound(order: tuple[int, ...]) -> None:
    upstream = random(3, 64) * 1e3
    upstream[2] = -(upstream[0] + upstream[1])

    bounded = bound(lambda x: x.expand(3, 64), random(1, 64), upstream)

    summed = upstream[order[0]] + upstream[order[1]] + upstream[order[2]]
    assert bounded.covers(summed[None])
    assert float(bounded.error.max()) < 1e-2  # some ulps of the terms, though the sums are next to zero


def test_what_only_moves_numbers_adds_the_rounding_of_the_answer_alone() -> None:
    upstream = random(4, 3)

    bounded = bound(lambda x: x.T, random(3, 4), upstream)

    assert torch.allclose(bounded.error, UNIT * upstream.T.abs().double(), rtol=1e-6, atol=1e-37)


def test_a_sum_grows_with_its_terms() -> None:
    def error(length: int) -> float:
        return float(bound(lambda x: x.expand(length, 1), torch.ones(1, 1), torch.ones(length, 1)).error)

    assert 30 * UNIT < error(32) / 32 < 33 * UNIT
    assert 0 < error(1) < 1.5 * UNIT


def test_a_repeated_index_is_a_sum_of_its_repetitions() -> None:
    bounded = bound(lambda x: x[[0, 1, 1, 1]], random(2, 1), torch.ones(4, 1))

    assert float(bounded.error[0]) < 2 * UNIT
    assert 3 * 2.5 * UNIT < float(bounded.error[1]) < 3 * 3.5 * UNIT


def test_the_bound_of_the_upstream_is_carried_on() -> None:
    without = bound(lambda x: 3 * x, random(4), torch.ones(4)).error
    with_it = bound(lambda x: 3 * x, random(4), torch.ones(4), 1e-3).error

    assert torch.allclose(with_it - without, torch.full((4,), 3e-3, dtype=torch.float64), rtol=1e-5)


def test_saturated_tanh_keeps_its_bound() -> None:
    """1 - h**2 cancels where h is near 1: its error is an ulp of 1, not of the difference."""
    value = torch.full((3,), 6.0)

    bounded = bound(torch.tanh, value, torch.ones(3))

    computed = 1 - torch.tanh(value) ** 2
    assert bounded.covers(computed)
    assert float(bounded.error[0] / bounded.value[0]) > 1e-3


def test_an_operation_without_a_rule_is_said_so() -> None:
    with pytest.raises(Unbounded, match="has no rule"):
        bound(torch.special.i0, random(3), random(3))


def test_several_results_have_no_bound() -> None:
    with pytest.raises(Unbounded, match="batch_norm"):
        bound(lambda x: functional.batch_norm(x, None, None, training=True), random(4, 3), random(4, 3))


def test_a_step_not_given_gets_what_the_pass_gives_there() -> None:
    right = reference(INSTANCE).gradients
    given = BoundedBackward(frozen_steps(INSTANCE), {"hpreact": 2 * right["hpreact"]})
    alone = BoundedBackward(frozen_steps(INSTANCE), {})

    assert torch.allclose(given.gradient("bnbias").value, 2 * right["bnbias"].double(), rtol=1e-4)
    assert torch.allclose(given.gradient("hprebn").value, 2 * right["hprebn"].double(), rtol=1e-3, atol=1e-7)
    assert torch.allclose(given.gradient("logits").value, alone.gradient("logits").value)
    assert bool((alone.gradient("bnbias").error > given.gradient("bnbias").error).all())


def test_a_step_that_the_loss_does_not_read_gets_nothing() -> None:
    leaf = torch.ones(2, dtype=torch.float64).requires_grad_()
    unread = Step("y", 2 * leaf, {"x": leaf})

    steps = FrozenSteps({unread.name: list(unread.reads)}, lambda name: unread)
    assert BoundedBackward(steps, {}).gradient("x").value.tolist() == [0.0, 0.0]


def test_a_gradient_of_several_terms_rounds_once_less_than_it_has_terms() -> None:
    leaf = torch.tensor([2.0, -1.0], dtype=torch.float64).requires_grad_()
    steps = {name: Step(name, factor * leaf, {"x": leaf}) for name, factor in (("a", 3.0), ("b", -3.0), ("c", 5.0))}

    for names, value, size in ((["a"], 3.0, 0), (["a", "b"], 0.0, 6), (["a", "b", "c"], 5.0, 2 * 11)):
        backward = BoundedBackward(
            FrozenSteps({name: ["x"] for name in names}, steps.__getitem__),
            {name: torch.ones(2) for name in names},
        )
        found = backward.gradient("x")
        carried = sum(float(backward.terms(name)["x"].error[0]) for name in names)
        assert found.value.tolist() == [value] * 2
        assert float(found.error[0]) - carried == pytest.approx(size * UNIT, rel=1e-5, abs=1e-20)


def test_a_gradient_that_is_given_is_exact_in_float64() -> None:
    right = reference(INSTANCE).gradients
    upstream = BoundedBackward(frozen_steps(INSTANCE), right).upstream("hpreact")

    assert upstream.value.dtype == torch.float64 and not upstream.error.any()


def test_what_a_step_reads_and_does_not_use_gets_nothing() -> None:
    used, unused = (torch.ones(2, dtype=torch.float64).requires_grad_() for _ in range(2))
    upstream = torch.ones(2, dtype=torch.float64)

    found = bounded_back(Step("y", 2 * used, {"a": used, "b": unused}), Bounded(upstream, torch.zeros_like(upstream)))

    assert found["a"].value.tolist() == [2.0, 2.0] and found["b"].value.tolist() == [0.0, 0.0]


def test_nothing_goes_back_to_data() -> None:
    exercise = exercises()["classics/logistic"]
    data = exercise.without_gradient

    assert data
    assert [step.name for step in frozen_steps(Instance.canonical(exercise)) if data & step.reads.keys()] == []


def test_steps_start_from_the_frozen_values_not_from_their_own() -> None:
    state = reference(INSTANCE).state
    for step in frozen_steps(INSTANCE):
        for name, leaf in step.reads.items():
            assert leaf.dtype == torch.float64
            assert torch.equal(leaf.detach().float(), state[name]), (step.name, name)
    assert len(frozen_steps(INSTANCE)) == len(FULL.lines)


def test_a_bound_of_one_term_is_not_doubled_by_a_sum_of_terms() -> None:
    """The gradient of logits is a sum of two that only move: one rounding, and the one of the answer."""
    right = reference(INSTANCE).gradients
    logits = BoundedBackward(frozen_steps(INSTANCE), right).gradient("logits")
    most = 3 * UNIT * (right["norm_logits"].abs() + right["logit_maxes"].abs()).double()

    assert bool((logits.error <= most + 1e-30).all())


ROW = torch.linspace(-2.0, 2.0, 12, dtype=torch.float64).reshape(3, 4)
UPSTREAM = torch.linspace(0.5, 1.7, 12, dtype=torch.float64).reshape(3, 4)
TARGET = torch.linspace(0.9, 0.1, 12, dtype=torch.float64).reshape(3, 4)
SHARE = torch.sigmoid(ROW)
LABELS = torch.tensor([1, -100, 3])
KINK = torch.tensor([-2.0, -0.5, 0.0, 0.5, 2.0], dtype=torch.float64)
SLOPES = torch.tensor([0.5, 0.7, 1.1, 1.3, 1.7], dtype=torch.float64)
MEAN_OF_ROW, INVERSE = ROW.mean(1, keepdim=True), (ROW.var(1, unbiased=False, keepdim=True) + 1e-5) ** -0.5
WEIGHT = torch.tensor([0.5, -2.0, 3.0, 0.7], dtype=torch.float64)
ONE, THREE = torch.tensor(1.5, dtype=torch.float64), torch.tensor(2.0, dtype=torch.float64)


TAKEN_APART: list[tuple[str, tuple[Any, ...]]] = [
    ("tanh_backward", (UPSTREAM, torch.tanh(ROW))),
    ("sigmoid_backward", (UPSTREAM, SHARE)),
    ("threshold_backward", (SLOPES, KINK, 0)),
    ("_softmax_backward_data", (UPSTREAM, ROW.softmax(1), 1, torch.float64)),
    ("_log_softmax_backward_data", (UPSTREAM, ROW.log_softmax(1), 1, torch.float64)),
    ("gelu_backward", (UPSTREAM, ROW)),
    ("silu_backward", (UPSTREAM, ROW)),
    ("elu_backward", (SLOPES, 0.7, 1.3, 0.6, False, KINK)),
    ("elu_backward", (SLOPES, 0.7, 1.3, 0.6, True, KINK / 4)),
    ("softplus_backward", (SLOPES, KINK, 1.5, 2.0)),
    ("leaky_relu_backward", (SLOPES, KINK, 0.2, False)),
    ("hardtanh_backward", (SLOPES, KINK, -0.5, 1.0)),
    ("log_sigmoid_backward", (UPSTREAM, ROW, torch.exp(-ROW.abs()))),
    *(
        ("native_layer_norm_backward", (UPSTREAM, ROW, [4], MEAN_OF_ROW, INVERSE, weight, weight, wanted))
        for weight in (WEIGHT, None)
        for wanted in ([True, False, False], [False, weight is not None, False], [True, False, weight is not None])
    ),
    *(
        ("native_group_norm_backward", (UPSTREAM, ROW, MEAN_OF_ROW, INVERSE, weight, 3, 4, 1, 1, wanted))
        for weight in (WEIGHT, None)
        for wanted in ([True, False, False], [weight is not None] * 3)
    ),
    ("mse_loss_backward", (ONE, ROW, TARGET, 1)),
    ("mse_loss_backward", (ONE, ROW, TARGET, 2)),
    ("mse_loss_backward", (UPSTREAM, ROW, TARGET, 0)),
    ("nll_loss_backward", (ONE, ROW, LABELS, None, 1, -100, THREE)),
    ("nll_loss_backward", (ONE, ROW, LABELS, None, 2, -100, THREE)),
    ("nll_loss_backward", (UPSTREAM[:, 0], ROW, LABELS, None, 0, -100, THREE)),
    ("binary_cross_entropy_backward", (ONE, SHARE, TARGET, None, 1)),
    ("binary_cross_entropy_backward", (ONE, SHARE, TARGET)),
    ("binary_cross_entropy_backward", (ONE, SHARE, TARGET, None, 2)),
    ("embedding_dense_backward", (UPSTREAM.reshape(2, 2, 3), torch.tensor([[0, 2], [4, 0]]), 5, -1, False)),
]


@pytest.mark.parametrize("place", range(len(TAKEN_APART)), ids=lambda place: f"{place} {TAKEN_APART[place][0]}")
def test_a_derivative_that_is_taken_apart_is_torchs(place: int) -> None:
    name, arguments = TAKEN_APART[place]
    expected = getattr(torch.ops.aten, name)(*arguments)
    apart = DECOMPOSED[name](*arguments)

    for have, want in zip(*(each if isinstance(each, tuple) else (each,) for each in (apart, expected)), strict=True):
        if want is None or not want.numel():
            assert have is None
        else:
            assert torch.allclose(have, want, rtol=1e-12, atol=1e-14)


def test_gelu_by_tanh_is_torchs() -> None:
    expected = torch.ops.aten.gelu_backward(UPSTREAM, ROW, approximate="tanh")

    assert torch.allclose(DECOMPOSED["gelu_backward"](UPSTREAM, ROW, approximate="tanh"), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("nll_loss_backward", (ONE, ROW, LABELS, WEIGHT, 1, -100, THREE), "nll_loss_backward with weights"),
        ("nll_loss_backward", (ONE, ROW[0], LABELS[0], None, 1, -100, THREE), "of no matrix"),
        ("binary_cross_entropy_backward", (ONE, SHARE, TARGET, TARGET), "with weights has no rule"),
    ],
)
def test_a_weighted_loss_has_no_bound(name: str, arguments: Sequence[Any], message: str) -> None:
    with pytest.raises(Unbounded, match=message):
        DECOMPOSED[name](*arguments)


class Errors:
    """Bounds by tensor; every other tensor is exact."""

    def __init__(self, *known: tuple[Tensor, float]) -> None:
        self._known = known

    def error_of(self, value: Tensor) -> Tensor:
        error = next((error for each, error in self._known if each is value), 0.0)
        return torch.full_like(value, error, dtype=torch.float64)


A, B = torch.tensor([2.0, -3.0, 0.0], dtype=torch.float64), torch.tensor([5.0, 4.0, 7.0], dtype=torch.float64)
ROW_OF_A = A.reshape(1, 3)
OFF = 1000 * UNIT  # a bound that stands out beside roundings


IN_UNITS: list[tuple[str, tuple[Any, ...], Any]] = [
    # Linear: a sum of k terms that are not 0 has k - 1 roundings.
    ("sum", (A,), 1 * 5 + 3000),
    ("sum", (torch.zeros_like(A),), 0),
    ("index_add", (B, 0, torch.tensor([0, 0, 1]), A), [2 * (5 + 5) + 2000, 1000, 0]),
    # Bilinear: |a|·error(b) + error(a)·|b|, and as many roundings as products in a sum.
    ("mul", (A, B), [10 + 1000 * 5, 12 + 1000 * 4, 1000 * 7]),
    ("mul", (A, 3.0), [6 + 3000, 9 + 3000, 3000]),
    ("mul", (B, A), [10 + 1000 * 5, 12 + 1000 * 4, 1000 * 7]),
    ("dot", (A, B), 3 * 22 + 1000 * 16),
    ("mv", (A.expand(2, 3), B), [3 * 22] * 2),
    # A sum or difference rounds both, so that what cancels is known no better.
    ("add", (A, B), [7 + 1000, 7 + 1000, 7 + 1000]),
    ("sub", (A, B), [7 + 1000, 7 + 1000, 7 + 1000]),
    ("add", (B, A), [7 + 1000, 7 + 1000, 7 + 1000]),
    ("div", (A, B), [2 / 5 + 200, 3 / 4 + 250, 1000 / 7]),
    ("div", (B, A[:2].repeat(2)[:3]), [5 / 2, 4 / 3, 7 / 2]),
    ("mean", (ROW_OF_A, [1]), [3 * 5 / 3 + 1000]),
    ("mean", (A,), 3 * 5 / 3 + 1000),
    ("cumprod", (B, 0), [15 * 5, 15 * 20, 15 * 140]),
    ("neg", (A,), [1000, 1000, 1000]),
    ("view", (A, [3, 1]), [[1000], [1000], [1000]]),
    ("cat", ([A, B],), [1000] * 3 + [0] * 3),
    ("zeros_like", (A,), [0, 0, 0]),
    ("sign", (A,), [0, 0, 0]),
]


@pytest.mark.parametrize("place", range(len(IN_UNITS)), ids=lambda place: f"{place} {IN_UNITS[place][0]}")
def test_a_rule_gives_the_bound_that_its_formula_says(place: int) -> None:
    name, arguments, in_units = IN_UNITS[place]
    function = getattr(torch.ops.aten, name)

    error = RULES[name](cast("Any", Errors((A, OFF), (ROW_OF_A, OFF))), function, arguments, function(*arguments))

    expected = torch.tensor(in_units, dtype=torch.float64) * UNIT
    assert error.shape == expected.shape
    assert torch.allclose(error, expected, rtol=2e-5, atol=0)


def test_many_roundings_may_add_up_to_more_than_their_number() -> None:
    ones = torch.ones((), dtype=torch.float64).expand(2**20)

    error = RULES["dot"](cast("Any", Errors()), torch.dot, (ones, ones), ones.sum())

    assert float(error) == pytest.approx(2**20 * (2**-4 / (1 - 2**-4)))  # k·u is 2⁻⁴


def test_a_function_moves_as_far_as_its_argument_may_and_rounds_a_little() -> None:
    error = RULES["exp"](cast("Any", Errors((A, 0.5))), torch.exp, (A,), A.exp())

    assert torch.allclose(error, (A + 0.5).exp() - A.exp(), rtol=1e-5)
    exact = RULES["exp"](cast("Any", Errors()), torch.exp, (A,), A.exp())
    assert torch.allclose(exact, FORWARD_ROUNDINGS * UNIT * A.exp())
    beyond = RULES["log"](cast("Any", Errors((B, 6.0))), torch.log, (B,), B.log())
    assert beyond[:2].isinf().all() and beyond[2].isfinite()  # 5 - 6 has no logarithm


def test_an_operation_in_place_changes_its_tensor_and_the_bound_of_it() -> None:
    mode, value, added = _BoundsMode(), A.clone(), A.clone()
    mode.set(value, torch.full_like(value, OFF))

    with mode:
        changed = torch.ops.aten.mul_(value, B)
        added.add_(B, alpha=2)
        single = A.to(dtype=torch.float32)

    assert changed is value and value.tolist() == (A * B).tolist()
    expected = OFF * B.abs() + (FORWARD_ROUNDINGS + 1) * UNIT * (A * B).abs()
    assert torch.allclose(mode.error_of(value), expected, rtol=1e-6, atol=0)
    assert added.tolist() == (A + 2 * B).tolist()
    assert single.dtype == mode.error_of(single).dtype == torch.float32


def bounds_in_units(function: Callable[..., Tensor], *values: Tensor, error: float = 0.0) -> list[Tensor]:
    """The bounds of the gradients of several tensors, in roundings of each element."""
    leaves = {f"x{place}": value.double().requires_grad_() for place, value in enumerate(values)}
    output = function(*leaves.values())
    upstream = torch.ones_like(output)
    found = bounded_back(Step("y", output, leaves), Bounded(upstream, torch.full_like(upstream, error)))
    return [(found[name].error - SMALLEST) / (UNIT * found[name].value.abs()) for name in leaves]


def test_a_convolution_has_bounds_for_its_three_arguments() -> None:
    x, weight, bias = torch.full((1, 1, 6), 2.0), torch.full((1, 1, 3), 3.0), torch.ones(1)

    exact = bounds_in_units(functional.conv1d, x, weight, bias)
    carried = bounds_in_units(functional.conv1d, x, weight, bias, error=OFF)

    # What is read rounds FORWARD_ROUNDINGS times, each product once, and the answer once more.
    assert [each.round().flatten().tolist() for each in exact] == [[6, 7, 8, 8, 7, 6], [9, 9, 9], [5]]
    for one, other in zip(exact, carried, strict=True):
        assert torch.allclose(other - one, torch.full_like(one, 1000.0), rtol=1e-5)


def test_what_a_value_of_the_forward_pass_is_known_to() -> None:
    """d(x·w)/dw is x, which another style may read from another tensor."""
    (error,) = bounds_in_units(lambda w: torch.tensor([3.0]) * w, torch.ones(1))

    assert error.round().tolist() == [FORWARD_ROUNDINGS + 1 + 1]


def test_the_unit_is_that_of_float32() -> None:
    assert torch.finfo(torch.float32).eps / 2 == UNIT


def test_an_answer_is_covered_up_to_its_bound() -> None:
    bounded = Bounded(torch.tensor([1.0, 2.0], dtype=torch.float64), torch.tensor([0.5, 0.25], dtype=torch.float64))

    assert bounded.covers(torch.tensor([1.5, 1.75]))
    assert not bounded.covers(torch.tensor([1.0, 2.5])) and not bounded.covers(torch.tensor([float("nan"), 2.0]))


def test_an_infinity_is_covered_by_no_bound() -> None:
    infinite = torch.tensor([math.inf])

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not Bounded(infinite.double(), torch.ones(1, dtype=torch.float64)).covers(infinite)


def test_steps_are_played_once_and_when_they_are_asked_for() -> None:
    played: list[str] = []

    def play(name: str) -> Step:
        played.append(name)
        return step_of(torch.exp, torch.ones(1))

    steps = FrozenSteps({"a": [], "b": ["a"], "c": ["b"]}, play)

    assert len(steps) == 3 and played == []
    assert steps[-1] is steps.named("c") and steps[0:2] == [steps.named("a"), steps[1]]
    assert played == ["c", "a", "b"]


def test_consumers_come_last_first_and_a_step_can_be_left_to_the_pass() -> None:
    right = reference(INSTANCE).gradients
    doubled = BoundedBackward(frozen_steps(INSTANCE), {"hpreact": 2 * right["hpreact"]})

    assert doubled.consumers("logits") == ["norm_logits", "logit_maxes"]
    doubled.consumers("logits").clear()
    assert doubled.consumers("logits") == ["norm_logits", "logit_maxes"]
    doubled.carry_through("hpreact")
    doubled.carry_through("none of them")
    assert torch.allclose(doubled.gradient("bnbias").value, right["bnbias"].double(), rtol=1e-4)


def test_a_step_is_played_without_its_small_constant() -> None:
    found = step_without_constant(INSTANCE, "bnvar_inv")

    assert found is not None
    step, constant = found
    assert constant == 1e-5 and step.name == "bnvar_inv"
    assert torch.allclose(step.output, reference(INSTANCE).state["bnvar"].double() ** -0.5, rtol=1e-12)
    assert step_without_constant(INSTANCE, "bnraw") is None
