"""Answers that no student means: `python -m tests.fuzz_answers [SECONDS] [SEED]`. Every input is a verdict.

Values that are denormal, huge, NaN, infinite, constant, random or of all kinds at once, in shapes that broadcast and in
shapes that do not, for every exercise. It stops with status 1 at an exception, at a hypothesis that failed, and at an
answer that takes more than ``BARES_MAX`` times the process time of a bare run. `make fuzz` runs it; a short one is in
`make test`.
"""

from __future__ import annotations

import logging
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from grader import numerics

if __name__ == "__main__":
    numerics.pin()

import torch
from torch import Tensor

if TYPE_CHECKING:
    from exercises.instance import Instance
    from grader.answer import Answer

# Under 100 ms on a machine whose bare run, the lecture's forward and backward pass and its solution, takes 1.3 ms.
# Others on the same machine make both dearer.
BARES_MAX = 75
BARE_ROUNDS = 50
TRIES = 7  # once in some thousand, the interpreter does something of its own
SECONDS = 60
HUGE, DENORMAL = 3.4e38, 1e-42

Value = Callable[["Draw", tuple[int, ...]], Tensor]


@dataclass
class Draw:
    """Draws answers for an instance, the same ones for the same seed."""

    instance: Instance
    seed: int
    numbers: random.Random = field(init=False)
    generator: torch.Generator = field(init=False)
    gradients: dict[str, Tensor] = field(init=False)

    def __post_init__(self) -> None:
        from grader.reference.gradients import reference

        known = reference(self.instance)
        self.numbers = random.Random(self.seed)
        self.generator = torch.Generator().manual_seed(self.seed)
        self.gradients = {each.name: known.gradients[each.name] for each in self.instance.exercise.checkpoints}
        self.state = {name: value for name, value in known.state.items() if value.is_floating_point()}

    def answers(self) -> dict[str, Answer]:
        """Return an answer for some checkpoints: right, of no sense, or one alone."""
        from grader.answer import normalise

        names = list(self.gradients)
        wrong = self.numbers.choice((0.1, 0.5, 1.0))
        alone = self.numbers.random() < 0.4
        drawn = {}
        for name in [self.numbers.choice(names)] if alone else names:
            if not alone and self.numbers.random() < 0.1:
                continue
            senseless = alone or self.numbers.random() < wrong
            drawn[name] = normalise(self.tensor(name) if senseless else self.gradients[name])
        return drawn

    def tensor(self, name: str) -> Tensor:
        """Return a tensor of no sense for a checkpoint."""
        shape = self.shape(tuple(self.gradients[name].shape))
        value = self.numbers.choice(VALUES)(self, shape)
        if self.numbers.random() < 0.3:  # the right gradient, and that on top of it
            value = value + self.fitted(self.gradients[name], shape)
        return value.to(self.numbers.choice(DTYPES)) if self.numbers.random() < 0.1 else value

    def shape(self, right: tuple[int, ...]) -> tuple[int, ...]:
        """Return the right shape, one that broadcasts, one that is too wide, or a wrong one."""
        kind = self.numbers.random()
        if kind < 0.5:
            return right
        if kind < 0.65:
            return tuple(1 if self.numbers.random() < 0.5 else length for length in right)[self.numbers.randrange(2) :]
        if kind < 0.8:
            wide = tuple(self.numbers.choice((27, 32, 64)) if length == 1 else length for length in right)
            return (self.numbers.choice((1, 2, 32)), *wide) if self.numbers.random() < 0.5 else wide
        if kind < 0.9:
            return tuple(reversed(right))
        return tuple(self.numbers.choice((0, 1, 2, 3, 27, 32)) for _ in range(self.numbers.randrange(4)))

    def fitted(self, value: Tensor, shape: tuple[int, ...]) -> Tensor:
        """Return a tensor cut or repeated to a shape."""
        count = int(torch.Size(shape).numel())
        flat = value.reshape(-1)
        return flat.repeat(count // flat.numel() + 1)[:count].reshape(shape)

    def normal(self, shape: tuple[int, ...]) -> Tensor:
        """Return random numbers."""
        return torch.randn(shape, generator=self.generator)


def _mixed(draw: Draw, shape: tuple[int, ...]) -> Tensor:
    choices = torch.tensor([0.0, -0.0, 1.0, -HUGE, HUGE, DENORMAL, -DENORMAL, float("nan"), float("inf"), 1e-20])
    places = torch.randint(0, draw.numbers.randrange(1, len(choices)) + 1, shape, generator=draw.generator)
    return torch.where(places < len(choices), choices[places % len(choices)], draw.normal(shape))


def _one_hot(draw: Draw, shape: tuple[int, ...]) -> Tensor:
    value = torch.zeros(shape)
    if value.numel():
        value.view(-1)[draw.numbers.randrange(value.numel())] = draw.numbers.choice((1.0, HUGE, DENORMAL))
    return value


def _times_a_gradient(draw: Draw, shape: tuple[int, ...]) -> Tensor:
    factor = draw.numbers.choice((-1.0, 2.0, 1 / 32, 1e-25, 1e38, DENORMAL, 1.0001))
    return factor * draw.fitted(draw.numbers.choice(list(draw.gradients.values())), shape)


VALUES: tuple[Value, ...] = (
    lambda draw, shape: draw.normal(shape),
    lambda draw, shape: draw.normal(shape) * DENORMAL,
    lambda draw, shape: draw.normal(shape).sign() * HUGE,
    lambda draw, shape: draw.normal(shape).exp() * 1e30,
    lambda draw, shape: torch.full(shape, draw.numbers.choice((0.0, 1.0, -1.0, HUGE, -HUGE, DENORMAL, 1e-25))),
    lambda draw, shape: torch.full(shape, draw.numbers.choice((float("nan"), float("inf"), -float("inf")))),
    lambda draw, shape: draw.fitted(draw.numbers.choice(list(draw.state.values())), shape),
    lambda draw, shape: torch.where(draw.normal(shape) > 1.5, draw.normal(shape), 0.0),
    _mixed,
    _one_hot,
    _times_a_gradient,
)
DTYPES = (torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.bool, torch.complex64)


class _Fails(logging.Handler):
    """Raises what was logged: a hypothesis that fails costs a student its finding."""

    def emit(self, record: logging.LogRecord) -> None:
        raise AssertionError(record.getMessage())


def main() -> int:
    """Grade answers until the time is over; print how many there were, and the dearest."""
    from exercises.instance import Instance
    from exercises.registry import exercises

    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    logging.getLogger("grader").addHandler(_Fails())
    instances = [Instance.canonical(exercise) for exercise in exercises().values()]
    for warm_up in range(9 * len(instances)):  # what is made once for an instance is no cost of an answer
        instance = instances[warm_up % len(instances)]
        _process_ms(instance, warm_up)
    end, first, dearest = time.monotonic() + seconds, seed, (0.0, 0)
    while time.monotonic() < end:
        instance = instances[seed % len(instances)]
        try:
            spent_ms = _process_ms(instance, seed)
        except Exception:
            print(f"seed {seed}, {instance.exercise.slug}: python -m tests.fuzz_answers 1 {seed}")
            raise
        dearest = max(dearest, (spent_ms, seed))
        seed += 1
    spent_ms, seed_of = dearest
    of_dearest = instances[seed_of % len(instances)]
    bares = min(_process_ms(of_dearest, seed_of) for _ in range(TRIES)) / _bare_ms()
    print(f"{seed - first} answers graded; the dearest took {spent_ms:.1f} ms, {bares:.0f} x bare, seed {seed_of}")
    return int(bares > BARES_MAX)


def _bare_ms() -> float:
    """Return the process time of a bare run now."""
    from bench.bare import compile_bare
    from exercises.instance import Instance
    from exercises.registry import find

    run_once = compile_bare(Instance.canonical(find("makemore/full-backward")))
    taken = []
    for _ in range(BARE_ROUNDS):
        begun = time.process_time()
        run_once()
        taken.append(1e3 * (time.process_time() - begun))
    return min(taken)


def _process_ms(instance: Instance, seed: int) -> float:
    """Grade the answers of a seed and return the process time that it took."""
    from grader.grade import compare_all

    answers = Draw(instance, seed).answers()
    begun = time.process_time()
    compare_all(instance, answers, stopped=seed % 7 == 0)
    return 1e3 * (time.process_time() - begun)


if __name__ == "__main__":
    sys.exit(main())
