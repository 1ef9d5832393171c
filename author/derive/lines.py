"""The backward lines of a forward pass: walks it from the loss back, operation by operation.

The contract with mistakes, proofs and pages is ``Term``, ``BackwardLine`` and ``derived``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import torch
from torch import Tensor

from author.derive import code as build
from author.derive.code import Code, Shape
from author.derive.nodes import Node, in_order, planted
from author.derive.rules import indexing, networks, pointwise, products, reductions, shapes  # noqa: F401  they register
from author.derive.rules.table import RULES, NoRule
from author.derive.site import LONG_GRADIENT, Flow, Placed, Site, Split, Temporaries
from author.derive.spelling import Numbers
from exercises.language.errors import Refused
from exercises.language.forward import Forward, Line
from exercises.tape import is_constant

_INSTEAD: Final = {
    "matrix_exp": "Write the first terms of its series: torch.eye(3) + A + A @ A / 2",
    "cholesky_solve": "Write torch.linalg.solve(L @ L.T, b)",
}
IDENTIFIER = re.compile(r"(?<![\w.])[A-Za-z_]\w*")


@dataclass(frozen=True)
class Term:
    """What one use of a tensor adds to its gradient.

    ``consumer`` is the step that reads it, ``rule`` the operation that does, and ``path`` all operations from the step
    to it, the outermost first. ``code`` is an expression of plain torch
    with all sums over stretched dimensions. It reads names of the forward state, gradients of steps below, and names
    that statements of ``BackwardLine.code`` set, of the same line or of one before.
    """

    consumer: str
    code: str
    rule: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True)
class BackwardLine:
    """The gradient of a name: ``code`` are statements, one a line of text; the last of them set ``answer``."""

    answer: str
    name: str
    code: str
    terms: tuple[Term, ...]


@dataclass(frozen=True)
class _Contribution:
    consumer: str
    path: tuple[str, ...]
    code: Code
    special: Placed | Split | None


@dataclass
class _Derivation:
    forward: Forward
    values: dict[str, Any]
    constants: dict[str, Any]
    wanted: tuple[str, ...]
    temporaries: Temporaries
    contributions: dict[str, list[_Contribution]] = field(default_factory=dict)
    lines: dict[str, BackwardLine] = field(default_factory=dict)


def derived(forward: Forward, samples: Mapping[str, Any], wanted: Sequence[str]) -> tuple[BackwardLine, ...]:
    """Return the backward lines that give the gradients of ``wanted``, and those in between, each after what it reads.

    ``samples`` are tensors and constants as ``given`` has them; their shapes count, and what is in ``wanted``.

    :raises Refused: an operation has no rule
    """
    values = _values(forward, samples, wanted)
    constants = {name: _number(value) for name, value in samples.items() if _number(value) is not None}
    taken = {*values, *(f"d{name}" for name in values), "torch", "F", "range"}
    derivation = _Derivation(forward, values, constants, tuple(wanted), Temporaries(taken))
    loss = forward.lines[-1].name
    for line in reversed(forward.lines):
        gradient = build.ONE if line.name == loss else _settled(derivation, line.name)
        if gradient is not None and not line.frozen:
            _back_through(derivation, line, gradient)
    return tuple(_ordered(derivation, loss))


def _number(value: Any) -> Any:
    """Return the number that a value is for lines of code, None if it is none."""
    if isinstance(value, Tensor):
        return value.item() if is_constant(value) and not value.requires_grad else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _values(forward: Forward, samples: Mapping[str, Any], wanted: Sequence[str]) -> dict[str, Any]:
    """Return the value of each name on the sample numbers, with a graph behind those that need a gradient."""
    values: dict[str, Any] = {}
    for name, value in samples.items():
        if not isinstance(value, Tensor):
            values[name] = value
        elif _number(value) is not None:
            values[name] = _number(value)
        else:
            needs = value.is_floating_point() and (value.requires_grad or name in wanted)
            values[name] = value.detach().clone().requires_grad_(needs)
    for line in forward.lines:
        with torch.set_grad_enabled(not line.frozen):
            value = _node(line, values).value
        values[line.name] = value.detach() if line.frozen else value
    return values


def _node(line: Line, values: Mapping[str, Any]) -> Node:
    node = planted(line.expression, values)
    assert isinstance(node, Node)
    return node


def _back_through(derivation: _Derivation, line: Line, gradient: Code) -> None:
    """Take a gradient back through a line: each name that it reads gets a contribution."""
    root = _node(line, derivation.values)
    root.value_name = line.name
    inner = list(root.children())
    if len(inner) == 1:
        inner[0].base_name = f"{line.name}_in"
    if root.name is not None:
        flow = Flow(root, gradient)
        _contribute(derivation, line, ("copy",), flow)
        return
    numbers = Numbers(line.text, derivation.constants)
    incoming: dict[int, Flow] = {id(root): Flow(root, gradient)}
    paths: dict[int, tuple[str, ...]] = {id(root): (root.operation,)}
    for node in reversed(list(in_order(root))):
        if id(node) not in incoming or node.name is not None or not node.needs_gradient:
            continue
        site = Site(line.name, node, incoming[id(node)].code, numbers, derivation.temporaries)
        if node is not root:
            _name_if_long(site)
        for flow in _flows(site, line):
            if flow.to.name is not None:
                _contribute(derivation, line, paths[id(node)], flow)
            else:
                before = incoming.get(id(flow.to))
                incoming[id(flow.to)] = Flow(flow.to, build.add(before.code, flow.code)) if before else flow
                paths[id(flow.to)] = (*paths[id(node)], flow.to.operation)


def _name_if_long(site: Site) -> None:
    """Give an inner gradient a name if it is long and more than one flow reads it."""
    leaves = sum(child.needs_gradient for child in site.node.children())
    if site.gradient.number is None and not site.gradient.is_name:
        limit = LONG_GRADIENT if leaves < 2 else LONG_GRADIENT // 4
        if len(site.gradient.text) > limit:
            site.gradient = site.name_gradient(site.node, site.gradient)


def _flows(site: Site, line: Line) -> Iterator[Flow]:
    rule = RULES.get(site.node.operation)
    if rule is None:
        if not site.node.call.definition.differentiable:
            return
        advice = _INSTEAD.get(site.node.operation, "Write it with other operations")
        raise Refused(line.number, f"{site.node.operation} has no rule that derives it", advice)
    try:
        yield from rule(site)
    except NoRule as error:
        reason = f"{error} has no rule that derives it"
        raise Refused(line.number, reason, "Write it with other operations") from error


def _contribute(derivation: _Derivation, line: Line, path: tuple[str, ...], flow: Flow) -> None:
    name = flow.to.name
    assert name is not None
    found = _Contribution(line.name, path, flow.code, flow.special)
    derivation.contributions.setdefault(name, []).append(found)


def _settled(derivation: _Derivation, name: str) -> Code | None:
    """Write the line of a name whose uses have all been seen; return how to read its gradient."""
    contributions = derivation.contributions.get(name, [])
    if not contributions:
        return None
    if name not in derivation.lines:
        derivation.lines[name] = _line(derivation, name, contributions)
    shape = tuple(derivation.values[name].shape)
    if shape == () and len(contributions) == 1 and contributions[0].code.number == 1:
        return build.ONE
    return Code(f"d{name}", shape)


def _line(derivation: _Derivation, name: str, contributions: Sequence[_Contribution]) -> BackwardLine:
    shape = tuple(derivation.values[name].shape)
    terms = tuple(
        Term(each.consumer, _plain_term(each.code, name, shape).text, each.path[-1], each.path)
        for each in contributions
    )
    return BackwardLine(f"d{name}", name, _statements(name, shape, contributions), terms)


def _plain_term(code: Code, name: str, shape: Shape) -> Code:
    """Return a term in the shape of the name."""
    if code.shape == shape and code.number is None:
        return code
    if code.number is not None:
        if code.number in (0, 1):
            return build.call(f"torch.{'ones' if code.number else 'zeros'}_like", name, shape=shape)
        return build.call("torch.full_like", name, code, shape=shape)
    return build.method(code, f".expand_as({name})", shape)


def _statements(name: str, shape: Shape, contributions: Sequence[_Contribution]) -> str:
    """Return the statements that set a gradient from its terms."""
    answer = f"d{name}"
    specials = [each.special for each in contributions]
    if all(isinstance(each, Split) for each in specials):
        joined = _joined(shape, [each for each in specials if isinstance(each, Split)])
        if joined is not None:
            return f"{answer} = {joined}"
    if all(isinstance(each, Placed) for each in specials):
        placed = [each for each in specials if isinstance(each, Placed)]
        if not any(each.repeats for each in placed):
            return _placed_statements(answer, name, placed)
    total: Code | None = None
    for each in contributions:
        code = each.code
        if code.number is not None:
            code = _plain_term(code, name, shape)
        total = code if total is None else build.add(total, code)
    assert total is not None
    if total.shape != shape:
        total = _plain_term(total, name, shape)
    return f"{answer} = {total}"


def _placed_statements(answer: str, name: str, placed: Sequence[Placed]) -> str:
    sign = "=" if len(placed) == 1 else "+="
    return "\n".join(
        [f"{answer} = torch.zeros_like({name})", *(f"{answer}[{each.index}] {sign} {each.value}" for each in placed)]
    )


def _joined(shape: Shape, parts: Sequence[Split]) -> str | None:
    """Return the parts of a split joined again, None unless they are all there, each once."""
    parts = sorted(parts, key=lambda part: part.start)
    dim = parts[0].dim
    ends = [0, *(part.stop for part in parts)]
    if any(part.dim != dim for part in parts) or [part.start for part in parts] != ends[:-1] or ends[-1] != shape[dim]:
        return None
    shown = dim if dim + 1 < len(shape) or len(shape) == 1 else -1
    return f"torch.cat([{', '.join(part.value.text for part in parts)}], {shown})"


def _ordered(derivation: _Derivation, loss: str) -> Iterator[BackwardLine]:
    """Yield the wanted lines in their order, each after those whose gradients it reads, with what it needs named."""
    done: set[str] = set()
    for name in derivation.wanted:
        if name == loss and loss not in derivation.lines:
            code = build.call("torch.ones_like", loss, shape=()).text
            derivation.lines[loss] = BackwardLine(f"d{loss}", loss, f"d{loss} = {code}", ())
        elif _settled(derivation, name) is None:
            code = f"d{name} = torch.zeros_like({name})"
            derivation.lines[name] = BackwardLine(f"d{name}", name, code, ())
        yield from _with_needs(derivation, name, done)


def _with_needs(derivation: _Derivation, name: str, done: set[str]) -> Iterator[BackwardLine]:
    if name in done:
        return
    done.add(name)
    line = derivation.lines[name]
    if line.answer in derivation.values and line.code == f"{line.answer} = {line.answer}":
        return  # the gradient is given, as in an exercise that starts at hpreact from dhpreact
    # What this line needs comes first, and may need the same names: they are set where they are read first.
    _, needed = _prelude(derivation, line.code, set(done))
    for each in needed:
        _settled(derivation, each)
        yield from _with_needs(derivation, each, done)
    prelude, _ = _prelude(derivation, line.code, done)
    code = "\n".join([*prelude, line.code])
    yield BackwardLine(line.answer, line.name, code, line.terms)


def _prelude(derivation: _Derivation, code: str, done: set[str]) -> tuple[list[str], list[str]]:
    """Return the statements of names that code needs and nothing has set yet, and the gradients that all this reads."""
    statements = derivation.temporaries.statements
    order: list[str] = []
    needed: list[str] = []

    def visit(text: str) -> None:
        for name in IDENTIFIER.findall(text):
            if name in statements and name not in order and f"={name}" not in done:
                visit(statements[name].partition(" = ")[2])
                order.append(name)
            elif name.startswith("d") and name[1:] in derivation.contributions and name not in statements:
                needed.append(name[1:])

    visit(code.partition(" = ")[2])
    for line in code.splitlines()[1:]:
        visit(line)
    answer = code.partition(" = ")[0]
    done |= {f"={name}" for name in order}
    return [statements[name] for name in order], [each for each in dict.fromkeys(needed) if f"d{each}" != answer]
