"""The strings of einops, read as reshape, permute, expand and a reduction."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Final

from exercises.language.reading.session import Session
from exercises.language.reading.values import Traced

_PATHS: Final = ("einops.rearrange", "einops.reduce", "einops.repeat")
_WORD: Final = re.compile(r"\(|\)|[^\W\d]\w*|1|\.\.\.")
Axes = list[list[str]]  # one list of names for each dimension


@dataclass(frozen=True)
class Pattern:
    """The axes on both sides of an arrow, and the size of each name."""

    before: Axes
    after: Axes
    sizes: dict[str, int]


def knows(path: str) -> bool:
    """Return whether a path is a function of einops."""
    return path in _PATHS


def called(session: Session, path: str, positional: list[Any], options: dict[str, Any]) -> Traced:
    """Return a tensor rearranged as a pattern says."""
    tensor, pattern, *rest = positional
    if isinstance(tensor, list | tuple):
        tensor = session.operation("stack", tuple(tensor), 0)
    reduction = rest[0] if rest else options.pop("reduction", None)
    left, arrow, right = str(pattern).partition("->")
    if not arrow:
        raise session.refused(f"{pattern!r} has no ->", "Write 'b t (h d) -> b h t d'.")
    before, after = _without_dots(_axes(session, left), _axes(session, right), tensor.value.dim())
    sizes = _sizes(session, before, tuple(tensor.value.shape), options)
    return _arranged(session, tensor, Pattern(before, after, sizes), reduction)


def _axes(session: Session, side: str) -> Axes:
    found: Axes = []
    group: list[str] | None = None
    if len(side) > 500 or _WORD.sub("", side).strip():
        raise session.refused(f"the pattern {side.strip()[:40]!r} is not read", "Write names, 1 and (…).")
    for word in _WORD.findall(side):
        if word == "(":
            group = []
        elif word == ")":
            found.append(group or [])
            group = None
        elif group is not None:
            group.append(word)
        else:
            found.append([] if word == "1" else [word])
    return found


def _without_dots(before: Axes, after: Axes, dims: int) -> tuple[Axes, Axes]:
    count = dims - sum(axis != ["..."] for axis in before)
    names = [[f"dots{place}"] for place in range(max(count, 0))]

    def spread(axes: Axes) -> Axes:
        return [each for axis in axes for each in (names if axis == ["..."] else [axis])]

    return spread(before), spread(after)


def _sizes(session: Session, before: Axes, shape: tuple[int, ...], options: dict[str, Any]) -> dict[str, int]:
    if len(before) != len(shape):
        raise session.refused(f"the pattern has {len(before)} dimensions, the tensor {len(shape)}", "Correct it.")
    sizes: dict[str, int] = {key: int(value) for key, value in options.items()}
    for axis, size in zip(before, shape, strict=True):
        open_names = [name for name in axis if name not in sizes]
        known = math.prod(sizes[name] for name in axis if name in sizes)
        if len(open_names) > 1 or not known or size % known:
            raise session.refused(f"the sizes of {' '.join(axis)} are not given", f"Give one: {axis[0]}=….")
        if open_names:
            sizes[open_names[0]] = size // known
        elif known != size:
            raise session.refused(f"{' '.join(axis) or '1'} is {known}, the tensor has {size}", "Correct the sizes.")
    return sizes


def _arranged(session: Session, tensor: Traced, pattern: Pattern, reduction: Any) -> Traced:
    """Return the tensor split into single axes, reduced, put in order, spread over new axes, and joined again."""
    sizes = pattern.sizes
    source = [name for axis in pattern.before for name in axis]
    target = [name for axis in pattern.after for name in axis]
    missing = [name for name in target if name not in sizes]
    if missing:
        raise session.refused(f"the size of {missing[0]} is not given", f"Give it: {missing[0]}=….")
    result = _reshaped(session, tensor, [sizes[name] for name in source])
    gone = tuple(place for place, name in enumerate(source) if name not in target)
    if gone:
        if not isinstance(reduction, str) or reduction not in ("sum", "mean", "max", "min", "amax"):
            raise session.refused("the pattern loses an axis", "Write reduce(x, pattern, 'mean') or 'sum'.")
        name = {"max": "amax", "min": "amin"}.get(reduction, reduction)
        result = session.operation(name, result, gone if len(gone) > 1 else gone[0])
    kept = [name for name in source if name in target]
    order = [kept.index(name) for name in target if name in kept]
    if order != sorted(order):
        result = session.operation("permute", result, *order)
    for place, name in enumerate(target):
        if name not in kept:
            result = session.operation("unsqueeze", result, place)
    single = [sizes[name] for name in target]
    if tuple(result.value.shape) != tuple(single):
        result = session.operation("expand", result, *single)
    return _reshaped(session, result, [math.prod(sizes[name] for name in axis) for axis in pattern.after])


def _reshaped(session: Session, tensor: Traced, shape: list[int]) -> Traced:
    if tuple(tensor.value.shape) == tuple(shape):
        return tensor
    reshaped: Traced = session.operation("reshape", tensor, *shape)
    return reshaped
