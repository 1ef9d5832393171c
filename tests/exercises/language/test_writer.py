"""What is written reads back to the same expression."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from exercises.language import reader
from exercises.language.errors import Refused
from exercises.language.expression import Call, Expression, Name, Part
from exercises.language.writer import number, statement, written

SAMPLES = {name: torch.rand(3, 3).requires_grad_() for name in ("x", "y", "W")}
NAMES = st.sampled_from([Name("x"), Name("y"), Name("W")])
NUMBERS = st.sampled_from([2, 3.0, 0.5, -1, -0.5, 1 / 3, 6**-0.5, 1e-5, 2**0.5])


def call(operation: str, **arguments: Any) -> Call:
    return Call(operation, tuple(arguments.items()))


def composite(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    """Return square tensors made of others."""
    two = st.sampled_from(["add", "sub", "mul", "div", "matmul", "maximum"])
    with_number = st.sampled_from(["add", "sub", "mul", "div", "pow"])
    one = st.sampled_from(["neg", "exp", "tanh", "t", "relu", "sigmoid", "detach"])
    return st.one_of(
        st.builds(lambda name, a, b: call(name, input=a, other=b), two, inner, inner),
        st.builds(lambda name, a, b: call(name, input=a, other=b), with_number, inner, NUMBERS),
        st.builds(
            lambda name, a, b: call(name, input=b, other=a), st.sampled_from(["sub", "div", "mul"]), inner, NUMBERS
        ),
        st.builds(lambda name, a: call(name, input=a), one, inner),
        st.builds(lambda a: Part(call("max", input=a, dim=1, keepdim=True), 0), inner),
        st.builds(lambda a: call("sum", input=a, dim=0, keepdim=True), inner),
        st.builds(lambda a: call("index", input=a, index=(slice(None), slice(0, 2), None)), inner),
        st.builds(lambda a, b: call("cat", tensors=(a, b), dim=1), inner, inner),
        st.builds(lambda a: call("softmax", input=a, dim=-1), inner),
        st.builds(
            lambda a: call("masked_fill", input=a, mask=call("gt", input=a, other=0), value=float("-inf")), inner
        ),
    )


EXPRESSIONS = st.recursive(NAMES, composite, max_leaves=6).filter(lambda expression: not isinstance(expression, Name))


@settings(max_examples=40, deadline=None)
@given(EXPRESSIONS)
def test_an_expression_reads_back(expression: Expression) -> None:
    line = f"z = torch.stack(({written(expression)},)) * W.sum()"
    try:
        (step,) = reader.read(line, SAMPLES).lines
    except Refused as refusal:
        assume("torch refuses" not in refusal.reason)  # the shapes do not go together
        raise

    assert step.expression == call(
        "mul", input=call("stack", tensors=(expression,)), other=call("sum", input=Name("W"))
    )


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (call("mul", input=call("add", input=Name("x"), other=1), other=2), "z = (x + 1) * 2"),
        (call("neg", input=call("pow", input=Name("x"), other=2)), "z = -x**2"),
        (call("pow", input=call("neg", input=Name("x")), other=-0.5), "z = (-x)**-0.5"),
        (call("sub", input=Name("x"), other=call("sub", input=Name("y"), other=1)), "z = x - (y - 1)"),
        (call("t", input=call("matmul", input=Name("x"), other=Name("y"))), "z = (x @ y).T"),
        (Part(call("max", input=Name("x"), dim=1), 0), "z = x.max(1).values"),
        (call("linear", input=Name("x"), weight=Name("W")), "z = F.linear(x, W)"),
        (call("index", input=Name("x"), index=(range(3), Name("y"))), "z = x[range(3), y]"),
    ],
)
def test_an_expression_is_written_as_a_person_would(expression: Expression, text: str) -> None:
    assert statement("z", expression) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(6**-0.5, "6**-0.5"), (2**0.5, "2**0.5"), (1 / 3, "1 / 3"), (0.044715, "0.044715"), (-2, "-2"), (1e-5, "1e-05"),
     (float("-inf"), "float('-inf')"), (-(3**-0.5), "-3**-0.5")],
)  # fmt: skip
def test_a_number_is_written_as_a_person_would(value: float, text: str) -> None:
    assert number(value)[0] == text
    assert eval(text) == value
