"""The lecture's forward pass in plain numbers, to tell whether an own line has the same value.

Each hand-out is one number, and a sum over a dimension multiplies by a number of its own. Two expressions of equal
mathematics then have equal values, however they are written; others almost never have.
"""

from __future__ import annotations

import ast
import math
from collections import Counter
from collections.abc import Callable

from dojo.notebook_slice.goal import Goal
from dojo.notebook_slice.statements import Part

# The forward pass of the lecture's network, a line for each tensor.
LINES = {
    "emb": "C[Xb]",
    "embcat": "emb.view(emb.shape[0], -1)",
    "hprebn": "embcat @ W1 + b1",
    "bnmeani": "1/n*hprebn.sum(0, keepdim=True)",
    "bndiff": "hprebn - bnmeani",
    "bndiff2": "bndiff**2",
    "bnvar": "1/(n-1)*(bndiff2).sum(0, keepdim=True)",
    "bnvar_inv": "(bnvar + 1e-5)**-0.5",
    "bnraw": "bndiff * bnvar_inv",
    "hpreact": "bngain * bnraw + bnbias",
    "h": "torch.tanh(hpreact)",
    "logits": "h @ W2 + b2",
    "logit_maxes": "logits.max(1, keepdim=True).values",
    "norm_logits": "logits - logit_maxes",
    "counts": "norm_logits.exp()",
    "counts_sum": "counts.sum(1, keepdim=True)",
    "counts_sum_inv": "counts_sum**-1",
    "probs": "counts * counts_sum_inv",
    "logprobs": "probs.log()",
    "loss": "-logprobs[range(n), Yb].mean()",
}
_LEAVES = {
    "C": 0.713, "Xb": 1.377, "W1": 0.467, "b1": 0.191, "W2": 0.839, "b2": 0.277, "bngain": 1.093, "bnbias": 0.151,
    "n": 32, "batch_size": 32, "vocab_size": 27, "n_embd": 10, "n_hidden": 64, "block_size": 3,
}  # fmt: skip
_SUMS = (2.131, 1.789)  # what a sum over a dimension multiplies by; products of more than two have no use here
_LENGTHS = (32.0, 27.0)
_MAXIMUM, _LOOKED_UP, _FLAT, _PRODUCT, _PICKED = 0.831, 1.213, 1.117, 1.571, 0.647
_RELATIVE = 1e-9
_SAME = frozenset("clone detach contiguous float double unsqueeze squeeze to expand expand_as requires_grad_".split())
_FLATTENING = frozenset("view reshape flatten".split())
_FUNCTIONS: dict[str, Callable[[float], float]] = {
    "exp": math.exp,
    "log": math.log,
    "tanh": math.tanh,
    "sqrt": math.sqrt,
    "rsqrt": lambda x: x**-0.5,
    "reciprocal": lambda x: 1 / x,
    "square": lambda x: x * x,
    "neg": lambda x: -x,
    "log1p": math.log1p,
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "relu": lambda x: max(x, 0.0),
    "sin": math.sin,
    "softplus": lambda x: math.log1p(math.exp(x)),
}


class _Unknown(Exception):
    """An expression whose value is not known."""


class Forward:
    """Own lines of a forward pass. ``same`` maps an own name to the hand-out that it is."""

    def __init__(self, goal: Goal) -> None:
        self._goal = goal
        self._values: dict[str, float] = dict(_LEAVES)
        for name, line in LINES.items():
            self._values[name] = self._value(ast.parse(line, mode="eval").body)
        self._handed_out = {name: value for name, value in self._values.items() if name in LINES}
        self.same: dict[str, str] = {}
        self.made: Counter[str] = Counter()  # how often each of them is made so
        self._differing: dict[str, str] = {}

    def read(self, node: ast.stmt, part: Part) -> None:
        """Read one statement, with the exercise's names."""
        if not isinstance(node, ast.Assign) or len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
            return
        name = node.targets[0].id
        try:
            value = self._value(node.value)
        except (_Unknown, ArithmeticError, ValueError, RecursionError):
            if name not in self._handed_out and name not in _LEAVES:
                self._values.pop(name, None)
            return
        if name in self._handed_out:
            reads = any(isinstance(part, ast.Name) and part.id in self._values for part in ast.walk(node.value))
            if reads and name in self._goal.handed_out and not _equal(value, self._values[name]):
                place = f"Line {node.lineno}" if part.cell.is_script else f"Cell {part.cell.number}, line {node.lineno}"
                self._differing.setdefault(
                    name,
                    f"{place}: your {name} is not the exercise's, which is {LINES[name]}. "
                    "The exercise's is handed out, so derive that one.",
                )
        elif name not in _LEAVES:
            self._values[name] = value
            copied = isinstance(node.value, ast.Name) or _called(node.value) == "clone"
            same = next((each for each, own in self._handed_out.items() if _equal(own, value)), None)
            if same in self._goal.handed_out and same is not None and not copied:
                self.made[name] = self.made[name] + 1 if self.same.get(name, same) == same else 0
                self.same[name] = same

    def differences(self) -> tuple[str, ...]:
        """Return sentences about lines that differ from the exercise's."""
        return tuple(self._differing.values())

    def _value(self, node: ast.expr) -> float:
        match node:
            case ast.Constant(value=bool()):
                raise _Unknown
            case ast.Constant(value=int() | float()):
                return float(node.value)  # type: ignore[arg-type]
            case ast.Name() if node.id in self._values:
                return float(self._values[node.id])
            case ast.UnaryOp(op=ast.USub()):
                return -self._value(node.operand)
            case ast.BinOp():
                return self._binary(node.op, self._value(node.left), self._value(node.right))
            case ast.Attribute(attr="values" | "data"):
                return self._value(node.value)
            case ast.Subscript(value=ast.Attribute(attr="shape")):
                raise _Unknown
            case ast.Subscript(slice=ast.Name(id="Xb")):
                return self._value(node.value) * _LOOKED_UP * self._values["Xb"]
            case ast.Subscript(slice=ast.Tuple(elts=[ast.Call(), ast.Name(id="Yb")])):
                return self._value(node.value) * _PICKED
            case ast.Subscript(slice=ast.Constant(value=0)) if _called(node.value) == "max":
                return self._value(node.value)
            case ast.Call():
                return self._call(node)
        raise _Unknown

    def _binary(self, operator: ast.operator, left: float, right: float) -> float:
        match operator:
            case ast.Add():
                return left + right
            case ast.Sub():
                return left - right
            case ast.Mult():
                return left * right
            case ast.Div():
                return left / right
            case ast.MatMult():
                return left * right * _PRODUCT
            case ast.Pow():
                result = left**right
                if isinstance(result, float):
                    return result
        raise _Unknown

    def _call(self, node: ast.Call) -> float:
        function = node.func
        if not isinstance(function, ast.Attribute):
            raise _Unknown
        name = function.attr
        of_library = isinstance(function.value, ast.Name) and function.value.id in ("torch", "F", "nn")
        of_library = of_library or ast.unparse(function.value) == "torch.nn.functional"
        first, rest = (node.args[0], node.args[1:]) if of_library and node.args else (function.value, node.args)
        if name == "embedding" and of_library and len(rest) == 1:
            return self._value(rest[0]) * _LOOKED_UP * self._value(first)
        value = self._value(first)
        if name in ("cross_entropy", "nll_loss") and len(rest) == 1 and not node.keywords:
            return -_PICKED * (-math.log(_SUMS[1]) if name == "cross_entropy" else value)
        if name in ("sum", "mean") and not rest and not node.keywords and _is_picked(first):
            return value * (_LENGTHS[0] if name == "sum" else 1)
        if name in _FUNCTIONS and not rest:
            return _FUNCTIONS[name](value)
        if name in _SAME:
            return value
        if name in _FLATTENING:
            return value * _FLAT
        if name == "pow" and len(rest) == 1:
            return self._binary(ast.Pow(), value, self._value(rest[0]))
        if name in ("matmul", "mm") and len(rest) == 1:
            return value * self._value(rest[0]) * _PRODUCT
        return self._reduced(name, value, node, rest)

    def _reduced(self, name: str, value: float, node: ast.Call, rest: list[ast.expr]) -> float:
        named = {keyword.arg: keyword.value for keyword in node.keywords}
        where = named.get("dim", named.get("axis", rest[0] if rest else None))
        if not isinstance(where, ast.Constant | ast.UnaryOp):
            raise _Unknown
        dimension = int(self._value(where)) % 2
        total, length = _SUMS[dimension], _LENGTHS[dimension]
        if name == "sum":
            return value * total
        if name == "mean":
            return value * total / length
        if name in ("max", "amax"):
            return value * _MAXIMUM
        if name in ("softmax", "log_softmax"):
            return 1 / total if name == "softmax" else -math.log(total)
        if name in ("var", "std"):
            corrections = [
                keyword.value for keyword in node.keywords if keyword.arg in ("unbiased", "correction")
            ] + rest[1:2]
            is_biased = any(isinstance(each, ast.Constant) and not each.value for each in corrections)
            variance = (value - value * total / length) ** 2 * total / (length - (0 if is_biased else 1))
            return variance if name == "var" else variance**0.5
        raise _Unknown


def _is_picked(node: ast.expr) -> bool:
    """Return whether an expression is one entry of each row, with or without a sign."""
    return isinstance(node, ast.Subscript) or (isinstance(node, ast.UnaryOp) and _is_picked(node.operand))


def _called(node: ast.expr) -> str | None:
    return node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else None


def _equal(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=_RELATIVE)
