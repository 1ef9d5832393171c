"""Rules of arithmetic. The order of operations is autograd's, so that the bits are."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from author.derive.code import ONE, Code, add, broadcast, call, compared, div, method, mul, neg, number, power, sub
from author.derive.nodes import Node
from author.derive.rules.table import rule
from author.derive.site import Flow, Site
from author.derive.spelling import spelled


def needing(*arguments: Any) -> Iterator[Node]:
    """Yield the arguments into which a gradient flows."""
    for each in arguments:
        if isinstance(each, Node) and each.needs_gradient:
            yield each


def scaled(site: Site, code: Code, name: str) -> Code:
    """Return code times a number among the arguments, such as ``alpha``."""
    value = site.argument(name)
    return code if value in (None, 1) else mul(site.value(value), code)


@rule("add")
def _add(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        yield site.fit(each, site.gradient)
    for each in needing(site.argument("other")):
        yield site.fit(each, scaled(site, site.gradient, "alpha"))


@rule("sub")
def _sub(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        yield site.fit(each, site.gradient)
    for each in needing(site.argument("other")):
        yield site.fit(each, neg(scaled(site, site.gradient, "alpha")))


@rule("mul")
def _mul(site: Site) -> Iterator[Flow]:
    left, right = site.argument("input"), site.argument("other")
    if isinstance(left, Node) and isinstance(right, Node) and left.name is not None and left.name == right.name:
        for each in needing(left):  # x * x: both terms in one, the same bits
            yield Flow(each, mul(mul(number(2, "2"), site.value(left)), site.gradient))
        return
    for each, factor in ((left, right), (right, left)):
        for operand in needing(each):
            value = site.value(factor)
            product = mul(value, site.gradient) if value.number is not None else mul(site.gradient, value)
            yield site.fit(operand, product)


@rule("div")
def _div(site: Site) -> Iterator[Flow]:
    over, under = site.argument("input"), site.argument("other")
    for each in needing(over):
        yield site.fit(each, div(site.gradient, site.value(under)))
    for each in needing(under):
        if isinstance(over, Node):
            yield site.fit(each, neg(mul(site.gradient, div(site.output, site.value(under)))))
        elif over == 1:
            yield site.fit(each, neg(mul(site.gradient, power(site.output, "2"))))
        else:
            inverse = div(ONE, site.value(under))
            yield site.fit(each, neg(mul(mul(site.gradient, site.value(over)), power(inverse, "2"))))


@rule("neg")
def _neg(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        yield Flow(each, neg(site.gradient))


@rule("pow")
def _pow(site: Site) -> Iterator[Flow]:
    base = site.argument("input")
    exponent = next((site.argument(name) for name in ("other", "exponent") if site.argument(name) is not None), 1)
    for each in needing(base):
        if isinstance(exponent, Node):
            lower = Code(f"({sub(site.value(exponent), ONE)})".replace("1.0", "1"), exponent.shape)
            local = mul(site.value(exponent), power(site.value(each), lower.text))
        else:
            local = _power_slope(site, each, exponent)
        yield site.fit(each, mul(local, site.gradient))
    for each in needing(exponent):
        is_tensor = isinstance(base, Node)
        logarithm = method(site.value(base), ".log()", base.shape) if is_tensor else number(math.log(base))
        yield site.fit(each, mul(site.gradient, mul(site.output, logarithm)))


def _power_slope(site: Site, base: Node, exponent: float) -> Code:
    """Return p * x**(p - 1)."""
    if exponent == 1:
        return ONE
    value = site.value(base)
    lowered = value if exponent == 2 else power(value, spelled(exponent - 1))
    return mul(site.numbers.code(exponent), lowered)


@rule("square")
def _square(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        yield Flow(each, mul(mul(number(2, "2"), site.value(each)), site.gradient))


@rule("reciprocal")
def _reciprocal(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        yield Flow(each, neg(mul(site.gradient, power(site.output, "2"))))


@rule("maximum", "minimum")
def _extremum_of_two(site: Site) -> Iterator[Flow]:
    left, right = site.argument("input"), site.argument("other")
    symbol = ">" if site.node.operation == "maximum" else "<"
    for each, other in ((left, right), (right, left)):
        for operand in needing(each):
            mine, others = site.value(operand), site.value(other)
            wins = Code(f"({compared(mine, symbol, others)})", site.node.shape)
            ties = Code(f"({compared(mine, '==', others)})", site.node.shape)
            yield site.fit(
                operand, mul(site.gradient, Code(f"({add(wins, div(ties, number(2, '2')))})", site.node.shape))
            )


@rule("where")
def _where(site: Site) -> Iterator[Flow]:
    condition = site.value(site.argument("condition"))
    gradient = site.gradient
    for each in needing(site.argument("input")):
        chosen = call("torch.where", condition, gradient, "0.0", shape=site.node.shape)
        yield site.fit(each, _over(chosen, gradient, condition))
    for each in needing(site.argument("other")):
        chosen = call("torch.where", condition, "0.0", gradient, shape=site.node.shape)
        yield site.fit(each, _over(chosen, gradient, condition))


def _over(chosen: Code, *operands: Code) -> Code:
    return Code(chosen.text, broadcast(*(each.shape for each in operands)))


@rule("masked_fill")
def _masked_fill(site: Site) -> Iterator[Flow]:
    mask = site.value(site.argument("mask"))
    for each in needing(site.argument("input")):
        full = site.full()
        yield site.fit(each, method(full, f".masked_fill({mask}, 0)", full.shape))
    for each in needing(site.argument("value")):
        yield site.fit(each, mul(site.gradient, mask))


@rule("lerp")
def _lerp(site: Site) -> Iterator[Flow]:
    start, end, weight = site.argument("input"), site.argument("end"), site.argument("weight")
    share = site.value(weight)
    for each in needing(start):
        yield site.fit(each, mul(site.gradient, Code(f"({sub(number(1, '1'), share)})", share.shape)))
    for each in needing(end):
        yield site.fit(each, mul(site.gradient, share))
    for each in needing(weight):
        span = sub(site.value(end), site.value(start))
        yield site.fit(each, mul(site.gradient, span))


@rule("addcmul")
def _addcmul(site: Site) -> Iterator[Flow]:
    first, second = site.argument("tensor1"), site.argument("tensor2")
    for each in needing(site.argument("input")):
        yield site.fit(each, site.gradient)
    for each, factor in ((first, second), (second, first)):
        for operand in needing(each):
            yield site.fit(operand, scaled(site, mul(site.gradient, site.value(factor)), "value"))


@rule("addcdiv")
def _addcdiv(site: Site) -> Iterator[Flow]:
    over, under = site.argument("tensor1"), site.argument("tensor2")
    for each in needing(site.argument("input")):
        yield site.fit(each, site.gradient)
    for each in needing(over):
        yield site.fit(each, scaled(site, div(site.gradient, site.value(under)), "value"))
    for each in needing(under):
        quotient = div(site.value(over), power(site.value(under), "2"))
        yield site.fit(each, neg(scaled(site, mul(site.gradient, quotient), "value")))


@rule("fmod", "remainder")
def _rest(site: Site) -> Iterator[Flow]:
    over, under = site.argument("input"), site.argument("other")
    for each in needing(over):
        yield site.fit(each, site.gradient)
    for each in needing(under):
        name = ".trunc()" if site.node.operation == "fmod" else ".floor()"
        quotient = method(div(site.value(over), site.value(each)), name, site.node.shape)
        yield site.fit(each, neg(mul(site.gradient, quotient)))


@rule("hypot")
def _hypot(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input"), site.argument("other")):
        yield site.fit(each, mul(site.gradient, div(site.value(each), site.output)))


@rule("atan2")
def _atan2(site: Site) -> Iterator[Flow]:
    over, under = site.argument("input"), site.argument("other")
    y, x = site.value(over), site.value(under)
    length = Code(f"({add(power(y, '2'), power(x, '2'))})", site.node.shape)
    for each in needing(over):
        yield site.fit(each, mul(site.gradient, div(x, length)))
    for each in needing(under):
        yield site.fit(each, neg(mul(site.gradient, div(y, length))))


@rule("logaddexp")
def _logaddexp(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input"), site.argument("other")):
        share = f"({sub(site.value(each), site.output)}).exp()"
        yield site.fit(each, mul(site.gradient, Code(share, site.node.shape)))


@rule("xlogy")
def _xlogy(site: Site) -> Iterator[Flow]:
    factor, inner = site.argument("input"), site.argument("other")
    for each in needing(factor):
        yield site.fit(each, mul(site.gradient, method(site.value(inner), ".log()", inner.shape)))
    for each in needing(inner):
        yield site.fit(each, div(mul(site.gradient, site.value(factor)), site.value(inner)))
