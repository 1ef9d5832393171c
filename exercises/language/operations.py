"""The operations of the language, each with one inner name, its parameters, and every spelling of it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import torch
import torch.nn.functional as functional
from torch import Tensor


@dataclass(frozen=True)
class Operation:
    """An operation.

    ``parameters`` are the names of its parameters in order, the tensors first; ``defaults`` those that may be left out.
    ``spellings`` are ``torch.f``, ``F.f`` and ``.f`` for a method of a tensor. ``other_names`` maps other spellings of
    parameters to their names here (``axis`` → ``dim``). ``rest`` names the parameter that takes all positional
    arguments that are left, as in ``x.view(2, -1)``. ``symbol`` is the operator of Python. ``differentiable`` is false
    for what has no gradient, such as a comparison. ``keyword_only`` are parameters that are never passed by position.
    """

    name: str
    apply: Callable[..., Any]
    parameters: tuple[str, ...]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    spellings: tuple[str, ...] = ()
    other_names: Mapping[str, str] = field(default_factory=dict)
    rest: str | None = None
    symbol: str | None = None
    differentiable: bool = True
    keyword_only: frozenset[str] = frozenset()


OPERATIONS: Final[dict[str, Operation]] = {}
SPELLINGS: Final[dict[str, Operation]] = {}
OTHER_NAMES: Final = {"axis": "dim", "keepdims": "keepdim", "x": "input", "self": "input"}


def _add(name: str, signature: str, apply: Callable[..., Any], spellings: str = "", **settings: Any) -> None:
    """Add an operation. In the signature ``dim=None`` has a default, and ``*shape`` takes the rest.

    What stands after a ``*`` alone is passed by keyword only.
    """
    parameters, defaults, rest = [], {}, None
    positional, _, _ = f" {signature} ".partition(" * ")
    for word in signature.replace(" * ", " ").split():
        parameter, has_default, default = word.partition("=")
        if parameter.startswith("*"):
            rest = parameter = parameter[1:]
        if has_default:
            defaults[parameter] = _CONSTANTS.get(default, default)
        parameters.append(parameter)
    keyword_only = frozenset(parameters[len(positional.split()) :])
    found = Operation(
        name,
        apply,
        tuple(parameters),
        defaults,
        tuple(spellings.split()),
        OTHER_NAMES,
        rest,
        keyword_only=keyword_only,
        **settings,
    )
    OPERATIONS[name] = found
    for spelling in found.spellings:
        SPELLINGS[spelling] = found


_CONSTANTS: Final[dict[str, Any]] = {
    "None": None, "False": False, "True": True, "0": 0, "1": 1, "-1": -1, "2": 2, "1e-5": 1e-5, "1.0": 1.0,
}  # fmt: skip


def _binary(name: str, symbol: str, apply: Callable[[Any, Any], Any], spellings: str = "", **settings: Any) -> None:
    _add(name, "input other", apply, spellings, symbol=symbol, **settings)


def _unary(name: str, apply: Callable[[Tensor], Any], *, module: str = "torch", **settings: Any) -> None:
    _add(name, "input", apply, f"{module}.{name} .{name}", **settings)


# Python's own operators: torch computes 1 / x as a reciprocal and a product, and those are the lecture's bits.
_binary("add", "+", operator.add, "torch.add .add")
_binary("sub", "-", operator.sub, "torch.sub .sub torch.subtract")
_binary("mul", "*", operator.mul, "torch.mul .mul torch.multiply")
_binary("div", "/", operator.truediv, "torch.div .div torch.divide")
_binary("pow", "**", operator.pow, "torch.pow .pow")
_binary("matmul", "@", operator.matmul, "torch.matmul .matmul torch.mm .mm torch.bmm .bmm")
_add("neg", "input", operator.neg, "torch.neg .neg", symbol="-")
for _name, _symbol, _apply in (
    ("lt", "<", operator.lt), ("le", "<=", operator.le), ("gt", ">", operator.gt),
    ("ge", ">=", operator.ge), ("eq", "==", operator.eq), ("ne", "!=", operator.ne),
):  # fmt: skip
    _binary(_name, _symbol, _apply, f"torch.{_name} .{_name}", differentiable=False)

_unary("exp", torch.exp)
_unary("log", torch.log)
_unary("sqrt", torch.sqrt)
_unary("rsqrt", torch.rsqrt)
_unary("tanh", torch.tanh)
_unary("abs", torch.abs)
_unary("sin", torch.sin)
_unary("cos", torch.cos)
_add("sigmoid", "input", torch.sigmoid, "torch.sigmoid F.sigmoid .sigmoid")
_add("relu", "input", torch.relu, "torch.relu F.relu .relu")
_add("gelu", "input * approximate=none", functional.gelu, "F.gelu")
_add("clamp", "input min=None max=None", torch.clamp, "torch.clamp .clamp torch.clip .clip")


def _reduced(apply: Callable[..., Any]) -> Callable[..., Any]:
    def reduce(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
        return apply(input) if dim is None else apply(input, dim, keepdim=keepdim)

    return reduce


_add("sum", "input dim=None keepdim=False", _reduced(torch.sum), "torch.sum .sum")
_add("mean", "input dim=None keepdim=False", _reduced(torch.mean), "torch.mean .mean")
_add("max", "input dim=None keepdim=False", _reduced(torch.max), "torch.max .max")
_add("min", "input dim=None keepdim=False", _reduced(torch.min), "torch.min .min")


def _var(input: Tensor, dim: Any = None, unbiased: bool = True, keepdim: bool = False) -> Tensor:
    return torch.var(input, dim, unbiased=unbiased, keepdim=keepdim)


_add("var", "input dim=None unbiased=True keepdim=False", _var, "torch.var .var")
_add("softmax", "input dim", torch.softmax, "torch.softmax F.softmax .softmax")
_add("log_softmax", "input dim", torch.log_softmax, "torch.log_softmax F.log_softmax .log_softmax")
_add("cross_entropy", "input target", functional.cross_entropy, "F.cross_entropy")

_add("index", "input index", lambda input, index: input[index])
_add("view", "input *shape", lambda input, shape: input.view(shape), ".view")
_add("reshape", "input *shape", lambda input, shape: input.reshape(shape), "torch.reshape .reshape")
_add("transpose", "input dim0 dim1", torch.transpose, "torch.transpose .transpose")
_add("t", "input", lambda input: input.T, "torch.t .t")
_add("permute", "input *dims", lambda input, dims: input.permute(dims), "torch.permute .permute")
_add("unsqueeze", "input dim", torch.unsqueeze, "torch.unsqueeze .unsqueeze")
_add("squeeze", "input dim", torch.squeeze, "torch.squeeze .squeeze")
_add("cat", "tensors dim=0", torch.cat, "torch.cat torch.concat")
_add("stack", "tensors dim=0", torch.stack, "torch.stack")
_add("chunk", "input chunks dim=0", torch.chunk, "torch.chunk .chunk")
_add("split", "input split_size dim=0", torch.split, "torch.split .split")
_add("masked_fill", "input mask value", torch.masked_fill, "torch.masked_fill .masked_fill")
_add("where", "condition input other", torch.where, "torch.where")
_add("detach", "input", lambda input: input.detach(), ".detach", differentiable=False)
