"""Reading a student's file: what is theirs, what a notebook left, and what names automatic differentiation."""

from __future__ import annotations

import pytest

from grader.sandbox.source import OUR_CMP, prepare


def names_after(source: str) -> dict[str, object]:
    """The globals of a file that has run, with ours as their cmp."""
    names: dict[str, object] = {OUR_CMP: "ours"}
    exec(prepare(source, "solution.py").code, names)
    return names


@pytest.mark.parametrize(
    "source",
    [
        "x.requires_grad_()",
        "x.requires_grad = True",
        "loss.backward()",
        "x.retain_grad()",
        "x.grad_fn",
        "torch.autograd",
        "torch.func.grad(f)",
        "torch.func.grad_and_value(f)",
        "func.vjp  # grad",
        "torch.func.jvp  # grad",
        "torch.func.jacrev  # grad",
        "torch.func.jacfwd  # grad",
        "torch.ones(2, requires_grad=True)",
        "getattr(x, 'backward')",
        "getattr(x, 'requires_grad', None)",
        "from torch.autograd import grad",
        "from torch.func import grad",
        "from torch.autograd.functional import vjp",
        "from torch import nn, autograd",
        "import torch.autograd as a",
    ],
)
def test_differentiation_in_plain_words_is_flagged(source: str) -> None:
    assert prepare(source, "solution.py").flags == ("autograd",)


@pytest.mark.parametrize(
    "source",
    [
        "# loss.backward()",
        "'x.requires_grad_()'",
        "x.grad = None",
        "torch.ones(2, requires_grad=False)",
        "def backward(x): return x",
        "backward = grad = autograd = 1",
        "getattr(x, 'shape').grad",
        "from torch import nn  # autograd",
        "math.func2.grad",
    ],
)
def test_other_words_are_not_flagged(source: str) -> None:
    assert prepare(source, "solution.py").flags == ()


@pytest.mark.parametrize(
    "source",
    [
        "def compare(s, dt, t): return t.grad",
        "def compare(s, dt, /, t): return (dt - t.grad).abs()",
        "compare = lambda dt, t: dt == t.grad",
        "def compare(s, dt, t):\n    def inner(): return t.grad\n    return inner()",
    ],
)
def test_a_function_that_reads_grad_of_a_parameter_becomes_ours(source: str) -> None:
    assert names_after(source)["compare"] == "ours"


@pytest.mark.parametrize(
    "source",
    [
        "def compare(t): return t.grad",  # one parameter compares nothing
        "def compare(s, dt, t): t.grad = None",
        "def compare(s, dt, t): return other.grad",
        "def compare(s, dt, t): return t.gradient  # grad",
        "compare = [lambda dt, t: t.grad]",
        "compare = other = lambda dt, t: t.grad",
        "if True:\n    def compare(s, dt, t): return t.grad",
    ],
)
def test_other_functions_stay_theirs(source: str) -> None:
    assert names_after(source)["compare"] != "ours"


def test_line_numbers_stay_the_students() -> None:
    source = "\ufeff%matplotlib inline\r\n\r\ndef cmp(s, dt, t):\r\n    return t.grad\r\nraise KeyError\r\n"

    program = prepare(source, "solution.py")

    assert program.text.split("\n")[4] == "raise KeyError"
    with pytest.raises(KeyError) as raised:
        exec(program.code, {OUR_CMP: None})
    assert raised.tb.tb_next is not None and raised.tb.tb_next.tb_lineno == 5


@pytest.mark.parametrize(
    "line", ["%matplotlib inline", "%%time", "%load_ext x", "!pip install torch", "?x", "x.shape?", "x??", "! ls"]
)
def test_what_only_a_notebook_takes_is_passed_over(line: str) -> None:
    assert prepare(f"x = 1\n{line}\n", "solution.py").text == "x = 1\npass\n\n"


@pytest.mark.parametrize("source", ["y = (5\n% 3)", "y = (5\n!= 3)", "y = 'x?'"])
def test_what_python_takes_is_left_alone(source: str) -> None:
    assert prepare(f"    {source}\n", "solution.py").text == f"{source}\n\n"


@pytest.mark.parametrize("line", ["% 3", "!= 3", "x ? y"])
def test_what_nothing_takes_is_a_syntax_error(line: str) -> None:
    with pytest.raises(SyntaxError):
        prepare(f"x = 1\n{line}", "solution.py")
