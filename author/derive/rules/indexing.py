"""Rules of indexing: what is read at a place gives its gradient back to that place, and repeats add up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from author.derive.code import Code, call, method
from author.derive.nodes import Node, plain
from author.derive.rules.arithmetic import needing
from author.derive.rules.shapes import shape_text
from author.derive.rules.table import rule
from author.derive.site import Flow, Placed, Site, fitted
from author.derive.spelling import argument_text, index_text


@rule("index")
def _index(site: Site) -> Iterator[Flow]:
    index = site.argument("index")
    for each in needing(site.argument("input")):
        parts = index if isinstance(index, tuple) else (index,)
        is_plain = all(part is None or part is Ellipsis or isinstance(part, int | slice) for part in parts)
        value = site.gradient if site.gradient.number is not None else site.full()
        text = index_text(index, site.numbers)
        if is_plain:
            yield _sliced(site, each, parts, Placed(text, value))
        else:
            yield _gathered(site, each, parts, Placed(text, value, _repeats(each, index)))


def _repeats(input: Node, index: Any) -> bool:
    """Whether an index reads a place more than once on the sample numbers, or may on others."""
    numbers = torch.arange(input.value.numel()).reshape(input.shape)
    read = numbers[plain(index)]
    parts = index if isinstance(index, tuple) else (index,)
    tensors = [part for part in parts if isinstance(part, Node)]
    has_rows = any(isinstance(part, range) or _is_arange(part) for part in parts)
    return bool(read.unique().numel() != read.numel()) or (bool(tensors) and not has_rows and not _are_masks(tensors))


def _is_arange(part: Any) -> bool:
    """Whether an index is 0, 1, 2 …, as ``torch.arange(n)`` is: each row once."""
    value = plain(part)
    if not isinstance(value, Tensor) or value.dtype != torch.int64 or value.numel() < 2:
        return False
    return bool((value.flatten() == torch.arange(value.numel())).all())


def _are_masks(parts: list[Node]) -> bool:
    return all(part.value.dtype == torch.bool for part in parts)


def _sliced(site: Site, input: Node, parts: tuple[Any, ...], placed: Placed) -> Flow:
    """Return the flow to a slice: the gradient in zeros."""
    dims = _dims_of(parts, len(input.shape))
    if not dims and placed.value.number is None:  # x[:, None] only puts dimensions in
        added = [place for place, part in enumerate(parts) if part is None]
        if len(added) == 1 and Ellipsis not in parts:
            return Flow(input, method(placed.value, f".squeeze({added[0]})", input.shape))
        return Flow(input, method(placed.value, f".reshape({shape_text(input)})", input.shape))
    zeros = call("torch.zeros_like", site.value(input), shape=input.shape)
    stretched = placed.value
    if stretched.number is not None:
        stretched = site.full()
    if len(dims) == 1:
        dim, part = dims[0]
        if isinstance(part, int):
            return Flow(input, method(zeros, f".select_scatter({stretched}, {dim}, {part})", input.shape), placed)
        bounds = [argument_text(each, site.numbers) for each in (part.start, part.stop, part.step) if each is not None]
        if part.start is None and part.stop is not None:
            bounds = ["0", *bounds]
        if None not in parts and (part.stop is not None or part.step is None):
            scattered = f".slice_scatter({stretched}, {dim}, {', '.join(bounds)})"
            return Flow(input, method(zeros, scattered, input.shape), placed)
    return Flow(input, _counted(site, input, parts, stretched), placed)


def _dims_of(parts: tuple[Any, ...], rank: int) -> list[tuple[int, Any]]:
    """Return dimension and index for each part that takes something away."""
    used = sum(part is not None and part is not Ellipsis for part in parts)
    dims, at = [], 0
    for part in parts:
        if part is Ellipsis:
            at += rank - used
        elif part is not None:
            if part != slice(None):
                dims.append((at, part))
            at += 1
    return dims


def _counted(site: Site, input: Node, parts: tuple[Any, ...], value: Code) -> Code:
    """Return an expression for any index: the entries are numbered, and what was read is added where it came from."""
    source = site.value(input)
    index = index_text(parts, site.numbers)
    places = f"torch.arange({source.atom}.numel()).reshape({source.atom}.shape)[{index}].flatten()"
    zeros = f"torch.zeros_like({source}).flatten()"
    return method(
        Code(zeros, input.shape),
        f".index_add(0, {places}, {value.atom}.flatten()).reshape({source.atom}.shape)",
        input.shape,
    )


def _gathered(site: Site, input: Node, parts: tuple[Any, ...], placed: Placed) -> Flow:
    """Return the flow to what a tensor of indices reads."""
    zeros = call("torch.zeros_like", site.value(input), shape=input.shape)
    value = placed.value
    if all(not isinstance(part, slice) and part is not None and part is not Ellipsis for part in parts):
        shown = ", ".join(_tensor_index(part, site) for part in parts)
        places = f"({shown},)" if len(parts) == 1 else f"({shown})"
        entry = f"torch.tensor({value})" if value.number is not None else value.text
        accumulate = ", accumulate=True" if placed.repeats else ""
        code = method(zeros, f".index_put({places}, {entry}{accumulate})", input.shape)
        return Flow(input, code, placed)
    stretched = site.full() if value.number is not None else value
    others = [part for part in parts if part != slice(None)]
    if len(others) == 1 and isinstance(others[0], Node) and len(others[0].shape) == 1 and not _are_masks(others):
        added = f".index_add({parts.index(others[0])}, {site.value(others[0])}, {stretched})"
        return Flow(input, method(zeros, added, input.shape))
    return Flow(input, _counted(site, input, parts, stretched), placed if not placed.repeats else None)


def _tensor_index(part: Any, site: Site) -> str:
    if isinstance(part, range):
        text = argument_text(part, site.numbers)
        inner = text.removeprefix("range(").removesuffix(")")
        return f"torch.arange({inner})"
    if isinstance(part, int):
        return f"torch.tensor({part})"
    if isinstance(part, tuple):
        return f"torch.tensor({list(part)})"
    return argument_text(part, site.numbers)


@rule("embedding")
def _embedding(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("weight")):
        indices = site.value(site.argument("input"))
        zeros = call("torch.zeros_like", site.value(each), shape=each.shape)
        code = method(zeros, f".index_put(({indices},), {site.full()}, accumulate=True)", each.shape)
        yield Flow(each, code, Placed(indices.text, site.full(), repeats=True))


@rule("gather", "take_along_dim")
def _gather(site: Site) -> Iterator[Flow]:
    index = site.argument("index") if site.argument("index") is not None else site.argument("indices")
    for each in needing(site.argument("input")):
        zeros = call("torch.zeros_like", site.value(each), shape=each.shape)
        dim = site.argument("dim")
        yield Flow(each, method(zeros, f".scatter_add({dim}, {site.value(index)}, {site.full()})", each.shape))


@rule("index_select")
def _index_select(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        zeros = call("torch.zeros_like", site.value(each), shape=each.shape)
        places = site.value(site.argument("index"))
        yield Flow(each, method(zeros, f".index_add({site.argument('dim')}, {places}, {site.full()})", each.shape))


@rule("index_add")
def _index_add(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        yield Flow(each, site.gradient)
    for each in needing(site.argument("source")):
        places = site.value(site.argument("index"))
        yield Flow(each, method(site.full(), f".index_select({site.argument('dim')}, {places})", each.shape))


@rule("scatter_add")
def _scatter_add(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        yield Flow(each, site.gradient)
    for each in needing(site.argument("src")):
        places = site.value(site.argument("index"))
        yield Flow(each, method(site.full(), f".gather({site.argument('dim')}, {places})", each.shape))


@rule("scatter")
def _scatter(site: Site) -> Iterator[Flow]:
    places, dim = site.value(site.argument("index")), site.argument("dim")
    for each in needing(site.argument("input")):
        yield Flow(each, method(site.full(), f".scatter({dim}, {places}, 0)", each.shape))
    for each in needing(site.argument("src")):
        yield Flow(each, method(site.full(), f".gather({dim}, {places})", each.shape))


@rule("slice_scatter", "select_scatter")
def _written(site: Site) -> Iterator[Flow]:
    """Undo a functional write: the written place reads from what was written, the rest from before."""
    dim = site.plain("dim", 0)
    for each in needing(site.argument("src")):
        yield Flow(each, method(site.full(), _read_back(site, dim, len(site.node.shape)), each.shape))
    for each in needing(site.argument("input")):
        source = site.argument("src")
        zeros = f"torch.zeros_like({site.value(source)})" if isinstance(source, Node) else "0.0"
        text = f".{site.node.operation}({zeros}, {dim}, {_bounds_text(site)})"
        yield Flow(each, method(site.full(), text, each.shape))


def _bounds_text(site: Site) -> str:
    if site.node.operation == "select_scatter":
        return str(site.argument("index"))
    return ", ".join(_bounds(site))


def _bounds(site: Site) -> list[str]:
    """Return start, end and step of a written slice."""
    names = ("start", "end", "step") if site.plain("step", 1) != 1 else ("start", "end")
    return [str(site.argument(name)) for name in names]


def _read_back(site: Site, dim: int, rank: int) -> str:
    at = [":"] * (dim % rank)
    if site.node.operation == "select_scatter":
        return f"[{', '.join([*at, str(site.argument('index'))])}]"
    shown = ":".join("" if each == "None" else each for each in _bounds(site))
    return f"[{', '.join([*at, shown])}]"


@rule("index_put")
def _index_put(site: Site) -> Iterator[Flow]:
    indices = site.argument("indices")
    for each in needing(site.argument("input")):
        if site.argument("accumulate"):
            yield Flow(each, site.gradient)
        else:
            places = argument_text(indices, site.numbers)
            yield Flow(each, method(site.full(), f".index_put({places}, torch.tensor(0.0))", each.shape))
    for each in needing(site.argument("values")):
        read = site.node.value[tuple(plain(part) for part in indices)]
        there = method(site.full(), f"[{index_text(indices, site.numbers)}]", tuple(read.shape))
        yield Flow(each, fitted(there, tuple(read.shape), each.shape))
