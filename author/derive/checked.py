"""Each derived line is run, and what it sets is compared with autograd's gradient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as functional
from torch import Tensor

from author.derive.lines import BackwardLine
from exercises.language.forward import Forward
from exercises.tape import Tape, variables


@dataclass(frozen=True)
class CheckedLine:
    """A line and what came of it: ``largest_difference`` is from autograd's gradient, None if it failed to run."""

    line: BackwardLine
    is_exact: bool
    is_right: bool
    largest_difference: float | None
    error: str = ""


def checked(forward: Forward, samples: Mapping[str, Any], lines: Sequence[BackwardLine]) -> tuple[CheckedLine, ...]:
    """Run the lines one after the other on the forward state of the samples; compare each with autograd."""
    tape = played(forward, samples)
    gradients = tape.gradients()
    values = tape.values()
    given = variables({name: values[name] for name in samples if name in values})
    namespace: dict[str, Any] = {"torch": torch, "F": functional, **values, **given}
    return tuple(_checked(line, namespace, gradients.get(line.name), tape) for line in lines)


def played(forward: Forward, samples: Mapping[str, Any]) -> Tape:
    """Play a forward pass with its backward pass."""
    given = {name: as_tensor(value) for name, value in samples.items() if isinstance(value, Tensor | int | float)}
    data = [name for name, value in samples.items() if isinstance(value, Tensor) and not value.requires_grad]
    tape = Tape(given, data)
    forward.play(tape)
    torch.autograd.backward(tape.read(forward.lines[-1].name))
    return tape


def as_tensor(value: Any) -> Tensor:
    """Return a value as the forward state holds it."""
    if isinstance(value, Tensor):
        return value.detach()
    return torch.tensor(value, dtype=torch.float64 if isinstance(value, float) else None)


def _checked(line: BackwardLine, namespace: dict[str, Any], gradient: Tensor | None, tape: Tape) -> CheckedLine:
    try:
        exec(line.code, namespace)  # code that the rules wrote from lines of the language
    except Exception as error:
        return CheckedLine(line, False, False, None, f"{type(error).__name__}: {error}")
    answer = namespace[line.answer]
    value = tape.values()[line.name]
    expected = torch.zeros_like(value) if gradient is None else gradient
    if answer.shape != value.shape:
        return CheckedLine(line, False, False, None, f"shape {list(answer.shape)} for {list(value.shape)}")
    difference = float((answer - expected).abs().max()) if answer.numel() else 0.0
    is_right = bool(torch.allclose(answer.to(expected.dtype), expected)) or _is_rounding(answer, expected)
    return CheckedLine(line, bool((answer == expected).all()), is_right, difference)


def _is_rounding(answer: Tensor, expected: Tensor) -> bool:
    """Whether a difference is small against the largest entry: sums that cancel have no right last digits."""
    scale = max(float(expected.abs().max()), 1e-3)
    return bool((answer - expected).abs().max() <= 2e-6 * scale)
