"""Tensors that lines make of numbers: ``torch.zeros(3, 4)``."""

from __future__ import annotations

import math
from typing import Any, Final

import torch

from exercises.language.reading.session import Session, holds_traced
from exercises.language.reading.values import Traced

_SHAPED: Final = {"torch.zeros": "zeros", "torch.ones": "ones", "torch.empty": "zeros", "torch.full": "full"}
_LIKE: Final = {"torch.zeros_like": "zeros", "torch.ones_like": "ones", "torch.empty_like": "zeros",
                "torch.full_like": "full"}  # fmt: skip
_OTHERS: Final = (
    "torch.arange", "torch.linspace", "torch.eye", "torch.tensor", "torch.as_tensor", "torch.scalar_tensor",
    "torch.FloatTensor", "torch.LongTensor", "torch.Tensor", "Tensor", "torch.logspace", "torch.from_numpy",
)  # fmt: skip


def knows(path: str) -> bool:
    """Return whether a path names a function that makes a tensor."""
    return path in _SHAPED or path in _LIKE or path in _OTHERS


def called(session: Session, path: str, positional: list[Any], options: dict[str, Any]) -> Traced:
    """Return a tensor of numbers."""
    dtype = options.pop("dtype", None)
    if path in _LIKE:
        if not isinstance(positional[0], Traced):
            raise session.refused(f"{path} reads no tensor", "Write torch.zeros(…) with numbers.")
        value = positional[0].value
        fill = [*positional[1:], *(options.pop(each) for each in ("fill_value",) if each in options)]
        return shaped(session, _LIKE[path], tuple(value.shape), fill, dtype or value.dtype)
    if path in _SHAPED:
        count = 1 if _SHAPED[path] == "full" else None
        fill = [options.pop("fill_value")] if "fill_value" in options else []
        sizes = options.pop("size", None)
        arguments = positional if sizes is None else [sizes, *positional]
        shape, rest = (arguments[0], arguments[1:]) if count else (size_of(session, arguments), [])
        return shaped(session, _SHAPED[path], size_of(session, [shape]), [*rest, *fill], dtype)
    if path == "torch.arange":
        return _arange(session, positional, options, dtype)
    if path in ("torch.linspace", "torch.logspace"):
        steps = options.pop("steps", positional[2] if len(positional) > 2 else None)
        bounds = [*positional[:2], *(options.pop(each) for each in ("start", "end") if each in options)]
        if path == "torch.logspace":
            raise session.refused("torch.logspace is not in the language", "Write 10 ** torch.linspace(…).")
        return _made(session, "linspace", float(bounds[0]), float(bounds[1]), int(steps))
    if path == "torch.eye":
        return _made(session, "eye", *(positional or [options["n"]]), **_with_dtype(dtype, torch.float32))
    if path in ("torch.FloatTensor", "torch.Tensor", "Tensor") and len(positional) > 1:
        return shaped(session, "zeros", size_of(session, positional), [])  # as torch.empty: the numbers are a shape
    return _tensor(session, path, (positional or [options.pop("data", 0)])[0], dtype)


def shaped(
    session: Session, name: str, shape: tuple[int, ...], fill: list[Any], dtype: torch.dtype | None = None
) -> Traced:
    """Return a tensor of one number."""
    if any(holds_traced(each) for each in fill):
        value: Traced = session.operation("expand", fill[0], *shape)
        return value
    default = torch.float32
    if name == "full" and fill and isinstance(fill[0], bool | int):
        default = torch.bool if isinstance(fill[0], bool) else torch.int64
    return _made(session, name, shape, *fill, **_with_dtype(dtype, default))


def size_of(session: Session, arguments: list[Any]) -> tuple[int, ...]:
    """Return the shape that is written as numbers or as one tuple.

    :raises Refused: a size is no number
    """
    sizes = arguments[0] if len(arguments) == 1 and isinstance(arguments[0], list | tuple) else arguments
    if holds_traced(list(sizes)):
        raise session.refused("a shape depends on a tensor's values", "Write the sizes as numbers.")
    if not all(isinstance(size, int) and size >= 0 for size in sizes):
        raise session.refused("a size is no whole number", "Write the sizes as numbers.")
    session.budget.spend_elements(session.line, math.prod(sizes))
    return tuple(sizes)


def _with_dtype(dtype: torch.dtype | None, default: torch.dtype) -> dict[str, Any]:
    return {} if dtype is None or dtype == default else {"dtype": dtype}


def _made(session: Session, name: str, *arguments: Any, **options: Any) -> Traced:
    made: Traced = session.operation(name, *arguments, **options)
    return made


def _arange(session: Session, positional: list[Any], options: dict[str, Any], dtype: torch.dtype | None) -> Traced:
    numbers = [*positional, *(options.pop(each) for each in ("start", "end", "step") if each in options)]
    if holds_traced(numbers):
        raise session.refused("a shape depends on a tensor's values", "Write the numbers.")
    start, end, step = (0, numbers[0], 1) if len(numbers) == 1 else (*numbers, 1)[:3]
    if not step or abs((end - start) / step) > session.limits.elements:
        raise session.refused("torch.arange has too many elements", "Choose smaller numbers.")
    is_float = any(isinstance(each, float) for each in numbers)
    return _made(session, "arange", start, end, step, **_with_dtype(dtype, torch.float32 if is_float else torch.int64))


def _tensor(session: Session, path: str, data: Any, dtype: torch.dtype | None) -> Traced:
    if isinstance(data, Traced):
        session.note("torch.tensor of a tensor has no gradient")
        made: Traced = session.operation("detach", data)
        return made
    session.weigh([data])
    if holds_traced(data):
        return session.operation("detach", session.operation("stack", tuple(data)))  # type: ignore[no-any-return]
    if path in ("torch.FloatTensor", "torch.Tensor", "Tensor"):
        if isinstance(data, int):
            return shaped(session, "zeros", (data,), [])
        dtype = torch.float32
    return _made(session, "tensor", data if isinstance(data, int | float) else _frozen(data), **_dtype(dtype))


def _dtype(dtype: torch.dtype | None) -> dict[str, Any]:
    return {} if dtype is None else {"dtype": dtype}


def _frozen(data: Any) -> Any:
    return tuple(_frozen(each) for each in data) if isinstance(data, list | tuple | range) else data
