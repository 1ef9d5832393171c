"""What a forward pass starts from, written in a small language and drawn from a seed.

``given.py`` of an exercise holds lines such as::

    n = 12                      # a constant: int, float, bool, string or None
    x = data(n, 6)              # floats without a gradient, normally distributed
    W = param(6, 8)             # a leaf whose gradient is asked for, scaled by its fan-in
    g = param(8, mean=1.0, scale=0.1)
    u = uniform(n, low=-1.0, high=1.0)
    s = param(positive(8))      # any kind may be a param
    y = labels(3, n)            # 12 integers below 3
    mask = causal(4)            # (4, 4), True where the column is greater than the row
"""

from __future__ import annotations

import ast
import hashlib
import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import torch
from torch import Tensor

from exercises.language.errors import Refused

CANONICAL_SEED: Final = 0
ELEMENTS_MAX: Final = 2**22  # of one tensor: 16 MiB
TOTAL_MAX: Final = 2**25  # of all tensors: 128 MiB
NUMBER_MAX: Final = 2**53


@dataclass(frozen=True)
class Drawn:
    """A tensor to be drawn: ``kind`` is its mark, ``shape`` its shape, ``options`` the rest.

    ``is_param`` says that its gradient is asked for.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    options: Mapping[str, Any]
    is_param: bool = False

    def draw(self, seed: int) -> Tensor:
        """Return the tensor of a seed. A name has a generator of its own, so another line changes no other tensor."""
        generator = torch.Generator().manual_seed(_seed_of(seed, self.name))
        kind = KINDS[self.kind]
        return kind.draw(self.shape, generator, **{**kind.options, **self.options})


@dataclass(frozen=True)
class Given:
    """All that is given: tensors to be drawn, and constants (numbers, strings, None). ``text`` is what was read."""

    drawn: tuple[Drawn, ...]
    constants: Mapping[str, Any]
    text: str = field(default="", compare=False)

    @property
    def params(self) -> tuple[str, ...]:
        """The names whose gradients are asked for."""
        return tuple(each.name for each in self.drawn if each.is_param)

    @property
    def data(self) -> tuple[str, ...]:
        """The names of tensors that have no gradient."""
        return tuple(each.name for each in self.drawn if not each.is_param)

    def draw(self, seed: int) -> dict[str, Tensor]:
        """Return name → tensor for a seed."""
        return {each.name: each.draw(seed) for each in self.drawn}

    def tensors(self, seed: int) -> dict[str, Tensor]:
        """Return what a forward state holds of it for a seed: the tensors, and the numbers among the constants.

        An int is a zero-dimensional int64 there, a float a float64, a bool a bool. Strings and None only steer the
        reader of the lines.
        """
        numbers = {
            name: torch.tensor(value, dtype=_CONSTANT_DTYPES[type(value)])
            for name, value in self.constants.items()
            if type(value) in _CONSTANT_DTYPES
        }
        return self.draw(seed) | numbers

    def samples(self, seed: int = CANONICAL_SEED) -> dict[str, Any]:
        """Return tensors and constants to read lines with; a parameter requires a gradient."""
        tensors = {each.name: each.draw(seed).requires_grad_(each.is_param) for each in self.drawn}
        return {**self.constants, **tensors}


def read(source: str) -> Given:
    """Read the lines of given.

    :raises Refused: a line is not in the language
    """
    try:
        return _read(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if isinstance(error, Refused):
            raise
        line = getattr(error, "lineno", None) or 1
        raise Refused(line, "this is no line of Python", "Write name = param(…), or name = a number") from error


def _read(source: str) -> Given:
    drawn: dict[str, Drawn] = {}
    constants: dict[str, Any] = {}
    for node in _one_by_one(ast.parse(source).body):
        match node:
            case ast.Assign([ast.Name(name)], _) if name in drawn or name in constants:
                raise Refused(node.lineno, f"{name} is given twice", "Give the second another name")
            case ast.Assign([ast.Name("loss")], _):
                raise Refused(node.lineno, "loss is what the lines compute", "Give it another name")
            case ast.Assign([ast.Name(name)], ast.Call() as call):
                drawn[name] = _drawn(name, call, constants)
                if sum(KINDS[each.kind].elements(each.shape) for each in drawn.values()) > TOTAL_MAX:
                    raise Refused(
                        node.lineno,
                        f"all tensors together have more than {TOTAL_MAX:,} elements",
                        "Choose smaller sizes",
                    )
            case ast.Assign([ast.Name(name)], value):
                constants[name] = _constant(value, constants)
            case ast.Expr(ast.Constant(str())):
                continue
            case _:
                raise Refused(
                    node.lineno, f"{ast.unparse(node)!r} is not given", "Write name = param(…), or name = a number"
                )
    return Given(tuple(drawn.values()), constants, source)


def _one_by_one(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements, with ``B, T = 2, 5`` as a statement for each name."""
    for node in body:
        match node:
            case ast.Assign([ast.Tuple(targets)], ast.Tuple(values)) if len(targets) == len(values):
                for target, value in zip(targets, values, strict=True):
                    yield ast.copy_location(ast.Assign([target], value), node)
            case _:
                yield node


def _drawn(name: str, call: ast.Call, constants: Mapping[str, Any]) -> Drawn:
    match call:
        case ast.Call(ast.Name("param"), [ast.Call(ast.Name(kind)) as inner], []) if kind != "param":
            return _of_kind(name, inner, constants, is_param=True)
        case ast.Call(ast.Name(kind)):
            return _of_kind(name, call, constants, is_param=kind == "param")
    raise _unknown_kind(call)


def _of_kind(name: str, call: ast.Call, constants: Mapping[str, Any], *, is_param: bool) -> Drawn:
    assert isinstance(call.func, ast.Name)
    kind = KINDS.get(call.func.id)
    if kind is None:
        raise _unknown_kind(call)
    if is_param and not kind.is_float:
        raise Refused(call.lineno, f"{call.func.id} holds no floats, so it has no gradient", "Leave param(…) out")
    shape = tuple(_constant(each, constants) for each in call.args)
    if len(shape) == 1 and isinstance(shape[0], tuple):
        shape = shape[0]
    if not all(type(size) is int and size > 0 for size in shape) or kind.elements(shape) > ELEMENTS_MAX:
        raise Refused(
            call.lineno,
            f"{ast.unparse(call)} has no shape that can be drawn",
            f"Write whole numbers above 0, at most {ELEMENTS_MAX:,} elements in all",
        )
    options: dict[str, Any] = {}
    for each in call.keywords:
        value = _constant(each.value, constants)
        if each.arg is None or each.arg not in kind.options or type(value) not in (int, float):
            known = ", ".join(kind.options) or "none"
            raise Refused(call.lineno, f"{call.func.id} takes no {ast.unparse(each)}", f"Its options are: {known}")
        options[each.arg] = value
    if len(shape) < kind.sizes_min:
        raise Refused(call.lineno, f"{ast.unparse(call)} lacks a size", f"Write for example {kind.example}")
    return Drawn(name, call.func.id, shape, options, is_param)


def _unknown_kind(call: ast.Call) -> Refused:
    return Refused(
        call.lineno,
        f"{ast.unparse(call)!r} is no kind of given",
        f"Write one of: {', '.join(f'{k}(…)' for k in KINDS)}",
    )


_ARITHMETIC: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_CONSTANT_DTYPES: Final = {int: torch.int64, float: torch.float64, bool: torch.bool}


def _constant(node: ast.expr, constants: Mapping[str, Any]) -> Any:
    """Return the value of a constant: a number or an arithmetic of numbers, a string, None, or a tuple of these."""
    match node:
        case ast.Constant(bool() | str() | None as value):
            return value
        case ast.Constant(int() | float() as number) if abs(number) <= NUMBER_MAX:
            return number
        case ast.Name(name) if name in constants:
            return constants[name]
        case ast.Tuple(elements) | ast.List(elements):
            return tuple(_constant(each, constants) for each in elements)
        case ast.UnaryOp(ast.USub(), operand):
            return -_number(operand, constants)
        case ast.BinOp(left, op, right) if type(op) in _ARITHMETIC:
            return _arithmetic(node, _number(left, constants), _number(right, constants))
    holds_calls = any(isinstance(each, ast.Call) for each in ast.walk(node))
    advice = "Give each tensor a line and a name: W1 = param(4, 5)" if holds_calls else "Write the number itself"
    raise Refused(node.lineno, f"{ast.unparse(node)!r} is no constant", advice)


def _number(node: ast.expr, constants: Mapping[str, Any]) -> int | float:
    value = _constant(node, constants)
    if type(value) in (int, float):
        return value  # type: ignore[no-any-return]
    raise Refused(node.lineno, f"{ast.unparse(node)!r} is no number", "Write the number itself")


def _arithmetic(node: ast.BinOp, left: int | float, right: int | float) -> int | float:
    # A float power cannot grow without end, and an int power of two floats of this size is a float.
    is_pow = isinstance(node.op, ast.Pow)
    try:
        value = _ARITHMETIC[type(node.op)](float(left) if is_pow and abs(right) > 64 else left, right)
        if isinstance(value, int | float) and math.isfinite(value) and abs(value) <= NUMBER_MAX:
            return value
    except ArithmeticError:
        pass
    raise Refused(node.lineno, f"{ast.unparse(node)!r} is no number that fits", "Write the number itself")


def _seed_of(seed: int, name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:8], "big") >> 1


def _param(shape: tuple[int, ...], generator: torch.Generator, scale: float | None, mean: float) -> Tensor:
    fan_in = shape[0] if len(shape) > 1 else 1
    return torch.randn(shape, generator=generator) * (fan_in**-0.5 if scale is None else scale) + mean


def _data(shape: tuple[int, ...], generator: torch.Generator, scale: float, mean: float) -> Tensor:
    return torch.randn(shape, generator=generator) * scale + mean


def _uniform(shape: tuple[int, ...], generator: torch.Generator, low: float, high: float) -> Tensor:
    return torch.rand(shape, generator=generator) * (high - low) + low


def _positive(shape: tuple[int, ...], generator: torch.Generator, scale: float) -> Tensor:
    # Between a half and twice the scale, so that neither 1/x nor log x is far off.
    return torch.exp2(torch.rand(shape, generator=generator) * 2 - 1) * scale


def _distinct(shape: tuple[int, ...], generator: torch.Generator, scale: float) -> Tensor:
    # Equally far apart in a random order: no two are equal, and no maximum is a close call.
    count = math.prod(shape)
    values = torch.linspace(-1.0, 1.0, count) if count > 1 else torch.ones(1)
    return values[torch.randperm(count, generator=generator)].reshape(shape) * scale


def _filled(value: float) -> Callable[..., Tensor]:
    def fill(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        return torch.full(shape, value)

    return fill


def _labels(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    classes, *rest = shape
    return torch.randint(0, classes, tuple(rest), generator=generator)


def _permutation(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.randperm(math.prod(shape), generator=generator).reshape(shape)


def _causal(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.ones(shape[0], shape[0], dtype=torch.bool).triu(1)


def _mask(shape: tuple[int, ...], generator: torch.Generator, share: float) -> Tensor:
    return torch.rand(shape, generator=generator) < share


@dataclass(frozen=True)
class Kind:
    """A kind of given: how it is drawn, its options with their defaults, and how many sizes it needs."""

    draw: Callable[..., Tensor]
    options: Mapping[str, float | None] = field(default_factory=dict)
    is_float: bool = True
    sizes_min: int = 0
    example: str = ""
    is_square: bool = False  # of the first size alone

    def elements(self, shape: tuple[int, ...]) -> int:
        """Return how many elements there are to draw."""
        return shape[0] ** 2 if self.is_square and shape else math.prod(shape)


KINDS: Final[dict[str, Kind]] = {
    "param": Kind(_param, {"scale": None, "mean": 0.0}),
    "data": Kind(_data, {"scale": 1.0, "mean": 0.0}),
    "uniform": Kind(_uniform, {"low": 0.0, "high": 1.0}),
    "positive": Kind(_positive, {"scale": 1.0}),
    "distinct": Kind(_distinct, {"scale": 1.0}),
    "ones": Kind(_filled(1.0)),
    "zeros": Kind(_filled(0.0)),
    "labels": Kind(_labels, is_float=False, sizes_min=1, example="labels(3, 12)"),
    "permutation": Kind(_permutation, is_float=False, sizes_min=1, example="permutation(4)"),
    "causal": Kind(_causal, is_float=False, sizes_min=1, example="causal(4)", is_square=True),
    "mask": Kind(_mask, {"share": 0.5}, is_float=False),
}
