"""Rules of functions of one tensor, entry by entry. They use the output where torch does."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from author.derive.code import Binding, Code, Shape, compared, div, method, mul, neg, number, power, sub
from author.derive.nodes import Node
from author.derive.rules.arithmetic import needing
from author.derive.rules.table import RULES, NoRule, rule
from author.derive.site import Flow, Site

ONE_LESS = "1.0"
TWO = number(2, "2")
Local = Callable[[Site, Node], Code]


def in_parentheses(code: Code) -> Code:
    """Return code as an atom."""
    return Code(f"({code})", code.shape)


def one_less(code: Code) -> Code:
    """Return ``1.0 - code``."""
    return sub(number(1.0), code)


def _times(local: Local) -> Callable[[Site], Iterator[Flow]]:
    """Return the rule that multiplies the gradient with a local slope, which stands first as the lecture has it."""

    def apply(site: Site) -> Iterator[Flow]:
        for each in needing(site.argument("input")):
            slope = local(site, each)
            is_bound_tightly = slope.binding is Binding.ATOM
            product = mul(site.gradient, slope) if is_bound_tightly else mul(slope, site.gradient)
            yield Flow(each, product)

    return apply


def _over(local: Local) -> Callable[[Site], Iterator[Flow]]:
    """Return the rule that divides the gradient."""

    def apply(site: Site) -> Iterator[Flow]:
        for each in needing(site.argument("input")):
            yield Flow(each, div(site.gradient, local(site, each)))

    return apply


def _m(name: str) -> Local:
    return lambda site, each: method(site.value(each), f".{name}()", each.shape)


def _between(site: Site, each: Node, low: float | None, high: float | None) -> Code:
    value = site.value(each)
    parts = []
    if low is not None:
        parts.append(f"({compared(value, '>=', site.value(low))})")
    if high is not None:
        parts.append(f"({compared(value, '<=', site.value(high))})")
    text = " & ".join(parts)
    return Code(text if len(parts) == 1 else f"({text})", each.shape)


def _step(site: Site, each: Node) -> Code:
    positive = site.output if site.output.is_name else site.value(each)
    return in_parentheses(compared(positive, ">", number(0, "0")))


RULES["exp"] = _times(lambda site, each: site.output)
RULES["exp2"] = _times(lambda site, each: mul(site.output, number(math.log(2))))
RULES["expm1"] = _times(lambda site, each: in_parentheses(Code(f"{site.output} + 1", each.shape, Binding.SUM)))
RULES["log"] = _over(lambda site, each: site.value(each))
RULES["log1p"] = _over(lambda site, each: Code(f"({site.value(each)} + 1)", each.shape))
RULES["log2"] = _over(lambda site, each: mul(site.value(each), number(math.log(2))))
RULES["log10"] = _over(lambda site, each: mul(site.value(each), number(math.log(10))))
RULES["sqrt"] = _over(lambda site, each: mul(TWO, site.output))
RULES["tanh"] = _times(lambda site, each: one_less(power(site.output, "2")))
RULES["sin"] = _times(_m("cos"))
RULES["cos"] = _times(lambda site, each: neg(_m("sin")(site, each)))
RULES["tan"] = _times(lambda site, each: Code(f"1 + {power(site.output, '2')}", each.shape, Binding.SUM))
RULES["sinh"] = _times(_m("cosh"))
RULES["cosh"] = _times(_m("sinh"))
RULES["atan"] = _over(
    lambda site, each: in_parentheses(Code(f"{power(site.value(each), '2')} + 1", each.shape, Binding.SUM))
)
RULES["asin"] = _times(
    lambda site, each: method(Code(f"(-{site.value(each).atom}**2 + 1)", each.shape), ".rsqrt()", each.shape)
)
RULES["acos"] = _times(
    lambda site, each: neg(method(Code(f"(-{site.value(each).atom}**2 + 1)", each.shape), ".rsqrt()", each.shape))
)
RULES["abs"] = _times(_m("sign"))
RULES["relu"] = _times(_step)
RULES["erf"] = _times(
    lambda site, each: mul(number(2 / math.sqrt(math.pi)), Code(f"(-{site.value(each).atom}**2).exp()", each.shape))
)


@rule("rsqrt")
def _rsqrt(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        yield Flow(each, mul(mul(number(-0.5), site.gradient), power(site.output, "3")))


@rule("sigmoid")
def _sigmoid(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        output = site.value(site.node, often=True)
        yield Flow(each, mul(mul(site.gradient, one_less(output)), output))


@rule("logsigmoid")
def _logsigmoid(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        yield Flow(each, mul(site.gradient, Code(f"torch.sigmoid(-{site.value(each).atom})", each.shape)))


@rule("silu")
def _silu(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        value = site.value(each, often=True)
        gate = _gate(site, value, each.shape)
        slope = Code(f"(1 + {value.within(Binding.PRODUCT)} * (1 - {gate}))", each.shape)
        yield Flow(each, mul(mul(site.gradient, gate), slope))


def _gate(site: Site, value: Code, shape: Shape) -> Code:
    """Return the sigmoid of a value under a name."""
    name = site.temporaries.fresh(f"{site.line}_gate")
    site.temporaries.set(name, f"torch.sigmoid({value})")
    return Code(name, shape)


@rule("gelu")
def _gelu(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        value = site.value(each, often=True)
        x, shape = value.atom, each.shape
        if site.argument("approximate") == "tanh":
            name = site.temporaries.fresh(f"{site.line}_tanh")
            site.temporaries.set(name, f"torch.tanh((2 / torch.pi)**0.5 * ({value} + 0.044715 * {x}**3))")
            inner = f"((2 / torch.pi)**0.5 * (1 + 3 * 0.044715 * {x}**2))"
            slope = f"(0.5 * (1 + {name}) + 0.5 * {value.within(Binding.PRODUCT)} * (1 - {name}**2) * {inner})"
        else:
            cdf = site.temporaries.fresh(f"{site.line}_cdf")
            site.temporaries.set(cdf, f"0.5 * (1 + torch.erf({value.within(Binding.PRODUCT)} * 0.5**0.5))")
            pdf = f"((2 * torch.pi)**-0.5 * torch.exp(-0.5 * {x}**2))"
            slope = f"({cdf} + {value.within(Binding.PRODUCT)} * {pdf})"
        yield Flow(each, mul(site.gradient, Code(slope, shape)))


@rule("softplus")
def _softplus(site: Site) -> Iterator[Flow]:
    beta = site.plain("beta", 1)
    for each in needing(site.argument("input")):
        inner = mul(site.value(beta), site.value(each)) if beta != 1 else site.value(each)
        yield Flow(each, mul(site.gradient, Code(f"torch.sigmoid({inner})", each.shape)))


@rule("leaky_relu")
def _leaky_relu(site: Site) -> Iterator[Flow]:
    slope = site.plain("negative_slope", 0.01)
    for each in needing(site.argument("input")):
        chosen = f"torch.where({compared(site.value(each), '>', number(0, '0'))}, 1.0, {site.value(slope)})"
        yield Flow(each, mul(site.gradient, Code(chosen, each.shape)))


@rule("elu")
def _elu(site: Site) -> Iterator[Flow]:
    alpha = site.plain("alpha", 1.0)
    for each in needing(site.argument("input")):
        value = site.value(each, often=True)
        below = mul(site.value(alpha), method(value, ".exp()", each.shape))
        chosen = f"torch.where({compared(value, '>', number(0, '0'))}, 1.0, {below})"
        yield Flow(each, mul(site.gradient, Code(chosen, each.shape)))


@rule("softsign")
def _softsign(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        value = method(site.value(each), ".abs()", each.shape)
        yield Flow(each, div(site.gradient, Code(f"(1 + {value})**2", each.shape, Binding.POWER)))


@rule("mish")
def _mish(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        value = site.value(each, often=True)
        name = site.temporaries.fresh(f"{site.line}_tanh")
        site.temporaries.set(name, f"torch.tanh(F.softplus({value}))")
        slope = f"({name} + {value.within(Binding.PRODUCT)} * torch.sigmoid({value}) * (1 - {name}**2))"
        yield Flow(each, mul(site.gradient, Code(slope, each.shape)))


@rule("clamp", "hardtanh", "relu6", "clamp_min", "clamp_max")
def _clamp(site: Site) -> Iterator[Flow]:
    low = site.argument("min") if site.argument("min") is not None else site.argument("min_val")
    high = site.argument("max") if site.argument("max") is not None else site.argument("max_val")
    if site.node.operation == "relu6":
        low, high = 0, 6
    for each in needing(site.argument("input")):
        yield site.fit(each, mul(site.gradient, _between(site, each, low, high)))
    for bound, symbol in ((low, "<"), (high, ">")):
        for each in needing(bound):
            beyond = in_parentheses(compared(site.value(site.argument("input")), symbol, site.value(each)))
            yield site.fit(each, mul(site.gradient, Code(beyond.text, site.node.shape)))


@rule("sign", "round", "floor", "ceil", "trunc")
def _flat(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        yield Flow(each, number(0.0))


@rule("float", "frac", "nan_to_num")
def _unchanged(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        yield Flow(each, site.gradient)


def _square_plus(text: str) -> Local:
    """Return the inverse root of ``x**2`` with something added."""

    def local(site: Site, each: Node) -> Code:
        return Code(f"({power(site.value(each), '2')} {text}).rsqrt()", each.shape)

    return local


def _share_of_normal(site: Site, each: Node) -> Code:
    return Code(f"(-{site.value(each).atom}**2).exp()", each.shape)


RULES["asinh"] = _times(_square_plus("+ 1"))
RULES["acosh"] = _times(_square_plus("- 1"))
RULES["atanh"] = _over(lambda site, each: in_parentheses(one_less(power(site.value(each), "2"))))
RULES["erfc"] = _times(lambda site, each: mul(number(-2 / math.sqrt(math.pi)), _share_of_normal(site, each)))
RULES["lgamma"] = _times(_m("digamma"))
RULES["logit"] = _over(lambda site, each: in_parentheses(mul(site.value(each), Code(f"(1 - {site.value(each)})", ()))))
RULES["tanhshrink"] = _times(lambda site, each: power(method(site.value(each), ".tanh()", each.shape), "2"))


@rule("sinc")
def _sinc(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        x = site.value(each, often=True)
        angle = f"(torch.pi * {x.within(Binding.MINUS)})"
        slope = f"(({angle}.cos() - {site.output}) / {x.within(Binding.MINUS)})"
        yield Flow(each, mul(site.gradient, Code(slope, each.shape)))


@rule("softshrink", "hardshrink")
def _shrink(site: Site) -> Iterator[Flow]:
    edge = site.value(site.plain("lambd", 0.5))
    for each in needing(site.argument("input")):
        beyond = f"({method(site.value(each), '.abs()', each.shape)} > {edge})"
        yield Flow(each, mul(site.gradient, Code(beyond, each.shape)))


@rule("threshold")
def _threshold(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        above = compared(site.value(each), ">", site.value(site.argument("threshold")))
        yield Flow(each, mul(site.gradient, in_parentheses(above)))


@rule("hardsigmoid")
def _hardsigmoid(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        inside = f"({method(site.value(each), '.abs()', each.shape)} < 3)"
        yield Flow(each, mul(site.gradient, div(Code(inside, each.shape), number(6, "6"))))


@rule("hardswish")
def _hardswish(site: Site) -> Iterator[Flow]:
    for each in needing(site.argument("input")):
        value = site.value(each, often=True)
        middle = f"{div(value, number(3, '3'))} + 0.5"
        inside = f"{value.atom}.abs() < 3"
        chosen = f"torch.where({inside}, {middle}, ({compared(value, '>=', number(3, '3'))}) * 1.0)"
        yield Flow(each, mul(site.gradient, Code(chosen, each.shape)))


@rule("selu")
def _selu(site: Site) -> Iterator[Flow]:
    alpha, scale = 1.6732632423543772, 1.0507009873554805  # Klambauer et al. 2017
    for each in needing(site.argument("input")):
        value = site.value(each, often=True)
        below = f"{alpha * scale!r} * {value.atom}.exp()"
        chosen = f"torch.where({compared(value, '>', number(0, '0'))}, {scale!r}, {below})"
        yield Flow(each, mul(site.gradient, Code(chosen, each.shape)))


@rule("celu")
def _celu(site: Site) -> Iterator[Flow]:
    alpha = site.plain("alpha", 1.0)
    for each in needing(site.argument("input")):
        value = site.value(each, often=True)
        below = method(div(value, site.value(alpha)) if alpha != 1 else value, ".exp()", each.shape)
        chosen = f"torch.where({compared(value, '>', number(0, '0'))}, 1.0, {below})"
        yield Flow(each, mul(site.gradient, Code(chosen, each.shape)))


@rule("prelu")
def _prelu(site: Site) -> Iterator[Flow]:
    input, weight = site.argument("input"), site.argument("weight")
    if weight.value.numel() != 1:
        raise NoRule("prelu with a weight for each channel")
    value = site.value(input, often=True)
    for each in needing(input):
        slope = f"torch.where({compared(value, '>', number(0, '0'))}, 1.0, {site.value(weight)})"
        yield Flow(each, mul(site.gradient, Code(slope, each.shape)))
    for each in needing(weight):
        below = Code(f"{value.atom}.clamp(max=0)", input.shape)
        total = method(mul(site.full(), below), ".sum()", ())
        yield Flow(each, total if each.shape == () else method(total, ".reshape(1)", each.shape))
