"""Read an element: of a list, a dict, several results, or a tensor."""

from __future__ import annotations

import ast
from typing import Any

import torch

from exercises.language.reading.session import Session, holds_traced
from exercises.language.reading.values import Instance, Library, Results, Traced


def part(session: Session, value: Any, index: Any, node: ast.Subscript) -> Any:
    """Return ``value[index]``.

    :raises Refused: a boolean mask decides how many rows there are, or what is indexed cannot be
    """
    session.weigh(index)
    match value:
        case Traced():
            return of_tensor(session, value, index, node)
        case Results():
            return value.parts()[index] if isinstance(index, slice) else value.part(_number(session, index))
        case Instance() if isinstance(index, str) and index in value.attributes:
            return value.attributes[index]
        case Instance() if "items" in value.attributes:
            return value.attributes["items"][index]
        case Library():
            return value
        case list() | tuple() | dict() | str() | range():
            if holds_traced(index):
                raise session.refused(
                    f"{ast.unparse(node)!r} chooses an element by a tensor's values", "Index with a number."
                )
            return value[index]
    raise session.refused(f"{ast.unparse(node)!r} cannot be indexed", "Write it with the operations of the language.")


def of_tensor(session: Session, value: Traced, index: Any, node: ast.Subscript) -> Traced:
    """Return an indexed tensor."""
    index = _without_lists(index)
    for each in index if isinstance(index, tuple) else (index,):
        if isinstance(each, Traced) and each.value.dtype in (torch.bool, torch.uint8):
            raise session.refused(
                "a boolean mask gives a number of rows that depends on the values",
                f"Write torch.where({ast.unparse(node.slice)}, {ast.unparse(node.value)}, 0) and divide by "
                f"({ast.unparse(node.slice)}).sum(), or index with numbers.",
            )
        if isinstance(each, slice) and holds_traced((each.start, each.stop, each.step)):
            raise session.refused("a shape depends on a tensor's values", "Slice with numbers.")
    result: Traced = session.operation("index", value, index)
    return result


def _without_lists(index: Any) -> Any:
    """Return an index in which a list of numbers stays one index: torch reads a tuple as several."""
    if isinstance(index, list):
        return (tuple(index),)
    if isinstance(index, tuple):
        return tuple(tuple(each) if isinstance(each, list) else each for each in index)
    return index


def _number(session: Session, index: Any) -> int:
    if not isinstance(index, int):
        raise session.refused("a result is chosen by no number", "Write its number.")
    return index
