"""Cut composite lines, so that each step holds at most one nonlinearity.

``h = torch.tanh(x @ W1 + b1)`` becomes ``h_pre = x @ W1 + b1`` and ``h = torch.tanh(h_pre)``. Four classes of
operations decide where a line is cut:

1. A *light* operation, such as ``transpose``, ``neg`` or a product with a number, is never cut from what it reads.
2. A *linear* one, such as a sum, reads products and other linear ones in the same line.
3. A *product* reads light values alone.
4. Any other is nonlinear: it reads light values alone, and is a step of its own.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any, Final

from exercises.language.expression import Call, Expression, Name, Part
from exercises.language.forward import Forward, Line
from exercises.language.spelled import unspelled
from exercises.language.step_names import StepNames
from exercises.language.text import shown
from exercises.language.writer import statement, written

_LIGHT: Final = frozenset(
    "index view reshape flatten unflatten ravel t transpose permute movedim unsqueeze squeeze expand repeat "
    "repeat_interleave flip roll tril triu diag diagonal diag_embed chunk split tensor_split unbind narrow select "
    "masked_fill gather index_select take_along_dim neg float unfold pad embedding".split()
)
_LINEAR: Final = frozenset(
    "add sub sum mean cumsum cat stack hstack vstack where scatter scatter_add index_add index_put select_scatter "
    "slice_scatter trace im2col fold col2im lerp diff adaptive_avg_pool2d avg_pool2d avg_pool1d interpolate".split()
)
_PRODUCTS: Final = frozenset(
    "mul div matmul linear bilinear einsum conv1d conv2d conv_transpose1d conv_transpose2d outer dot mv addmm baddbmm "
    "tensordot kron inner".split()
)
_WITH_NUMBERS: Final = frozenset("add sub mul div".split())
_ACTIVATIONS: Final = frozenset(
    "tanh sigmoid relu gelu silu elu selu leaky_relu softplus relu6 mish hardtanh logsigmoid sin cos".split()
)
_OF_SCORES: Final = frozenset(
    "softmax log_softmax cross_entropy logsumexp binary_cross_entropy_with_logits nll_loss".split()
)
_SUFFIXES: Final = {
    "add": "sum", "sub": "diff", "mul": "prod", "matmul": "prod", "linear": "lin", "div": "ratio", "neg": "neg",
    "einsum": "prod", "square": "sq", "amax": "max", "amin": "min", "clamp": "clamped", "index": "at",
    "transpose": "t", "binary_cross_entropy_with_logits": "bce", "cross_entropy": "ce",
}  # fmt: skip


def cut(
    forward: Forward, gradient_names: Collection[str], taken: Collection[str], comments: dict[int, str] | None = None
) -> Forward:
    """Return a forward pass with its composite lines cut.

    ``gradient_names`` are the given names that have a gradient, ``taken`` all given names. ``comments`` are those of
    the source, by the number of their line. The result has plain numbers, as if its text were read.
    """
    cutter = _Cutter(set(gradient_names), StepNames([*taken, *(line.name for line in forward.lines)]))
    for line in forward.lines:
        cutter.add(line)
    lines = tuple(replace(line, expression=unspelled(line.expression)) for line in cutter.lines)
    if [line.text for line in lines] == [line.text for line in forward.lines]:
        return replace(forward, lines=lines)
    return replace(forward, lines=lines, text=shown(lines, comments or {}))


class _Cutter:
    def __init__(self, gradient_names: set[str], names: StepNames) -> None:
        self._gradient_names, self._names = gradient_names, names
        self.lines: list[Line] = []
        self._made: dict[str, Name] = {}
        self._line: Line

    def add(self, line: Line) -> None:
        """Add a line, and before it the lines that are cut out of it."""
        if line.frozen:
            self.lines.append(line)
            return
        self._line, self._made = line, {}
        before = len(self.lines)
        expression = self._cut_inside(line.expression)
        if len(self.lines) > before:
            line = replace(line, expression=expression, text=statement(line.name, expression))
        self.lines.append(line)
        self._gradient_names.add(line.name)

    def _cut_inside(self, expression: Any) -> Any:
        """Return an expression with other steps in place of what must not stand in it."""
        match expression:
            case Part(call, index):
                return Part(self._cut_inside(call), index)
            case Call(operation, arguments):
                return Call(operation, tuple((key, self._argument(expression, value)) for key, value in arguments))
        return expression

    def _argument(self, consumer: Call, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(self._argument(consumer, each) for each in value)
        if not isinstance(value, Call | Part) or not self._has_gradient(value):
            return value
        value = self._cut_inside(value)
        if self._is_step(consumer, value):
            return self._as_step(consumer, value)
        return value

    def _is_step(self, consumer: Call, value: Call | Part) -> bool:
        kind = self._kind(value)
        if kind == "nonlinear":
            return True
        return self._kind(consumer) in ("nonlinear", "product") and not self._is_light(value)

    def _kind(self, expression: Call | Part) -> str:
        call = expression.call if isinstance(expression, Part) else expression
        operands = [value for _, value in call.arguments if self._has_gradient(value)]
        if call.operation in _LIGHT or (call.operation in _WITH_NUMBERS and _reads_a_number(call)):
            return "light" if not (call.operation == "div" and self._divides(call)) else "nonlinear"
        if call.operation in _LINEAR:
            return "linear"
        if call.operation in _PRODUCTS:
            is_scaling = call.operation == "mul" and len(operands) == 1
            return "linear" if is_scaling or (call.operation == "div" and not self._divides(call)) else "product"
        return "nonlinear"

    def _divides(self, call: Call) -> bool:
        return self._has_gradient(call.argument("other"))

    def _is_light(self, expression: Any) -> bool:
        if not self._has_gradient(expression) or isinstance(expression, Name):
            return True
        if isinstance(expression, tuple):
            return all(self._is_light(each) for each in expression)
        call = expression.call if isinstance(expression, Part) else expression
        return self._kind(expression) == "light" and all(self._is_light(value) for _, value in call.arguments)

    def _has_gradient(self, expression: Any) -> bool:
        match expression:
            case Name(name):
                return name in self._gradient_names
            case Part(call, _):
                return self._has_gradient(call)
            case Call(_, arguments):
                return expression.definition.differentiable and any(self._has_gradient(each) for _, each in arguments)
            case tuple():
                return any(self._has_gradient(each) for each in expression)
        return False

    def _as_step(self, consumer: Call, value: Call | Part) -> Name:
        text = written(value)
        if text not in self._made:
            name = self._names.fresh(f"{self._line.name}_{_suffix(consumer, value)}")
            self.lines.append(replace(self._line, name=name, text=f"{name} = {text}", expression=value))
            self._gradient_names.add(name)
            self._made[text] = Name(name)
        return self._made[text]


def _reads_a_number(call: Call) -> bool:
    return any(isinstance(value, int | float) for _, value in call.arguments)


def _suffix(consumer: Call, value: Expression) -> str:
    """Return what a person would call a part of a line."""
    call = value.call if isinstance(value, Part) else value
    assert isinstance(call, Call)
    if call.operation in ("add", "sub", "matmul", "linear", "mul", "div", "einsum", "conv1d", "conv2d"):
        if consumer.operation in _ACTIVATIONS:
            return "pre"
        if consumer.operation in _OF_SCORES:
            return "scores"
    if call.operation == "pow":
        exponent = call.argument("other")
        return {2: "sq", -1: "inv", 0.5: "sqrt", -0.5: "inv_sqrt"}.get(exponent if _is_number(exponent) else 0, "pow")
    return _SUFFIXES.get(call.operation, call.operation.removesuffix("_loss"))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)
