"""Rules of what only moves entries: views, transpositions, joins, repetitions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from torch import Tensor

from author.derive.code import Binding, Code, call, literal, method, turned
from author.derive.nodes import Node, plain
from author.derive.rules.arithmetic import needing
from author.derive.rules.table import NoRule, rule
from author.derive.site import Flow, Placed, Site, Split, fitted
from exercises.language.expression import Call, evaluated


def shape_text(node: Node) -> str:
    """Return the shape of a value as an argument: ``emb.shape`` for a name, else its numbers."""
    if node.name is not None:
        return f"{node.name}.shape"
    return literal(node.shape) if node.shape else "()"


@rule("view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "ravel")
def _reshaped(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        gradient = site.gradient
        if gradient.number is not None:
            yield Flow(each, gradient)
            continue
        full = site.full()
        dim = site.argument("dim")
        if site.node.operation == "unsqueeze" and isinstance(dim, int):
            yield Flow(each, method(full, f".squeeze({dim})", each.shape))
        elif site.node.operation == "squeeze" and isinstance(dim, int) and each.shape[dim] == 1:
            yield Flow(each, method(full, f".unsqueeze({dim})", each.shape))
        elif each.shape == full.shape:
            yield Flow(each, full)
        else:
            yield Flow(each, method(full, f".reshape({shape_text(each)})", each.shape))


@rule("t")
def _transposed(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        if len(each.shape) == 2 and site.gradient.number is None:
            yield Flow(each, turned(site.full()))
        else:
            yield Flow(each, _moved(site, f".permute({literal(range(len(each.shape) - 1, -1, -1))})", each))


def _moved(site: Site, text: str, to: Node) -> Code:
    if site.gradient.number is not None:
        return site.gradient
    return method(site.full(), text, to.shape)


@rule("transpose")
def _transpose(site: Site) -> Iterator[Flow]:
    dims = [site.argument(name) for name in site.node.call.definition.parameters[1:3]]
    for each in needing(site.argument("input")):
        rank = len(each.shape)
        if {dim % rank for dim in dims} == {rank - 2, rank - 1} and site.gradient.number is None:
            yield Flow(each, turned(site.full()))
        else:
            yield Flow(each, _moved(site, f".transpose({dims[0]}, {dims[1]})", each))


@rule("permute")
def _permute(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        dims = [dim % len(each.shape) for dim in site.argument("dims")]
        inverse = [dims.index(i) for i in range(len(dims))]
        yield Flow(each, _moved(site, f".permute({literal(inverse)})", each))


@rule("movedim")
def _movedim(site: Site) -> Iterator[Flow]:
    source, destination = (site.argument(name) for name in site.node.call.definition.parameters[1:3])
    for each in needing(site.argument("input")):
        yield Flow(each, _moved(site, f".movedim({destination}, {source})", each))


@rule("expand")
def _expand(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        yield Flow(each, fitted(site.gradient, site.node.shape, each.shape))


@rule("repeat", "tile")
def _repeat(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        rank = len(site.node.shape)
        own = (1,) * (rank - len(each.shape)) + each.shape
        sizes: list[int] = []
        summed = []
        for whole, size in zip(site.node.shape, own, strict=True):
            if whole != size:
                summed.append(len(sizes))
                sizes.append(whole // size)
            sizes.append(size)
        full = site.full()
        if not summed:
            yield Flow(each, method(full, f".reshape({shape_text(each)})", each.shape))
            continue
        parts = method(full, f".reshape({literal(sizes)})", sizes)
        dims = str(summed[0]) if len(summed) == 1 else f"({literal(summed)})"
        rest = [size for i, size in enumerate(sizes) if i not in summed]
        total = method(parts, f".sum({dims})", rest)
        yield Flow(
            each, total if tuple(rest) == each.shape else method(total, f".reshape({shape_text(each)})", each.shape)
        )


@rule("repeat_interleave")
def _repeat_interleave(site: Site) -> Iterator[Flow]:
    repeats, dim = site.argument("repeats"), site.argument("dim")
    if not isinstance(repeats, int) or dim is None:
        raise NoRule("repeat_interleave without a number and a dimension")
    for each in needing(site.argument("input")):
        at = dim % len(each.shape)
        sizes = (*each.shape[: at + 1], repeats, *each.shape[at + 1 :])
        parts = method(site.full(), f".reshape({literal(sizes)})", sizes)
        yield Flow(each, method(parts, f".sum({at + 1})", each.shape))


@rule("flip", "fliplr", "flipud")
def _flip(site: Site) -> Iterator[Flow]:
    dims = {"fliplr": 1, "flipud": 0}.get(site.node.operation, site.argument("dims"))
    for each in needing(site.argument("input")):
        shown = literal(dims) if isinstance(dims, tuple) else dims
        yield Flow(each, _moved(site, f".flip({shown})", each))


@rule("roll")
def _roll(site: Site) -> Iterator[Flow]:
    shifts, dims = site.argument("shifts"), site.argument("dims")
    back = tuple(-each for each in shifts) if isinstance(shifts, tuple) else -shifts
    for each in needing(site.argument("input")):
        yield Flow(each, _moved(site, f".roll({back}, {dims})" if dims is not None else f".roll({back})", each))


@rule("tril", "triu")
def _triangle(site: Site) -> Iterator[Flow]:
    diagonal = site.plain("diagonal", 0)
    for each in needing(site.argument("input")):
        shown = "" if diagonal == 0 else str(diagonal)
        yield Flow(each, method(site.full(), f".{site.node.operation}({shown})", each.shape))


@rule("diagonal")
def _diagonal(site: Site) -> Iterator[Flow]:
    places = [site.plain(name, default) for name, default in (("offset", 0), ("dim1", 0), ("dim2", 1))]
    for each in needing(site.argument("input")):
        zeros = call("torch.zeros_like", site.value(each), shape=each.shape)
        yield Flow(each, method(zeros, f".diagonal_scatter({site.full()}, {literal(places)})", each.shape))


@rule("diag")
def _diag(site: Site) -> Iterator[Flow]:
    offset = site.plain("diagonal", 0)
    for each in needing(site.argument("input")):
        if len(each.shape) == 1:
            yield Flow(each, method(site.full(), f".diagonal({offset or ''})", each.shape))
        else:
            zeros = call("torch.zeros_like", site.value(each), shape=each.shape)
            yield Flow(each, method(zeros, f".diagonal_scatter({site.full()}, {offset})", each.shape))


@rule("diag_embed")
def _diag_embed(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        yield Flow(each, method(site.full(), f".diagonal({site.plain('offset', 0)}, -2, -1)", each.shape))


def part_text(dim: int, rank: int, start: int, stop: int, size: int) -> str:
    """Return the index of a part along a dimension: ``:, 4:8``."""
    shown = f"{start or ''}:{stop if stop != size else ''}"
    at = dim % rank
    if rank - at == 1 and rank > 2:
        return f"..., {shown}"
    return ", ".join([":"] * at + [shown])


@rule("cat", "hstack", "vstack")
def _cat(site: Site) -> Iterator[Flow]:
    tensors = site.argument("tensors")
    rank = len(site.node.shape)
    dim = site.plain("dim", 0)
    if site.node.operation == "hstack":
        dim = 0 if rank == 1 else 1
    if any(len(each.shape) != rank for each in tensors):
        raise NoRule(f"{site.node.operation} of tensors with other numbers of dimensions")
    start = 0
    full = site.full()
    for each in tensors:
        stop = start + each.shape[dim]
        for needed in needing(each):
            text = part_text(dim, rank, start, stop, site.node.shape[dim])
            yield Flow(needed, method(full, f"[{text}]", needed.shape))
        start = stop


@rule("stack")
def _stack(site: Site) -> Iterator[Flow]:
    dim = site.plain("dim", 0)
    rank = len(site.node.shape)
    full = site.full()
    for place, each in enumerate(site.argument("tensors")):
        for needed in needing(each):
            at = dim % rank
            text = f"..., {place}" if rank - at == 1 and rank > 2 else ", ".join([":"] * at + [str(place)])
            yield Flow(needed, method(full, f"[{text}]", needed.shape))


@rule("chunk", "split", "tensor_split", "narrow", "unbind")
def _split(site: Site) -> Iterator[Flow]:
    dim = site.plain("dim", 0)
    for each in needing(site.argument("input")):
        if site.node.operation == "unbind":
            yield _selected_slice(site, each, dim, site.node.index or 0)
            continue
        start, stop = _bounds(site, each, dim)
        value = site.full()
        text = part_text(dim, len(each.shape), start, stop, each.shape[dim])
        zeros = call("torch.zeros_like", site.value(each), shape=each.shape)
        code = method(zeros, f".slice_scatter({value}, {dim}, {start}, {stop})", each.shape)
        yield Flow(each, code, Split(dim % len(each.shape), start, stop, value) if text else None)


def _bounds(site: Site, input: Node, dim: int) -> tuple[int, int]:
    """Return where a part begins and ends along a dimension."""
    if site.node.operation == "narrow":
        start = site.argument("start")
        return start, start + site.argument("length")
    call_ = Call(site.node.operation, tuple((name, plain(each)) for name, each in site.node.arguments.items()))
    values: Sequence[Tensor] = evaluated(call_, dict[str, Any]().__getitem__)
    sizes = [each.shape[dim] for each in values]
    start = sum(sizes[: site.node.index or 0])
    return start, start + sizes[site.node.index or 0]


def _selected_slice(site: Site, input: Node, dim: int, place: int) -> Flow:
    zeros = call("torch.zeros_like", site.value(input), shape=input.shape)
    return Flow(input, method(zeros, f".select_scatter({site.full()}, {dim}, {place})", input.shape))


@rule("select")
def _select(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        yield _selected_slice(site, each, site.argument("dim"), site.argument("index"))


@rule("pad")
def _pad(site: Site) -> Iterator[Flow]:
    if site.plain("mode", "constant") != "constant":
        yield from _pad_with_copies(site)
        return
    pads = site.argument("pad")
    for each in needing(site.argument("input")):
        rank = len(each.shape)
        parts = [":"] * rank
        for place in range(len(pads) // 2):
            before, after = pads[2 * place], pads[2 * place + 1]
            if before < 0 or after < 0:
                raise NoRule("pad by a negative number")
            if before or after:
                parts[rank - 1 - place] = f"{before or ''}:{-after if after else ''}"
        while len(parts) > 1 and parts[-1] == ":":
            parts.pop()
        yield Flow(each, method(site.full(), f"[{', '.join(parts)}]", each.shape))


def _pad_with_copies(site: Site) -> Iterator[Flow]:
    """Add each padded place up where it was copied from: the padded numbers of the places tell where that is."""
    pads, mode = site.argument("pad"), site.plain("mode")
    for each in needing(site.argument("input")):
        rank, code, shape = len(each.shape), site.full(), list(site.node.shape)
        for place in range(len(pads) // 2):
            before, after = pads[2 * place], pads[2 * place + 1]
            if before < 0 or after < 0:
                raise NoRule("pad by a negative number")
            if before or after:
                dim = rank - 1 - place
                size = shape[dim] = each.shape[dim]
                source = site.temporaries.fresh(f"{site.line}_from" if not place else f"{site.line}_from_{dim}")
                counted = f"F.pad(torch.arange({size}.0)[None], ({before}, {after}), mode={mode!r})"
                site.temporaries.set(source, f"{counted}[0].long()")
                zeros = call("torch.zeros", literal(shape), shape=shape)
                code = method(zeros, f".index_add({dim}, {source}, {code})", shape)
        yield Flow(each, code)


@rule("unfold")
def _unfold(site: Site) -> Iterator[Flow]:
    """Add each window up where it came from: one slice for each place in the window."""
    dim, size, step = (site.argument(name) for name in site.node.call.definition.parameters[1:4])
    for each in needing(site.argument("input")):
        at = dim % len(each.shape)
        windows = site.node.shape[at]
        site.gradient = site.full()
        gradient = site.named_gradient()
        zeros = call("torch.zeros_like", site.value(each), shape=each.shape)
        for place in range(size):
            value = method(gradient, f"[..., {place}]", site.node.shape[:-1])
            stop = place + (windows - 1) * step + 1
            bounds = f"{place}, {stop}" if step == 1 else f"{place}, {stop}, {step}"
            text = ", ".join([":"] * at + [":".join(bounds.split(", "))])
            code = method(zeros, f".slice_scatter({value}, {at}, {bounds})", each.shape)
            yield Flow(each, code, Placed(text, value))


@rule("pixel_shuffle", "pixel_unshuffle")
def _pixel_shuffle(site: Site) -> Iterator[Flow]:
    is_shuffle = site.node.operation == "pixel_shuffle"
    name, factor = ("unshuffle", "upscale_factor") if is_shuffle else ("shuffle", "downscale_factor")
    for each in needing(site.argument("input")):
        yield Flow(each, call(f"F.pixel_{name}", site.full(), site.argument(factor), shape=each.shape))


def _window_options(site: Site) -> dict[str, int | tuple[int, ...]]:
    defaults = {"dilation": 1, "padding": 0, "stride": 1}
    return {name: site.argument(name) for name, plain in defaults.items() if site.argument(name) not in (None, plain)}


@rule("im2col")
def _im2col(site: Site) -> Iterator[Flow]:
    size = site.argument("kernel_size")
    for each in needing(site.argument("input")):
        space = f"{each.name}.shape[-2:]" if each.name else f"({literal(each.shape[-2:])})"
        yield Flow(each, call("F.fold", site.full(), space, size, shape=each.shape, **_window_options(site)))


@rule("fold")
def _fold(site: Site) -> Iterator[Flow]:
    size = site.argument("kernel_size")
    for each in needing(site.argument("input")):
        yield Flow(each, call("F.unfold", site.full(), size, shape=each.shape, **_window_options(site)))


@rule("interpolate")
def _interpolate(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        spatial = list(zip(site.node.shape[2:], each.shape[2:], strict=True))
        if site.plain("mode", "nearest") != "nearest" or any(whole % size for whole, size in spatial):
            yield Flow(each, _interpolated_back(site, each))
            continue
        sizes = [*each.shape[:2], *(part for whole, size in spatial for part in (size, whole // size))]
        dims = [3 + 2 * i for i in range(len(spatial))]
        parts = method(site.full(), f".reshape({literal(sizes)})", sizes)
        shown = str(dims[0]) if len(dims) == 1 else f"({literal(dims)})"
        yield Flow(each, method(parts, f".sum({shown})", each.shape))


_ALONG_AN_AXIS: Final = {"nearest": "nearest", "linear": "linear", "bilinear": "linear"}


def _interpolated_back(site: Site, each: Node) -> Code:
    """Return the gradient of what was interpolated along one or two axes.

    Each axis is a product with a matrix, whose rows are the interpolated rows of the identity.
    """
    mode, sizes = site.plain("mode", "nearest"), list(zip(each.shape[2:], site.node.shape[2:], strict=True))
    scale = site.argument("scale_factor")
    scales = scale if isinstance(scale, tuple) else (scale,) * len(sizes)
    is_rounded = any(by is not None and size * by != whole for by, (size, whole) in zip(scales, sizes, strict=True))
    if mode not in _ALONG_AN_AXIS or len(sizes) > 2 or is_rounded:
        raise NoRule(f"interpolate with mode {mode!r} and these sizes")
    options = f"mode={_ALONG_AN_AXIS[mode]!r}" + (", align_corners=True" if site.argument("align_corners") else "")
    matrices: dict[tuple[int, int], str] = {}
    for size, whole in sizes:
        if (size, whole) not in matrices:
            matrices[size, whole] = site.temporaries.fresh(
                f"{site.line}_weights{len(matrices) + 1 if matrices else ''}"
            )
            unit = f"F.interpolate(torch.eye({size})[None], {whole}, {options})"
            site.temporaries.set(matrices[size, whole], f"{unit}[0]")
    right = f"{site.full().within(Binding.PRODUCT)} @ {matrices[sizes[-1]]}.T"
    left = f"{matrices[sizes[0]]} @ " if len(sizes) == 2 else ""
    return Code(f"{left}{right}", each.shape, Binding.PRODUCT)
