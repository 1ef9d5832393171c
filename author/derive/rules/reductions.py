"""Rules of sums, means, variances, maxima and what is made of them."""

from __future__ import annotations

import math
from collections.abc import Iterator

from author.derive.code import (
    Code,
    broadcast,
    call,
    compared,
    dims_text,
    div,
    literal,
    matmul,
    method,
    mul,
    neg,
    number,
    power,
    sub,
)
from author.derive.nodes import Node
from author.derive.rules.arithmetic import needing
from author.derive.rules.table import RULES, NoRule, rule
from author.derive.site import Flow, Site, fitted
from author.derive.spelling import value_code
from exercises.language.expression import Part


def reduced_dims(site: Site, input: Node, name: str = "dim") -> tuple[int, ...]:
    """Return the dimensions over which an operation reduces, as the line has them; all without any."""
    dim = site.argument(name)
    if dim is None or dim == ():
        return tuple(range(len(input.shape)))
    return (dim,) if isinstance(dim, int) else tuple(dim)


def is_whole(site: Site) -> bool:
    """Whether an operation reduces over everything, to a number."""
    return site.argument("dim") is None or site.argument("dim") == ()


def unreduced(site: Site, input: Node, code: Code) -> Code:
    """Return code of the output's shape such that it stretches to the input: with the summed dimensions of size 1."""
    if code.number is not None or site.argument("keepdim") or code.shape == ():
        return code
    if is_whole(site):
        return code
    rank = len(input.shape)
    for dim in sorted(each % rank for each in reduced_dims(site, input)):
        shape = (*code.shape[:dim], 1, *code.shape[dim:])
        shown = dim - rank if any(each < 0 for each in reduced_dims(site, input)) else dim
        code = method(code, f".unsqueeze({shown})", shape)
    return code


def count(site: Site, input: Node) -> int:
    """Return the number of entries that are reduced to one."""
    return math.prod(input.shape[each] for each in reduced_dims(site, input))


def kept(site: Site, name: str, code: Code, input: Node, options: str = "") -> Code:
    """Return ``code.name(dims, keepdim=True)``."""
    dims = reduced_dims(site, input)
    rank = len(input.shape)
    shape = tuple(1 if i in {each % rank for each in dims} else size for i, size in enumerate(input.shape))
    if is_whole(site):
        return method(code, f".{name}({options.removeprefix(', ')})", ())
    return method(code, f".{name}({dims_text(dims)}{options}, keepdim=True)", shape)


def _incoming(site: Site) -> Code:
    """Return the gradient in the rank of the output, so that dimensions can be put in between."""
    gradient = site.gradient
    if gradient.number is None and len(gradient.shape) != len(site.node.shape) and gradient.shape != ():
        return site.full()
    return gradient


@rule("sum")
def _sum(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        yield Flow(each, unreduced(site, each, _incoming(site)))


@rule("mean")
def _mean(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        size = count(site, each)
        yield Flow(each, div(unreduced(site, each, _incoming(site)), site.numbers.code(size)))


def _correction(site: Site) -> int:
    if site.argument("correction") is not None:
        return int(site.argument("correction"))
    return 0 if site.argument("unbiased") is False else 1


def _variance_flow(site: Site, each: Node, incoming: Code) -> Flow:
    left = count(site, each) - _correction(site)
    n = site.numbers.code(count(site, each)).text
    shown = f"2 / ({n} - {_correction(site)})" if not n.isdigit() and _correction(site) else f"2 / {left}"
    factor = number(2 / left, shown if _correction(site) or n.isdigit() else f"2 / {n}")
    value = site.value(each, often=True)
    centred = Code(f"({sub(value, kept(site, 'mean', value, each))})", each.shape)
    return Flow(each, mul(mul(factor, incoming), centred))


@rule("var")
def _var(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        yield _variance_flow(site, each, unreduced(site, each, _incoming(site)))


@rule("std")
def _std(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        incoming = div(_incoming(site), Code(f"({mul(number(2, '2'), site.output)})", site.node.shape))
        yield _variance_flow(site, each, unreduced(site, each, incoming))


@rule("var_mean", "std_mean")
def _var_mean(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        if site.node.index == 1:
            yield Flow(each, div(unreduced(site, each, _incoming(site)), site.numbers.code(count(site, each))))
            continue
        incoming = _incoming(site)
        if site.node.operation == "std_mean":
            incoming = div(incoming, Code(f"({mul(number(2, '2'), site.output)})", site.node.shape))
        yield _variance_flow(site, each, unreduced(site, each, incoming))


@rule("max", "min")
def _extremum(site: Site) -> Iterator[Flow]:
    other = site.node.argument("other")
    if isinstance(other, Node):
        yield from RULES["maximum" if site.node.operation == "max" else "minimum"](site)
        return
    for each in needing(site.argument("input")):
        if is_whole(site):
            yield _shared(site, each, ())
        elif site.node.index in (None, 0):
            name = "argmax" if site.node.operation == "max" else "argmin"
            yield Flow(each, _at_extremum(site, each, f".{name}({site.argument('dim')}, keepdim=True)"))


def _at_extremum(site: Site, input: Node, places: str) -> Code:
    """Return the gradient at the largest entry of each row, zero elsewhere."""
    dim, rank = site.argument("dim"), len(input.shape)
    incoming = unreduced(site, input, site.full())
    value = site.value(input)
    if rank > 1 and dim % rank == rank - 1:
        rows = places.replace(", keepdim=True", "")
        hot = call("F.one_hot", f"{value.atom}{rows}", site.numbers.code(input.shape[dim]), shape=input.shape)
        return mul(hot, incoming)
    zeros = call("torch.zeros_like", value, shape=input.shape)
    return method(zeros, f".scatter({dim}, {value.atom}{places}, {incoming})", input.shape)


def _shared(site: Site, input: Node, dims: tuple[int, ...]) -> Flow:
    """Return the gradient shared among the equal largest entries."""
    output = unreduced(site, input, site.output)
    name = site.temporaries.fresh(f"{site.line}_top")
    site.temporaries.set(name, f"{compared(site.value(input), '==', output)}")
    top = Code(name, input.shape)
    number_of = kept(site, "sum", top, input) if dims else method(top, ".sum()", ())
    return Flow(input, mul(div(unreduced(site, input, _incoming(site)), number_of), top))


@rule("amax", "amin")
def _amax(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        yield _shared(site, each, () if is_whole(site) else reduced_dims(site, each))


@rule("median", "kthvalue", "cummax", "cummin", "sort", "topk")
def _selected(site: Site) -> Iterator[Flow]:
    """Scatter to the places that the call itself tells."""
    for each in needing(site.argument("input")):
        if site.node.index is None:
            yield _shared(site, each, ())
            continue
        dim = site.argument("dim")
        indices = Node(Part(site.node.call, 1), site.node.value, site.node.arguments, 1)
        places = unreduced_places(site, each, value_code(indices, site.numbers))
        zeros = call("torch.zeros_like", site.value(each), shape=each.shape)
        incoming = unreduced_places(site, each, site.full())
        yield Flow(each, method(zeros, f".scatter_add({-1 if dim is None else dim}, {places}, {incoming})", each.shape))


def unreduced_places(site: Site, input: Node, code: Code) -> Code:
    """Return code with the selected dimension put back, if the call left it out."""
    if len(code.shape) == len(input.shape):
        return code
    dim = site.argument("dim")
    at = (-1 if dim is None else dim) % len(input.shape)
    return method(code, f".unsqueeze({dim})", (*code.shape[:at], 1, *code.shape[at:]))


@rule("logsumexp")
def _logsumexp(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        output = unreduced(site, each, site.value(site.node, often=True))
        local = Code(f"({sub(site.value(each), output)}).exp()", each.shape)
        yield Flow(each, mul(unreduced(site, each, _incoming(site)), local))


@rule("dist")
def _dist(site: Site) -> Iterator[Flow]:
    if site.plain("p", 2) != 2:
        raise NoRule("dist with another p than 2")
    left, right = site.argument("input"), site.argument("other")
    full = broadcast(left.shape, right.shape)
    share = div(site.gradient, site.output)
    difference = Code(f"({sub(site.value(left), site.value(right))})", full)
    for each in needing(left):
        yield Flow(each, fitted(mul(share, difference), full, each.shape))
    for each in needing(right):
        yield Flow(each, fitted(neg(mul(share, difference)), full, each.shape))


@rule("norm", "vector_norm", "linalg_norm")
def _norm(site: Site) -> Iterator[Flow]:
    if site.node.operation == "linalg_norm" and site.argument("ord") not in (None, "fro"):
        raise NoRule(f"a norm of matrices with ord = {site.argument('ord')!r}")
    p = site.argument("p") if site.argument("p") is not None else site.argument("ord")
    p = 2 if p in (None, "fro") else p
    for each in needing(site.argument("input")):
        output = unreduced(site, each, site.value(site.node, often=True))
        incoming, value = unreduced(site, each, _incoming(site)), site.value(each)
        if p == 2:
            yield Flow(each, mul(incoming, Code(f"({div(value, output)})", each.shape)))
        elif p == 1:
            yield Flow(each, mul(incoming, method(value, ".sign()", each.shape)))
        elif math.isinf(p):
            raise NoRule("norm with p = inf")
        else:
            sizes = Code(f"{value.atom} * {value.atom}.abs()**{p - 2}", each.shape, number(1, "1 * 1").binding)
            yield Flow(each, mul(sizes, Code(f"({div(incoming, power(output, str(p - 1)))})", output.shape)))


@rule("prod")
def _prod(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        output = unreduced(site, each, site.value(site.node, often=True))
        yield Flow(each, div(mul(unreduced(site, each, _incoming(site)), output), site.value(each)))


@rule("cumsum")
def _cumsum(site: Site) -> Iterator[Flow]:
    dim = site.argument("dim")
    for each in needing(site.argument("input")):
        yield Flow(each, method(site.full(), f".flip({dim}).cumsum({dim}).flip({dim})", each.shape))


@rule("cumprod")
def _cumprod(site: Site) -> Iterator[Flow]:
    dim = site.argument("dim")
    for each in needing(site.argument("input")):
        product = Code(f"({mul(site.full(), site.output)})", each.shape)
        yield Flow(each, div(method(product, f".flip({dim}).cumsum({dim}).flip({dim})", each.shape), site.value(each)))


@rule("softmax", "softmin")
def _softmax(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        gradient, output = site.named_gradient(), site.value(site.node, often=True)
        dims = dims_text((site.argument("dim"),))
        product = Code(f"({mul(gradient, output)})", each.shape)
        shape = _kept_shape(each, site.argument("dim"))
        inner = sub(gradient, method(product, f".sum({dims}, keepdim=True)", shape))
        flow = mul(output, Code(f"({inner})", each.shape))
        yield Flow(each, neg(flow) if site.node.operation == "softmin" else flow)


def _kept_shape(input: Node, dim: int) -> tuple[int, ...]:
    return tuple(1 if i == dim % len(input.shape) else size for i, size in enumerate(input.shape))


@rule("log_softmax")
def _log_softmax(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        site.gradient = site.full()
        gradient, output = site.named_gradient(), site.output
        dim = site.argument("dim")
        total = method(gradient, f".sum({dim}, keepdim=True)", _kept_shape(each, dim))
        yield Flow(each, sub(gradient, mul(method(output, ".exp()", each.shape), total)))


@rule("normalize")
def _normalize(site: Site) -> Iterator[Flow]:
    p, dim, eps = site.plain("p", 2.0), site.plain("dim", 1), site.plain("eps", 1e-12)
    if p != 2:
        raise NoRule(f"normalize with p = {p}")
    for each in needing(site.argument("input")):
        value, gradient = site.value(each, often=True), site.named_gradient()
        length = site.temporaries.fresh(f"{site.line}_length")
        site.temporaries.set(length, f"{value.atom}.norm(dim={dim}, keepdim=True).clamp(min={eps})")
        output = site.output
        along = Code(f"({mul(gradient, output)}).sum({dim}, keepdim=True)", _kept_shape(each, dim))
        rest = sub(gradient, mul(output, along))
        yield Flow(each, div(Code(f"({rest})", each.shape), Code(length, _kept_shape(each, dim))))


@rule("logcumsumexp")
def _logcumsumexp(site: Site) -> Iterator[Flow]:
    dim = site.argument("dim")
    for each in needing(site.argument("input")):
        share = mul(site.full(), Code(f"(-{site.output.atom}).exp()", each.shape))
        total = method(share, f".flip({dim}).cumsum({dim}).flip({dim})", each.shape)
        yield Flow(each, mul(total, method(site.value(each), ".exp()", each.shape)))


@rule("diff")
def _diff(site: Site) -> Iterator[Flow]:
    if site.plain("n", 1) != 1:
        raise NoRule("diff of more than one step")
    dim = site.plain("dim", -1)
    for each in needing(site.argument("input")):
        site.gradient = site.full()
        gradient = site.named_gradient()
        shape = tuple(1 if i == dim % len(each.shape) else size for i, size in enumerate(each.shape))
        zeros = f"torch.zeros({literal(shape)})"
        before, after = f"torch.cat([{zeros}, {gradient}], {dim})", f"torch.cat([{gradient}, {zeros}], {dim})"
        yield Flow(each, sub(Code(before, each.shape), Code(after, each.shape)))


@rule("trace")
def _trace(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        rows, columns = each.shape
        eye = f"torch.eye({rows})" if rows == columns else f"torch.eye({rows}, {columns})"
        yield Flow(each, mul(site.gradient, Code(eye, each.shape)))


@rule("det", "logdet", "slogdet")
def _det(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        if site.node.operation == "slogdet" and site.node.index == 0:
            yield Flow(each, number(0.0))
            continue
        incoming = site.full()
        if site.node.operation == "det":
            incoming = mul(incoming, site.output)
        if site.node.shape:
            incoming = method(incoming, "[..., None, None]", (*site.node.shape, 1, 1))
        turned = method(site.value(each), ".inverse().transpose(-2, -1)", each.shape)
        yield Flow(each, mul(incoming, turned))


@rule("inverse")
def _inverse(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        turned = method(site.value(site.node, often=True), ".transpose(-2, -1)", each.shape)
        yield Flow(each, neg(matmul(matmul(turned, site.full()), turned)))
