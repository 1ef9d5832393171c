"""The bounds of float32 arithmetic hold for every order of the operations, and are no larger than they must be."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as functional
from torch import Tensor

from exercises.instance import Instance, Kind
from exercises.registry import exercises
from exercises.tape import Step
from grader.error_bounds import UNIT, Bounded, BoundedBackward, FrozenSteps, Unbounded, bounded_back, frozen_steps
from grader.reference import reference
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
