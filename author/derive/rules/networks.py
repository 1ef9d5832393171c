"""Rules of layers and losses that torch computes in one call."""

from __future__ import annotations

import math
from collections.abc import Iterator

from author.derive.code import Binding, Code, Shape, broadcast, call, dims_text, div, method, mul, neg, number, sub
from author.derive.nodes import Node
from author.derive.rules.arithmetic import needing
from author.derive.rules.table import NoRule, rule
from author.derive.site import Flow, Site, fitted

IGNORED = -100


@rule("cross_entropy", "nll_loss")
def _cross_entropy(site: Site) -> Iterator[Flow]:
    target = site.argument("target")
    for each in needing(site.argument("input")):
        axis = 1 if len(each.shape) > 1 else 0
        share = _row_weight(site, target)
        hot = _hot(site, each, target, axis)
        if site.node.operation == "nll_loss":
            local = neg(hot)
        else:
            if target.value.is_floating_point() and not _sums_to_one(target, axis):
                raise NoRule("cross_entropy with targets that do not add up to 1")
            local = Code(f"({sub(call('F.softmax', site.value(each), axis, shape=each.shape), hot)})", each.shape)
        if share is not None:
            local = mul(local, method(share, f".unsqueeze({axis})", each.shape) if len(each.shape) > 1 else share)
        incoming, reduction = site.gradient, site.plain("reduction", "mean")
        if reduction == "none" and incoming.number is None and len(each.shape) > 1:
            incoming = method(site.full(), f".unsqueeze({axis})", each.shape)
        if reduction == "mean":
            count = math.prod(each.shape) // each.shape[axis]
            local = div(local, site.numbers.code(count) if share is None else method(share, ".sum()", ()))
        yield Flow(each, mul(local, incoming))


def _row_weight(site: Site, target: Node) -> Code | None:
    """Return what each target weighs, None if all weigh the same."""
    weight, ignored = site.argument("weight"), site.argument("ignore_index")
    shown = site.value(target)
    if not isinstance(weight, Node) and ignored in (None, IGNORED):
        return None
    if target.value.is_floating_point() or site.argument("label_smoothing"):
        raise NoRule(f"{site.node.operation} with weights and targets that are no classes")
    if not isinstance(weight, Node):
        return Code(f"({shown.within(Binding.SUM)} != {ignored})", target.shape)
    if ignored not in (None, IGNORED):
        raise NoRule(f"{site.node.operation} with weight and ignore_index")
    return Code(f"{site.value(weight).atom}[{shown}]", target.shape)


def _sums_to_one(target: Node, axis: int) -> bool:
    total = target.value.sum(axis)
    return bool(((total - 1).abs() < 1e-4).all())


def _hot(site: Site, input: Node, target: Node, axis: int) -> Code:
    """Return the targets as probabilities."""
    if target.value.is_floating_point():
        code = site.value(target)
    else:
        classes, shown = site.numbers.code(input.shape[axis]), site.value(target)
        if site.argument("ignore_index") not in (None, IGNORED):
            shown = method(shown, ".clamp(min=0)", target.shape)
        code = call("F.one_hot", shown, classes, shape=input.shape)
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
            count = site.numbers.code(math.prod(site_shape(site)))
            is_mean = site.plain("reduction", "mean") == "mean"
            factor = div(number(2, "2"), count) if is_mean else number(2, "2")
            flow = mul(mul(factor, difference), site.gradient)
            yield Flow(each, fitted(flow, site_shape(site), each.shape))


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
    for each in needing(site.argument("input")):
        p, y = site.value(each, often=True), site.value(site.argument("target"))
        over = Code(f"({sub(p, y)})", each.shape)
        under = Code(f"({p.within(Binding.PRODUCT)} * (1 - {p.within(Binding.PRODUCT)}))", each.shape)
        yield _loss_gradient(site, _weighted(site, div(over, under)), each)


def _weighted(site: Site, local: Code) -> Code:
    weight = site.argument("weight")
    return mul(local, site.value(weight)) if isinstance(weight, Node) else local


@rule("binary_cross_entropy_with_logits")
def _bce_logits(site: Site) -> Iterator[Flow]:
    positive = site.argument("pos_weight")
    for each in needing(site.argument("input")):
        p, y = call("torch.sigmoid", site.value(each), shape=each.shape), site.value(site.argument("target"))
        local = sub(p, y)
        if isinstance(positive, Node):
            heavy = mul(site.value(positive), y)
            local = sub(mul(p, Code(f"({heavy} + 1 - {y.within(Binding.PRODUCT)})", each.shape)), heavy)
        yield _loss_gradient(site, _weighted(site, Code(f"({local})", each.shape)), each)


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
        eps = 1e-5 if is_centred else f"torch.finfo({value.atom}.dtype).eps"
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
        raise NoRule("group_norm")
    if kind == "batch_norm" and not site.argument("training"):
        raise NoRule("batch_norm with running statistics")
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
        raise NoRule("scaled_dot_product_attention with dropout")
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
            raise NoRule("scaled_dot_product_attention with a mask that is learned")
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


@rule("group_norm")
def _group_norm(site: Site) -> Iterator[Flow]:
    input, weight, bias = site.argument("input"), site.argument("weight"), site.argument("bias")
    groups, rank = site.argument("num_groups"), len(input.shape)
    grouped = f".reshape({input.shape[0]}, {groups}, -1)"
    shape: Shape = (input.shape[0], groups, math.prod(input.shape[1:]) // groups)
    gradient = _full_named(site)
    value = site.value(input, often=True)
    inverse, hat = (site.temporaries.fresh(f"{site.line}_{each}") for each in ("inv", "hat"))
    parts = f"{value.atom}{grouped}"
    site.temporaries.set(inverse, f"({parts}.var(-1, unbiased=False, keepdim=True) + {site.plain('eps', 1e-5)})**-0.5")
    site.temporaries.set(hat, f"({parts} - {parts}.mean(-1, keepdim=True)) * {inverse}")
    summed = dims_text((0, *range(2, rank)))
    for each in needing(bias):
        yield Flow(each, method(gradient, f".sum({summed})", each.shape))
    for each in needing(weight):
        whole = Code(f"{hat}.reshape({', '.join(map(str, input.shape))})", input.shape)
        yield Flow(each, method(mul(gradient, whole), f".sum({summed})", each.shape))
    for each in needing(input):
        flow = gradient
        if isinstance(weight, Node):
            ones = ", ".join(["-1", *["1"] * (rank - 2)])
            flow = mul(gradient, method(site.value(weight), f".reshape({ones})", (weight.shape[0], *[1] * (rank - 2))))
        spread = method(flow, grouped, shape)
        code = _through_statistics(site, spread, Code(hat, shape), Code(inverse, shape), "-1, keepdim=True")
        yield Flow(each, method(code, f".reshape({', '.join(map(str, each.shape))})", each.shape))


@rule("pairwise_distance")
def _pairwise_distance(site: Site) -> Iterator[Flow]:
    if site.plain("p", 2.0) != 2:
        raise NoRule("pairwise_distance with another p than 2")
    one, two = site.argument("x1"), site.argument("x2")
    full = site_rank(one, two)
    share = div(site.full(), site.output)
    if not site.argument("keepdim"):
        share = method(share, ".unsqueeze(-1)", (*site.node.shape, 1))
    difference = Code(f"({sub(site.value(one), site.value(two))} + {site.plain('eps', 1e-6)})", full)
    for each in needing(one):
        yield Flow(each, fitted(mul(share, difference), full, each.shape))
    for each in needing(two):
        yield Flow(each, fitted(neg(mul(share, difference)), full, each.shape))


@rule("poisson_nll_loss")
def _poisson(site: Site) -> Iterator[Flow]:
    if site.argument("full"):
        raise NoRule("poisson_nll_loss with full")
    for each in needing(site.argument("input")):
        x, y = site.value(each, often=True), site.value(site.argument("target"))
        if site.plain("log_input", True):
            local = sub(method(x, ".exp()", each.shape), y)
        else:
            local = sub(number(1, "1"), div(y, Code(f"({x} + {site.plain('eps', 1e-8)})", each.shape)))
        yield _loss_gradient(site, Code(f"({local})", each.shape), each)


@rule("soft_margin_loss")
def _soft_margin(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        y = site.value(site.argument("target"))
        gate = f"torch.sigmoid({mul(neg(y), site.value(each))})"
        yield _loss_gradient(site, neg(mul(y, Code(gate, each.shape))), each)


@rule("margin_ranking_loss")
def _margin_ranking(site: Site) -> Iterator[Flow]:
    one, two, target = (site.argument(name) for name in ("input1", "input2", "target"))
    y, full = site.value(target), broadcast(one.shape, two.shape, target.shape)
    margin = site.plain("margin", 0)
    below = f"({mul(neg(y), Code(f'({sub(site.value(one), site.value(two))})', full))} + {margin} > 0)"
    local = mul(y, Code(below, full))
    if site.plain("reduction", "mean") == "mean":
        local = div(local, site.numbers.code(math.prod(full)))
    for each in needing(one):
        yield Flow(each, fitted(neg(mul(local, site.gradient)), full, each.shape))
    for each in needing(two):
        yield Flow(each, fitted(mul(local, site.gradient), full, each.shape))


@rule("gaussian_nll_loss")
def _gaussian_nll(site: Site) -> Iterator[Flow]:
    input, target, var = (site.argument(name) for name in ("input", "target", "var"))
    if input.shape != var.shape:
        raise NoRule("gaussian_nll_loss with one variance for several entries")
    spread = f"{site.value(var).atom}.clamp(min={site.plain('eps', 1e-6)})"
    difference = f"({sub(site.value(input), site.value(target))})"
    for each in needing(input):
        yield _loss_gradient(site, Code(f"{difference} / {spread}", each.shape, Binding.PRODUCT), each)
    for each in needing(var):
        local = f"0.5 * (1 / {spread} - {difference}**2 / {spread}**2)"
        yield _loss_gradient(site, Code(local, each.shape, Binding.PRODUCT), each)


@rule("hinge_embedding_loss")
def _hinge_embedding(site: Site) -> Iterator[Flow]:
    y, margin = site.value(site.argument("target")), site.plain("margin", 1.0)
    for each in needing(site.argument("input")):
        below = f"-1.0 * ({site.value(each).within(Binding.SUM)} < {margin})"
        yield _loss_gradient(site, Code(f"torch.where({y} == 1, 1.0, {below})", each.shape), each)


@rule("cosine_embedding_loss")
def _cosine_embedding(site: Site) -> Iterator[Flow]:
    """Towards each other where the target is 1, apart where it is not and the cosine is above the margin."""
    one, two, target = (site.argument(name) for name in ("input1", "input2", "target"))
    if one.shape != two.shape or len(one.shape) != 2:
        raise NoRule("cosine_embedding_loss of tensors that are not both (rows, size)")
    a, b = (site.value(each, often=True) for each in (one, two))
    cosine, push = (site.temporaries.fresh(f"{site.line}_{each}") for each in ("cos", "push"))
    site.temporaries.set(cosine, f"F.cosine_similarity({a}, {b}).unsqueeze(1)")
    wanted = method(site.value(target), ".unsqueeze(1)", (one.shape[0], 1))
    above = f"({cosine} > {site.plain('margin', 0)}) * 1.0"
    site.temporaries.set(push, f"torch.where({wanted} == 1, -1.0, {above})")
    share = _share_of_rows(site, Code(push, wanted.shape), one.shape[0])
    for each, mine, other in ((one, a, b), (two, b, a)):
        for node in needing(each):
            length = f"{mine.atom}.norm(dim=1, keepdim=True)"
            lengths = f"({length} * {other.atom}.norm(dim=1, keepdim=True))"
            local = (
                f"{other.within(Binding.PRODUCT)} / {lengths} - {cosine} * {mine.within(Binding.MINUS)} / {length}**2"
            )
            yield Flow(node, mul(share, Code(f"({local})", node.shape)))


@rule("multi_margin_loss")
def _multi_margin(site: Site) -> Iterator[Flow]:
    """Up in each class within the margin, and as much down in the right one."""
    weight, target = site.argument("weight"), site.value(site.argument("target"))
    power = site.plain("p", 1)
    for each in needing(site.argument("input")):
        if len(each.shape) != 2:
            raise NoRule("multi_margin_loss of a tensor that is not (rows, classes)")
        rows, classes = each.shape
        x = site.value(each, often=True)
        hot, slack, over = (site.temporaries.fresh(f"{site.line}_{name}") for name in ("hot", "slack", "over"))
        site.temporaries.set(hot, f"F.one_hot({target}, {classes})")
        right = f"{x.atom}.gather(1, {target.atom}.unsqueeze(1))"
        site.temporaries.set(slack, f"({x.within(Binding.SUM)} - {right} + {site.plain('margin', 1.0)}) * (1 - {hot})")
        site.temporaries.set(over, f"({slack} > 0) * 1.0" if power == 1 else f"2 * {slack}.clamp(min=0)")
        local = Code(f"({over} - {hot} * {over}.sum(1, keepdim=True))", each.shape)
        if isinstance(weight, Node):
            local = mul(local, Code(f"{site.value(weight).atom}[{target}].unsqueeze(1)", (rows, 1)))
        yield Flow(each, _share_of_rows(site, div(local, site.numbers.code(classes)), rows))


def _share_of_rows(site: Site, local: Code, rows: int) -> Code:
    """Return what a loss with one number for each row makes of a gradient in the form ``(rows, …)``."""
    reduction = site.plain("reduction", "mean")
    if reduction == "mean":
        local = div(local, site.numbers.code(rows))
    incoming = method(site.full(), ".unsqueeze(1)", (rows, 1)) if reduction == "none" else site.gradient
    return mul(local, incoming)


@rule("triplet_margin_loss")
def _triplet(site: Site) -> Iterator[Flow]:
    anchor, positive, negative = (site.argument(name) for name in ("anchor", "positive", "negative"))
    if (
        site.plain("p", 2) != 2
        or site.argument("swap")
        or len({each.shape for each in (anchor, positive, negative)}) > 1
    ):
        raise NoRule("triplet_margin_loss with swap, another p, or shapes that are stretched")
    a, p, n = (site.value(each, often=True) for each in (anchor, positive, negative))
    near, far, active = (site.temporaries.fresh(f"{site.line}_{each}") for each in ("near", "far", "active"))
    eps, margin = site.plain("eps", 1e-6), site.plain("margin", 1.0)
    for name, other in ((near, p), (far, n)):
        site.temporaries.set(name, f"{sub(a, other)} + {eps}")
    lengths = [f"{name}.norm(dim=-1, keepdim=True)" for name in (near, far)]
    site.temporaries.set(active, f"({lengths[0]} - {lengths[1]} + {margin} > 0) * 1.0")
    share = Code(active, (*anchor.shape[:-1], 1))
    reduction = site.plain("reduction", "mean")
    if reduction == "mean":
        share = div(share, site.numbers.code(math.prod(anchor.shape[:-1])))
    incoming = site.gradient
    if reduction == "none":
        incoming = method(site.full(), ".unsqueeze(-1)", share.shape)
    flow = mul(share, incoming)
    towards, away = f"{near} / {lengths[0]}", f"{far} / {lengths[1]}"
    for operand, local in ((anchor, f"({towards} - {away})"), (positive, f"(-{towards})"), (negative, f"({away})")):
        for each in needing(operand):
            yield Flow(each, mul(flow, Code(local, each.shape)))


@rule("adaptive_max_pool1d", "adaptive_max_pool2d")
def _adaptive_max(site: Site) -> Iterator[Flow]:
    count = int(site.node.operation[-2])
    size = site.argument("output_size")
    if set(size if isinstance(size, tuple) else (size,)) != {1}:
        raise NoRule(f"{site.node.operation} to another size than 1")
    for each in needing(site.argument("input")):
        flat = ".flatten(-2)" if count == 2 else ""
        value = f"{site.value(each).atom}{flat}"
        zeros = f"torch.zeros_like({value})"
        incoming = f"{site.full().atom}{flat}"
        scattered = f"{zeros}.scatter(-1, {value}.argmax(-1, keepdim=True), {incoming})"
        yield Flow(each, Code(f"{scattered}.reshape({', '.join(map(str, each.shape))})", each.shape))
