"""Read the small forward passes of ``cases``."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from author.derive import BackwardLine, derived
from author.derive.checked import CheckedLine, checked
from exercises.language import reader
from exercises.language.forward import Forward

SEED = 3


def samples(shapes: str) -> dict[str, Any]:
    """Return tensors for ``x:3,4 y:labels4.3 m:causal t:data3.4``: floats without a word need a gradient."""
    generator = torch.Generator().manual_seed(SEED)
    return dict(_sample(each, generator) for each in shapes.split())


def _sample(word: str, generator: torch.Generator) -> tuple[str, Tensor]:
    name, _, shape = word.partition(":")
    if shape == "causal":
        return name, torch.ones(4, 4).triu(1).bool()
    if shape.startswith("labels"):
        classes, *sizes = map(int, shape.removeprefix("labels").split("."))
        return name, torch.randint(0, classes, tuple(sizes), generator=generator)
    if shape.startswith("data"):
        return name, torch.randn([int(each) for each in shape.removeprefix("data").split(".")], generator=generator)
    return name, torch.randn([int(each) for each in shape.split(",")], generator=generator).requires_grad_()


def derive(lines: str, given: dict[str, Any]) -> tuple[Forward, tuple[BackwardLine, ...]]:
    """Return a forward pass and the backward lines of all its steps and parameters."""
    forward = reader.read(lines, given)
    steps = [line.name for line in reversed(forward.lines[:-1]) if not line.frozen]
    params = [name for name, value in given.items() if isinstance(value, Tensor) and value.requires_grad]
    return forward, derived(forward, given, [*steps, *params])


def check(lines: str, shapes: str) -> tuple[CheckedLine, ...]:
    """Derive a forward pass, and compare each line with autograd."""
    given = samples(shapes)
    forward, backward = derive(lines, given)
    return checked(forward, given, backward)


def code_of(lines: str, shapes: str) -> str:
    """Return the backward lines as text."""
    return "\n".join(line.code for line in derive(lines, samples(shapes))[1])
