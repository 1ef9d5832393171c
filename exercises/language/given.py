"""What a forward pass starts from, written in a small language and drawn from a seed.

``given.py`` of an exercise holds lines such as::

    x = data(12, 6)            # floats without a gradient
    W = param(6, 8)            # a leaf whose gradient is asked for
    y = labels(3, 12)          # 12 integers below 3
    mask = causal(4)           # (4, 4), True where the column is greater than the row
    scale = 0.5                # a constant
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from exercises.language.errors import Refused

CANONICAL_SEED = 0


@dataclass(frozen=True)
class Drawn:
    """A tensor to be drawn: ``kind`` is the mark, ``shape`` its shape, ``options`` the rest."""

    name: str
    kind: str
    shape: tuple[int, ...]
    options: Mapping[str, Any]

    def draw(self, seed: int) -> Tensor:
        """Return the tensor of a seed. A name has a generator of its own, so another line changes no other tensor."""
        generator = torch.Generator().manual_seed(_seed_of(seed, self.name))
        return _KINDS[self.kind](self, generator)


@dataclass(frozen=True)
class Given:
    """All that is given: tensors to be drawn, and constants (numbers, strings, None)."""

    drawn: tuple[Drawn, ...]
    constants: Mapping[str, Any]

    def draw(self, seed: int) -> dict[str, Tensor]:
        """Return name → tensor for a seed."""
        return {each.name: each.draw(seed) for each in self.drawn}

    def samples(self, seed: int = CANONICAL_SEED) -> dict[str, Any]:
        """Return tensors and constants to read lines with; a parameter requires a gradient."""
        tensors = {
            each.name: each.draw(seed).requires_grad_(each.kind == "param") if each.kind == "param" else each.draw(seed)
            for each in self.drawn
        }
        return {**self.constants, **tensors}


def read(source: str) -> Given:
    """Read the lines of given.

    :raises Refused: a line is not in the language
    """
    drawn: list[Drawn] = []
    constants: dict[str, Any] = {}
    for node in ast.parse(source).body:
        match node:
            case ast.Assign([ast.Name(name)], ast.Call(ast.Name(kind), arguments, keywords)) if kind in _KINDS:
                numbers = tuple(_constant(each, constants) for each in arguments)
                options = {each.arg or "": _constant(each.value, constants) for each in keywords}
                drawn.append(Drawn(name, kind, numbers, options))
            case ast.Assign([ast.Name(name)], value):
                constants[name] = _constant(value, constants)
            case ast.Expr(ast.Constant()):
                continue
            case _:
                raise Refused(node.lineno, f"{ast.unparse(node)!r} is not given", "Write name = param(…) or a constant")
    return Given(tuple(drawn), constants)


def _constant(node: ast.expr, constants: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Name) and node.id in constants:
        return constants[node.id]
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise Refused(node.lineno, f"{ast.unparse(node)!r} is no constant", "Write the number") from None


def _seed_of(seed: int, name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:8], "big") >> 1


def _param(drawn: Drawn, generator: torch.Generator) -> Tensor:
    fan_in = drawn.shape[0] if len(drawn.shape) > 1 else 1
    scale: float = drawn.options.get("scale", fan_in**-0.5)
    return torch.randn(drawn.shape, generator=generator) * scale + drawn.options.get("mean", 0.0)


def _data(drawn: Drawn, generator: torch.Generator) -> Tensor:
    return torch.randn(drawn.shape, generator=generator) * drawn.options.get("scale", 1.0) + drawn.options.get(
        "mean", 0.0
    )


def _labels(drawn: Drawn, generator: torch.Generator) -> Tensor:
    classes, *shape = drawn.shape
    return torch.randint(0, classes, tuple(shape), generator=generator)


def _causal(drawn: Drawn, generator: torch.Generator) -> Tensor:
    return torch.ones(drawn.shape[0], drawn.shape[0], dtype=torch.bool).triu(1)


_KINDS: dict[str, Callable[[Drawn, torch.Generator], Tensor]] = {
    "param": _param,
    "data": _data,
    "labels": _labels,
    "causal": _causal,
}
