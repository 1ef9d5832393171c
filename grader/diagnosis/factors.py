"""Names for factors: a student reads 1/n, not 0.03125."""

from __future__ import annotations

import math
from collections.abc import Iterator

from torch import Tensor

from grader.diagnosis.case import Case, Edge

SMALL = (2, 3, 4)
NAME_TOLERANCE = 1e-4  # relative


def named(weight: float, case: Case, edges: tuple[Edge, ...] = ()) -> str | None:
    """Return the name of a factor without its sign: "n (32)", "1/n (1/32)". None if it has no name.

    The names come from the constants of the forward pass and from the lengths of the axes around, those of ``edges``
    included.
    """
    size = abs(weight)
    for value, name in _names(case, edges):
        if abs(size - value) <= NAME_TOLERANCE * value:
            return name
    return None


def described(weight: float, case: Case, edges: tuple[Edge, ...] = ()) -> str:
    """Return the name of a factor, or its figure."""
    return named(weight, case, edges) or f"{abs(weight):.6g}"


def _names(case: Case, edges: tuple[Edge, ...]) -> Iterator[tuple[float, str]]:
    yield 1.0, "1"
    for small in SMALL[:1]:
        yield from _of(small, str(small), "")
    # 3 is 3 rather than block_size, unless it is the length of an axis here.
    lengths = [each for each in _lengths(case, edges) if each[0] not in SMALL or each[0] in case.right.shape]
    for length, name in lengths:
        yield from _of(length, name, f" ({length})")
        yield length - 1, f"{name}-1 ({length - 1})"
        if length > 1:
            yield 1 / (length - 1), f"1/({name}-1) (1/{length - 1})"
            yield length / (length - 1), f"{name}/({name}-1) ({length}/{length - 1})"
            yield (length - 1) / length, f"({name}-1)/{name} ({length - 1}/{length})"
    for small in SMALL[1:]:
        yield from _of(small, str(small), "")
    for length, name in lengths:
        yield length**2, f"{name}*{name} ({length**2})"
        yield 1 / length**2, f"1/({name}*{name}) (1/{length**2})"
        yield 2 * length, f"2*{name} ({2 * length})"
        yield 2 / length, f"2/{name} (2/{length})"
        for other, another in lengths:
            if other != length:
                yield length / other, f"{name}/{another} ({length}/{other})"
                yield length * other, f"{name}*{another} ({length * other})"
                yield 1 / (length * other), f"1/({name}*{another}) (1/{length * other})"
    for length, name in lengths:
        yield from _roots_and_squares(length, name)
    loss = abs(float(case.values["loss"]))
    if loss:
        yield loss, f"the loss ({loss:.4g})"
        yield 1 / loss, f"1/loss (1/{loss:.4g})"


def _roots_and_squares(length: int, name: str) -> Iterator[tuple[float, str]]:
    """Yield what a standard deviation and a variance leave of Bessel's correction, and of a length."""
    if length > 1:
        ratio = length / (length - 1)
        yield math.sqrt(ratio), f"sqrt({name}/({name}-1)) (sqrt({length}/{length - 1}))"
        yield 1 / math.sqrt(ratio), f"sqrt(({name}-1)/{name}) (sqrt({length - 1}/{length}))"
        yield ratio**2, f"({name}/({name}-1))**2 (({length}/{length - 1})**2)"
        yield ratio**-2, f"(({name}-1)/{name})**2 (({length - 1}/{length})**2)"
    yield math.sqrt(length), f"sqrt({name}) (sqrt({length}))"
    yield 1 / math.sqrt(length), f"1/sqrt({name}) (1/sqrt({length}))"


def _of(value: int, name: str, figure: str) -> Iterator[tuple[float, str]]:
    yield value, name + figure
    yield 1 / value, f"1/{name}" + (f" (1/{value})" if figure else "")


def _lengths(case: Case, edges: tuple[Edge, ...]) -> Iterator[tuple[int, str]]:
    """Yield the constants of the forward pass, each with its shortest name, then the lengths of the axes around."""
    names: dict[int, str] = {}
    for name, value in case.constants.items():
        if value > 1 and (value not in names or len(name) < len(names[value])):
            names[value] = name
    tensors: list[tuple[str, Tensor]] = [(case.name, case.right)]
    for edge in edges:
        tensors += [(edge.step.name, edge.step.output), *edge.step.reads.items()]
    for name, tensor in tensors:
        for axis, length in enumerate(tensor.shape):
            if length > 1:
                names.setdefault(length, f"the length of axis {axis} of {name}")
        if tensor.numel() > 1:
            names.setdefault(tensor.numel(), f"the number of elements of {name}")
    yield from names.items()
