"""Each derived line is run, and what it sets is compared with autograd's gradient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import torch
import torch.nn.functional as functional
from torch import Tensor

from author.derive.lines import BackwardLine
from exercises.language.forward import Forward
from exercises.tape import Tape, variables

TOLERANCE: Final = 1e-7  # of the largest entry, in float64: torch keeps some constants, such as 1/6, in float32

SINGLE_TOLERANCE: Final = 1e-5  # where the lines cannot be played in float64


@dataclass(frozen=True)
class CheckedLine:
    """A line and what came of it.

    ``is_exact`` says that it gives autograd's bits in float32, ``is_right`` that it gives the gradient in float64,
    where sums that cancel hide no mistake. ``largest_difference`` is from autograd in float32, None if it did not run.
    """

    line: BackwardLine
    is_exact: bool
    is_right: bool
    largest_difference: float | None
    error: str = ""


def checked(forward: Forward, samples: Mapping[str, Any], lines: Sequence[BackwardLine]) -> tuple[CheckedLine, ...]:
    """Run the lines one after the other on the forward state of the samples; compare each with autograd."""
    single = _differences(forward, samples, lines)
    double = _in_double(forward, samples, lines)
    return tuple(
        CheckedLine(
            line,
            is_exact=one.largest == 0,
            is_right=_is_close(two, TOLERANCE) if double else _is_close(one, SINGLE_TOLERANCE),
            largest_difference=one.largest,
            error=one.error or two.error,
        )
        for line, one, two in zip(lines, single, double or single, strict=True)
    )


@dataclass(frozen=True)
class _Difference:
    largest: float | None
    scale: float = 0.0
    error: str = ""


def _is_close(difference: _Difference, tolerance: float) -> bool:
    return difference.largest is not None and difference.largest <= tolerance * max(difference.scale, 1.0)


def _in_double(forward: Forward, samples: Mapping[str, Any], lines: Sequence[BackwardLine]) -> list[_Difference]:
    """Return how far each line is from autograd in float64; none if a line of the forward pass insists on float32."""
    doubled = {name: _doubled(value) for name, value in samples.items()}
    try:
        with _default_dtype(torch.float64):
            return _differences(forward, doubled, lines)
    except RuntimeError:
        return []


@contextmanager
def _default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _doubled(value: Any) -> Any:
    if isinstance(value, Tensor) and value.is_floating_point():
        return value.detach().double().requires_grad_(value.requires_grad)
    return value


def _differences(forward: Forward, samples: Mapping[str, Any], lines: Sequence[BackwardLine]) -> list[_Difference]:
    """Return how far each line is from autograd."""
    tape = played(forward, samples)
    gradients, values = tape.gradients(), tape.values()
    given = variables({name: values[name] for name in samples if name in values})
    namespace: dict[str, Any] = {"torch": torch, "F": functional, **values, **given}
    return [_difference(line, namespace, gradients.get(line.name), values[line.name]) for line in lines]


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


def _difference(line: BackwardLine, namespace: dict[str, Any], gradient: Tensor | None, value: Tensor) -> _Difference:
    try:
        exec(line.code, namespace)  # code that the rules wrote from lines of the language
    except Exception as error:
        return _Difference(None, error=f"{type(error).__name__}: {error}")
    answer = namespace[line.answer]
    expected = torch.zeros_like(value) if gradient is None else gradient
    if answer.shape != value.shape:
        return _Difference(None, error=f"shape {list(answer.shape)} for {list(value.shape)}")
    if not answer.numel():
        return _Difference(0.0)
    difference = (answer - expected).abs().max().item()
    return _Difference(difference if difference == difference else None, expected.abs().max().item())
