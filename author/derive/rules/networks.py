"""Rules of layers and losses that torch computes in one call."""

from __future__ import annotations

import math
from collections.abc import Iterator

from author.derive.code import Binding, Code, Shape, broadcast, call, dims_text, div, method, mul, neg, number, sub
from author.derive.nodes import Node
from author.derive.rules.arithmetic import needing
from author.derive.rules.table import rule
from author.derive.site import Flow, Site, fitted

IGNORED = -100


@rule("cross_entropy", "nll_loss")
def _cross_entropy(site: Site) -> Iterator[Flow]:
    target, weight = site.argument("target"), site.argument("weight")
    if isinstance(weight, Node) or site.argument("ignore_index") not in (None, IGNORED):
        raise NotImplementedError(f"{site.node.operation} with weight or ignore_index")
    for each in needing(site.argument("input")):
        axis = 1 if len(each.shape) > 1 else 0
        hot = _hot(site, each, target, axis)
        if site.node.operation == "nll_loss":
            local = neg(hot)
        else:
            right = hot
            if target.value.is_floating_point() and not _sums_to_one(target, axis):
                raise NotImplementedError("cross_entropy with targets that do not add up to 1")
            local = Code(f"({sub(call('F.softmax', site.value(each), axis, shape=each.shape), right)})", each.shape)
        count = math.prod(each.shape) // each.shape[axis]
        incoming = site.gradient
        if site.plain("reduction", "mean") == "none" and incoming.number is None:
            incoming = method(site.full(), f".unsqueeze({axis})", each.shape) if len(each.shape) > 1 else incoming
        if site.plain("reduction", "mean") == "mean":
            local = div(local, site.numbers.code(count))
        yield Flow(each, mul(local, incoming))


def _sums_to_one(target: Node, axis: int) -> bool:
    total = target.value.sum(axis)
    return bool(((total - 1).abs() < 1e-4).all())


def _hot(site: Site, input: Node, target: Node, axis: int) -> Code:
    """Return the targets as probabilities."""
    if target.value.is_floating_point():
        code = site.value(target)
    else:
        classes = site.numbers.code(input.shape[axis])
        code = call("F.one_hot", site.value(target), classes, shape=input.shape)
        if len(input.shape) > 2:
            code = method(code, ".movedim(-1, 1)", input.shape)
    smoothing = site.argument("label_smoothing")
    if smoothing:
        kept, spread = number(1 - smoothing, f"{1 - smoothing:.6g}"), smoothing / input.shape[axis]
        code = Code(f"({mul(kept, code)} + {site.numbers.code(spread)})", input.shape)
    return code


def _loss_gradient(site: Site, local: Code, each: Node) -> Flow:
    """Return the flow of a loss that compares two tensors entry by entry."""
    if site.plain("reduction", "mean") == "mean":
        local = div(local, site.numbers.code(math.prod(site_shape(site))))
    return Flow(each, fitted(mul(local, site.gradient), site_shape(site), each.shape))


def site_shape(site: Site) -> Shape:
    """Return the shape to which the two arguments of a loss are stretched."""
    return broadcast(site.argument("input").shape, site.argument("target").shape)


@rule("mse_loss")
def _mse(site: Site) -> Iterator[Flow]:
    input, target = site.argument("input"), site.argument("target")
    for mine, other in ((input, target), (target, input)):
        for each in needing(mine):
            difference = Code(f"({sub(site.value(each), site.value(other))})", site_shape(site))
            yield _loss_gradient(site, mul(number(2, "2"), difference), each)


@rule("l1_loss")
def _l1(site: Site) -> Iterator[Flow]:
    input, target = site.argument("input"), site.argument("target")
    for mine, other in ((input, target), (target, input)):
        for each in needing(mine):
            difference = Code(f"({sub(site.value(each), site.value(other))})", site_shape(site))
            yield _loss_gradient(site, method(difference, ".sign()", difference.shape), each)


@rule("smooth_l1_loss", "huber_loss")
def _huber(site: Site) -> Iterator[Flow]:
    input, target = site.argument("input"), site.argument("target")
    is_huber = site.node.operation == "huber_loss"
    edge = site.plain("delta" if is_huber else "beta", 1.0)
    for mine, other in ((input, target), (target, input)):
        for each in needing(mine):
            difference = Code(f"({sub(site.value(each), site.value(other))})", site_shape(site))
            clamped = method(difference, f".clamp(-{edge}, {edge})", difference.shape)
            local = clamped if is_huber or edge == 1 else div(clamped, site.numbers.code(edge))
            yield _loss_gradient(site, local, each)


@rule("binary_cross_entropy")
def _bce(site: Site) -> Iterator[Flow]:
    if isinstance(site.argument("weight"), Node):
        raise NotImplementedError("binary_cross_entropy with weight")
    for each in needing(site.argument("input")):
        p, y = site.value(each, often=True), site.value(site.argument("target"))
        over = Code(f"({sub(p, y)})", each.shape)
        under = Code(f"({p.within(Binding.PRODUCT)} * (1 - {p.within(Binding.PRODUCT)}))", each.shape)
        yield _loss_gradient(site, div(over, under), each)


@rule("binary_cross_entropy_with_logits")
def _bce_logits(site: Site) -> Iterator[Flow]:
    if isinstance(site.argument("weight"), Node) or isinstance(site.argument("pos_weight"), Node):
        raise NotImplementedError("binary_cross_entropy_with_logits with weight")
    for each in needing(site.argument("input")):
        p = call("torch.sigmoid", site.value(each), shape=each.shape)
        yield _loss_gradient(site, Code(f"({sub(p, site.value(site.argument('target')))})", each.shape), each)


@rule("kl_div")
def _kl_div(site: Site) -> Iterator[Flow]:
    target, reduction = site.argument("target"), site.plain("reduction", "mean")
    for each in needing(site.argument("input")):
        y = site.value(target)
        local = neg(method(y, ".exp()", y.shape) if site.argument("log_target") else y)
        if reduction == "batchmean":
            yield Flow(each, mul(div(local, site.numbers.code(each.shape[0])), site.gradient))
        else:
            yield _loss_gradient(site, local, each)


@rule("layer_norm", "rms_norm")
def _layer_norm(site: Site) -> Iterator[Flow]:
    input, weight, bias = site.argument("input"), site.argument("weight"), site.argument("bias")
    size = site.argument("normalized_shape")
    count = 1 if isinstance(size, int) else len(size)
    dims = dims_text(range(-count, 0)) if count > 1 else "-1"
    site.gradient = site.full()
    gradient = site.named_gradient()
    leading = len(site.node.shape) - count
    for each in needing(bias):
        yield Flow(each, _over_leading(gradient, leading, each))
    hat, inverse = _normalised(site, input, dims, is_centred=site.node.operation == "layer_norm")
    for each in needing(weight):
        yield Flow(each, _over_leading(Code(f"({mul(gradient, hat)})", site.node.shape), leading, each))
    for each in needing(input):
        flow = mul(gradient, site.value(weight)) if isinstance(weight, Node) else gradient
        yield Flow(each, _through_statistics(site, flow, hat, inverse, f"{dims}, keepdim=True"))


def _over_leading(code: Code, leading: int, to: Node) -> Code:
    return method(code, f".sum({dims_text(range(leading))})", to.shape) if leading else code


def _normalised(site: Site, input: Node, dims: str, is_centred: bool) -> tuple[Code, Code]:
    """Return the normalised values and the inverse of their deviation under names."""
    value = site.value(input, often=True)
    eps = site.argument("eps")
    if eps is None:
        eps = 1e-5 if is_centred else "torch.finfo(torch.float32).eps"
    inverse, hat = (site.temporaries.fresh(f"{site.line}_{each}") for each in ("inv", "hat"))
    if is_centred:
        site.temporaries.set(inverse, f"({value.atom}.var({dims}, unbiased=False, keepdim=True) + {eps})**-0.5")
        centred = f"({value.within(Binding.SUM)} - {value.atom}.mean({dims}, keepdim=True))"
    else:
        site.temporaries.set(inverse, f"(({value.atom}**2).mean({dims}, keepdim=True) + {eps})**-0.5")
        centred = value.within(Binding.PRODUCT)
    site.temporaries.set(hat, f"{centred} * {inverse}")
    return Code(hat, input.shape), Code(inverse, input.shape)


def _through_statistics(site: Site, flow: Code, hat: Code, inverse: Code, over: str) -> Code:
    """Return the gradient through a normalisation: less its mean, less its projection on the normalised values."""
    if not flow.is_name:
        name = site.temporaries.fresh(f"d{hat.text}")
        site.temporaries.set(name, flow.text)
        flow = Code(name, flow.shape)
    mean = f" - {flow}.mean({over})" if site.node.operation != "rms_norm" else ""
    text = f"{inverse} * ({flow}{mean} - {hat} * ({flow} * {hat}).mean({over}))"
    return Code(text, hat.shape, Binding.PRODUCT)


@rule("batch_norm", "instance_norm", "group_norm")
def _batch_norm(site: Site) -> Iterator[Flow]:
    input, weight, bias = site.argument("input"), site.argument("weight"), site.argument("bias")
    kind = site.node.operation
    rank = len(input.shape)
    if kind == "group_norm":
        raise NotImplementedError("group_norm")
    if kind == "batch_norm" and not site.argument("training"):
        raise NotImplementedError("batch_norm with running statistics")
    over = (0, *range(2, rank)) if kind == "batch_norm" else tuple(range(2, rank))
    site.gradient = site.full()
    gradient = site.named_gradient()
    hat, inverse = _normalised(site, input, dims_text(over), is_centred=True)
    summed = dims_text((0, *range(2, rank)))
    for each in needing(bias):
        yield Flow(each, method(gradient, f".sum({summed})", each.shape))
    for each in needing(weight):
        yield Flow(each, method(Code(f"({mul(gradient, hat)})", input.shape), f".sum({summed})", each.shape))
    for each in needing(input):
        flow = gradient
        if isinstance(weight, Node):
            shaped = site.value(weight)
            if rank > 2:
                shaped = method(shaped, f".reshape({', '.join(['-1', *['1'] * (rank - 2)])})", (
                    weight.shape[0], *[1] * (rank - 2)))  # fmt: skip
            flow = mul(gradient, shaped)
        yield Flow(each, _through_statistics(site, flow, hat, inverse, f"{dims_text(over)}, keepdim=True"))


@rule("scaled_dot_product_attention")
def _attention(site: Site) -> Iterator[Flow]:
    query, key, value = (site.argument(name) for name in ("query", "key", "value"))
    if site.plain("dropout_p", 0.0):
        raise NotImplementedError("scaled_dot_product_attention with dropout")
    gradient = _full_named(site)
    q, k, v = (site.value(each, often=True) for each in (query, key, value))
    scale = site.argument("scale")
    factor = (
        site.numbers.code(scale) if scale is not None else number(query.shape[-1] ** -0.5, f"{query.shape[-1]}**-0.5")
    )
    scores = f"{q.atom} @ {k.atom}.transpose(-2, -1) * {factor.within(Binding.MINUS)}"
    rows, columns = query.shape[-2], key.shape[-2]
    mask = site.argument("attn_mask")
    if site.argument("is_causal"):
        scores = f"({scores}).masked_fill(torch.ones({rows}, {columns}).tril() == 0, float('-inf'))"
    elif isinstance(mask, Node) and mask.value.dtype.is_floating_point:
        if mask.needs_gradient:
            raise NotImplementedError("scaled_dot_product_attention with a mask that is learned")
        scores = f"({scores} + {site.value(mask)})"
    elif isinstance(mask, Node):
        scores = f"({scores}).masked_fill(~{site.value(mask).atom}, float('-inf'))"
    shape: Shape = (*site.node.shape[:-1], columns)
    weights = site.temporaries.fresh(f"{site.line}_weights")
    site.temporaries.set(weights, f"F.softmax({scores}, -1)")
    for each in needing(value):
        yield Flow(each, Code(f"{weights}.transpose(-2, -1) @ {gradient}", each.shape, Binding.PRODUCT))
    if not (query.needs_gradient or key.needs_gradient):
        return
    dweights, dscores = f"d{weights}", site.temporaries.fresh(f"d{site.line}_scores")
    site.temporaries.set(dweights, f"{gradient} @ {v.atom}.transpose(-2, -1)")
    inner = f"{weights} * ({dweights} - ({dweights} * {weights}).sum(-1, keepdim=True))"
    site.temporaries.set(dscores, f"{inner} * {factor.within(Binding.MINUS)}")
    _ = shape
    for each in needing(query):
        yield Flow(each, Code(f"{dscores} @ {k.within(Binding.MINUS)}", each.shape, Binding.PRODUCT))
    for each in needing(key):
        yield Flow(each, Code(f"{dscores}.transpose(-2, -1) @ {q.within(Binding.MINUS)}", each.shape, Binding.PRODUCT))


def _full_named(site: Site) -> Code:
    site.gradient = site.full()
    return site.named_gradient()


@rule("glu")
def _glu(site: Site) -> Iterator[Flow]:
    dim = site.plain("dim", -1)
    for each in needing(site.argument("input")):
        gradient, value = _full_named(site), site.value(each, often=True)
        first, gate = (site.temporaries.fresh(f"{site.line}_{name}") for name in ("half", "gate"))
        site.temporaries.set(first, f"{value.atom}.chunk(2, {dim})[0]")
        site.temporaries.set(gate, f"torch.sigmoid({value.atom}.chunk(2, {dim})[1])")
        parts = f"[{gradient} * {gate}, {gradient} * {first} * {gate} * (1 - {gate})]"
        yield Flow(each, call("torch.cat", parts, dim, shape=each.shape))


@rule("cosine_similarity")
def _cosine(site: Site) -> Iterator[Flow]:
    names = site.node.call.definition.parameters[:2]
    one, two = (site.argument(name) for name in names)
    dim = site.plain("dim", 1)
    at = dim % len(site_rank(one, two))
    incoming = site.full()
    kept = (*incoming.shape[:at], 1, *incoming.shape[at:])
    gradient = method(incoming, f".unsqueeze({dim})", kept)
    output = method(site.output, f".unsqueeze({dim})", kept)
    full = site_rank(one, two)
    for mine, other in ((one, two), (two, one)):
        for each in needing(mine):
            a, b = site.value(each), site.value(other)
            length = f"{a.atom}.norm(dim={dim}, keepdim=True)"
            lengths = f"({length} * {b.atom}.norm(dim={dim}, keepdim=True))"
            local = f"({b.within(Binding.PRODUCT)} / {lengths} - {output} * {a.within(Binding.MINUS)} / {length}**2)"
            yield Flow(each, fitted(mul(gradient, Code(local, full)), full, each.shape))


def site_rank(one: Node, two: Node) -> Shape:
    """Return the shape to which two operands are stretched."""
    return broadcast(one.shape, two.shape)
