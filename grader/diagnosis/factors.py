"""Names for factors: a student reads 1/n, not 0.03125."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch

from grader.diagnosis.case import Case, Edge

SMALL = (2, 3, 4)
NAME_TOLERANCE = 1e-4  # relative
RATIO_MIN = 3  # a factor of 3/2 or 1/2 comes from elsewhere than an axis of 3


def named(weight: float, case: Case, edges: tuple[Edge, ...] = ()) -> str | None:
    """Return the name of a factor without its sign: "n (32)", "1/n (1/32)". None if it has no name.

    The names come from the constants of the forward pass and from the lengths of the axes around, those of ``edges``
    included.
    """
    size = abs(weight)
    values, names = _names(*_shapes(case, edges))
    near = np.abs(size - values) <= NAME_TOLERANCE * values
    first = int(near.argmax())
    return names[first] if near[first] else _name_of_loss(size, abs(float(case.values["loss"])))


def described(weight: float, case: Case, edges: tuple[Edge, ...] = ()) -> str:
    """Return the name of a factor, or its figure."""
    return named(weight, case, edges) or f"{abs(weight):.6g}"


def signed(weight: float, case: Case, edges: tuple[Edge, ...] = ()) -> str:
    """Return the name of a factor, or its figure, with its sign: "-n (32)", but "minus n-1 (31)"."""
    text = described(weight, case, edges)
    return text if weight >= 0 else ("minus " if "-" in text else "-") + text


_Shapes = tuple[tuple[str, torch.Size], ...]


@lru_cache(maxsize=512)  # the same for all instances of an exercise
def _names(numbers: tuple[tuple[str, int], ...], shapes: _Shapes) -> tuple[npt.NDArray[np.float64], Sequence[str]]:
    """Return the values that have a name, in the order in which they are tried, and their names."""
    values, names = zip(*_named_values(numbers, shapes), strict=True)
    return np.array(values, np.float64), names


def _name_of_loss(size: float, loss: float) -> str | None:
    for value, name in ((loss, f"the loss ({loss:.4g})"), (1 / loss, f"1/loss (1/{loss:.4g})")) if loss else ():
        if abs(size - value) <= NAME_TOLERANCE * value:
            return name
    return None


def _shapes(case: Case, edges: tuple[Edge, ...]) -> tuple[tuple[tuple[str, int], ...], _Shapes]:
    """Return the constants of the forward pass, and the tensors around with their shapes; that of the answer first."""
    shapes = [(case.name, case.right.shape)]
    for edge in edges:
        shapes.append((edge.step.name, edge.step.output.shape))
        shapes += [(name, tensor.shape) for name, tensor in edge.step.reads.items()]
    return tuple(case.constants.items()), tuple(dict.fromkeys(shapes))


def _named_values(numbers: tuple[tuple[str, int], ...], shapes: _Shapes) -> Iterator[tuple[float, str]]:
    yield 1.0, "1"
    for small in SMALL[:1]:
        yield from _of(small, str(small), "")
    # 3 is 3 rather than block_size, unless it is the length of an axis here.
    lengths = [each for each in _lengths(numbers, shapes) if each[0] not in SMALL or each[0] in shapes[0][1]]
    for length, name in lengths:
        yield from _of(length, name, f" ({length})")
        yield length - 1, f"{name}-1 ({length - 1})"
        if length > RATIO_MIN:
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


def _lengths(numbers: tuple[tuple[str, int], ...], shapes: _Shapes) -> Iterator[tuple[int, str]]:
    """Yield the constants of the forward pass, each with its shortest name, then the lengths of the axes around."""
    names: dict[int, str] = {}
    for name, value in numbers:
        if value > 1 and (value not in names or len(name) < len(names[value])):
            names[value] = name
    for name, shape in shapes:
        for axis, length in enumerate(shape):
            if length > 1:
                names.setdefault(length, f"the length of axis {axis} of {name}")
        if shape.numel() > 1:
            names.setdefault(shape.numel(), f"the number of elements of {name}")
    yield from names.items()
