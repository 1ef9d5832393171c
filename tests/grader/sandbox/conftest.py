"""One sandbox for the tests that only run code; its limits are short."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import safetensors.torch
import torch

from grader.sandbox import Job, Limits, Run, Sandbox, Slot

LIMITS = Limits(cpu_seconds=1, wall_seconds=8)  # a busy machine gives one second of its time slowly
# A little forward pass: two tensors, an index, a constant.
STATE = {
    "x": torch.arange(12.0).reshape(4, 3),
    "w": torch.linspace(-1, 1, 6).reshape(3, 2),
    "Xb": torch.tensor([[0, 1], [2, 1], [3, 0]]),
    "n": torch.tensor(4),
}
SLOTS = tuple(Slot(name, 1024) for name in ("x", "w", "y"))

Runner = Callable[[str], Run]


def job(source: str, limits: Limits = LIMITS, filename: str = "solution.py") -> Job:
    return Job(source, filename, safetensors.torch.save(STATE), SLOTS, limits)


def holds(run: Run, name: str, expected: torch.Tensor) -> bool:
    """Whether the run's answer is this tensor, to the last bit."""
    tensor = run.answers[name].tensor
    return tensor is not None and torch.equal(tensor, expected)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(children=2, limits=LIMITS) as sandbox:
        yield sandbox


@pytest.fixture
def run(sandbox: Sandbox) -> Runner:
    return lambda source: sandbox.run(job(source))
