"""Compile a student's file: their lines, a notebook's lines, and the words of automatic differentiation."""

from __future__ import annotations

import pytest

from grader.sandbox import RunStatus
from grader.sandbox.child.source import OUR_CMP, prepare
from tests.grader.sandbox.conftest import STATE, Runner, holds


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


@pytest.mark.parametrize(
    "source",
    [
        "\ufeffdx = x * 2",
        "import math\r\ndx = x * 2\r\n",
        "    # indented as a whole\n    if True:\n        dx = x * 2\n",
        "\tdx = x * 2\n\tprint(dx)\n",
        "%matplotlib inline\n!pip install torch\ndx = x * 2\ndx.shape\nx?\n",
        "if True:\n    %timeit pass\n    dx = x * 2",
        "def f():\n    # nothing\n    %time\n\ndx = x * 2",
    ],
)
def test_files_of_notebooks_and_editors_run(run: Runner, source: str) -> None:
    got = run(source)
    assert got.status is RunStatus.OK, got.message
    assert holds(got, "x", STATE["x"] * 2)


@pytest.mark.parametrize(
    "source",
    [
        "x.requires_grad_()\nx.sum().backward()",
        "x.requires_grad = True",
        "torch.autograd.grad",
        "y = torch.ones(2, requires_grad=True)",
        "print(x.grad_fn)",
        "from torch.func import grad",
        "getattr(x, 'backward')",
    ],
)
def test_plain_automatic_differentiation_is_flagged(run: Runner, source: str) -> None:
    assert run(source).flags == ("autograd",)


@pytest.mark.parametrize("source", ["# loss.backward() is not used", "def backward(state):\n    return {}"])
def test_words_alone_are_not_flagged(run: Runner, source: str) -> None:
    assert run(source).flags == ()
