"""What the harness takes for an answer, what it prints, and what it leaves to the student's code."""

from __future__ import annotations

import random

import numpy
import pytest
import torch

from grader.answer import CHANGED_AFTER_CMP
from grader.sandbox import Run, RunStatus
from tests.grader.sandbox.conftest import STATE, Runner


def holds(got: Run, name: str, expected: torch.Tensor) -> bool:
    tensor = got.answers[name].tensor
    return tensor is not None and torch.equal(tensor, expected)


@pytest.mark.parametrize(
    "call",
    [
        "cmp('x', x * 2, x)",
        "cmp('dx', x * 2)",
        "cmp(' x ', x * 2)",
        "cmp(x * 2, x, 'x')",
        "cmp(x * 2, x)",  # the name is that of the tensor
        "cmp(x, x * 2)",
        "cmp('the first', x * 2, x)",
        "cmp(s='x', dt=x * 2, t=x)",
        "cmp(x * 2, t=x)",
        "cmp('x', x * 3, x)\ncmp('x', x * 2, x)",
        "cmp('w', w, w)\ncmp('x', x * 2)",
    ],
)
def test_cmp_knows_which_gradient_of_what(run: Runner, call: str) -> None:
    assert holds(run(call), "x", STATE["x"] * 2)


@pytest.mark.parametrize("call", ["cmp()", "cmp('x')", "cmp('nothing')", "cmp('nothing', torch.ones(2), Xb)"])
def test_cmp_of_nothing_is_no_answer(run: Runner, call: str) -> None:
    got = run(call)

    assert got.status is RunStatus.OK and all(answer.tensor is None for answer in got.answers.values())


def test_a_tensor_of_the_state_may_be_the_answer(run: Runner) -> None:
    assert holds(run("cmp('x', x, x)"), "x", STATE["x"])


@pytest.mark.parametrize(
    ("later", "changed"),
    [
        ("dx[0, 0] = 5.0", True),
        ("dx = dx.double()", True),
        ("dx = dx.T", True),
        ("dx = dx.clone()", False),
        ("dx = 'spoiled'", False),
        ("del dx", False),
    ],
)
def test_a_change_after_cmp_is_noted(run: Runner, later: str, changed: bool) -> None:
    got = run(f"dx = x * float('nan')\ncmp('x', dx, x)\n{later}")

    assert got.answers["x"].notes == ((CHANGED_AFTER_CMP,) if changed else ())
    assert got.answers["x"].shape == (4, 3)


def test_what_backward_returns_comes_first(run: Runner) -> None:
    both = run("def backward(state): return {'x': state['x'], 'dx': state['x'] * 2, 'dw': state['w']}")
    neither = run("def backward(state): return {'other': 1}")

    assert holds(both, "x", STATE["x"] * 2) and holds(both, "w", STATE["w"])
    assert neither.status is RunStatus.OK and neither.answers["x"].tensor is None


@pytest.mark.parametrize(
    "source",
    [
        "def backward(state): return {'x': state['x']}\ncmp('w', w, w)",
        "def backward(state): return {'x': state['x']}\ndw = w",
        "def backward(state, more): return {'x': state['x']}",
        "def backward(): return {'x': x}",
        "class Backward:\n    def __call__(self, state): return {'x': state['x']}\nbackward = Backward()",
    ],
)
def test_another_backward_is_not_called(run: Runner, source: str) -> None:
    got = run(source)

    assert got.status is RunStatus.OK and got.answers["x"].tensor is None


def test_a_constant_is_a_python_int(run: Runner) -> None:
    source = "print(type(n), n, type(Xb))\ndef backward(state):\n    print(type(state['n']))\n    return {}"

    assert run(source).stdout == "<class 'int'> 4 <class 'torch.Tensor'>\n<class 'int'>\n"


def test_the_state_is_the_students_to_change(run: Runner) -> None:
    got = run("x.resize_(5, 5)\nx += 1\nx.zero_()\ndef backward(state): return {'x': state['x']}")

    assert got.status is RunStatus.OK and got.answers["x"].shape == (5, 5)


def test_standard_error_is_cut_and_ends_no_run(run: Runner) -> None:
    got = run("import sys\nfor _ in range(2000): print('e' * 99, file=sys.stderr)\ndx = x")

    assert got.status is RunStatus.OK and holds(got, "x", STATE["x"])
    assert len(got.stdout) == 64 * 1024


def test_the_last_byte_that_fits_is_printed(run: Runner) -> None:
    exactly, over = run("print('y' * (64 * 1024 - 1))"), run("print('y' * 64 * 1024)")

    assert exactly.status is RunStatus.OK and exactly.stdout.endswith("y\n")
    assert over.status is RunStatus.OUTPUT_LIMIT and over.stdout == "y" * 64 * 1024


def test_a_warning_has_the_students_line_and_no_other(run: Runner) -> None:
    got = run(
        "import warnings\nwarnings.warn('mine')\n"
        "warnings.warn_explicit('theirs', UserWarning, '/usr/lib/site-packages/t.py', 3)"
    )

    assert got.stdout == "solution.py:2: UserWarning: mine\nUserWarning: theirs\n"


def test_only_text_is_printed(run: Runner) -> None:
    got = run("import sys\nsys.stdout.write(b'bytes')")

    assert got.status is RunStatus.ERROR and "write() argument must be str, not bytes" in got.message


def test_main_is_the_students_file(run: Runner) -> None:
    got = run("import __main__\nprint(__name__, __main__.x is x)\nif __name__ == '__main__': dx = x")

    assert got.stdout == "__main__ True\n" and holds(got, "x", STATE["x"])


def test_no_signal_has_a_handler(run: Runner) -> None:
    code = (
        "import signal\n"
        "for number in signal.valid_signals():\n"
        "    if signal.getsignal(number) not in (signal.SIG_DFL, signal.SIG_IGN): print(number)\n"
        "print([signal.getsignal(each).name for each in (2, 13, 25, 17)])"
    )

    assert run(code).stdout == "['SIG_DFL', 'SIG_DFL', 'SIG_DFL', 'SIG_DFL']\n"


@pytest.mark.parametrize("name", "matplotlib seaborn plotly bokeh altair graphviz torchviz IPython".split())
def test_a_library_that_shows_things_does_nothing(run: Runner, name: str) -> None:
    got = run(f"import {name}.deep.inside as shows\nfrom {name} import thing\nthing(shows)[0].more()\ndx = x")

    assert got.status is RunStatus.OK and holds(got, "x", STATE["x"])


@pytest.mark.parametrize("name", ["matplotlibx", "nowhere", "IPythonic"])
def test_no_other_library_is_made_up(run: Runner, name: str) -> None:
    assert f"{name} cannot be imported here" in run(f"import {name}").message


def test_a_picture_has_no_methods_of_python(run: Runner) -> None:
    got = run("import matplotlib as m\nprint(hasattr(m, '__array__'), hasattr(m, '__len__'), hasattr(m, 'any'))")

    assert got.stdout == "False False True\n"


def test_an_answer_may_fill_its_slot(run: Runner) -> None:
    got = run("dx = torch.ones(16, 16)\ndw = torch.ones(257)")  # 1024 bytes fit

    assert holds(got, "x", torch.ones(16, 16)) and got.answers["w"].tensor is None


def test_every_zygote_draws_the_same_numbers(run: Runner) -> None:
    code = "import random, numpy\nprint(torch.rand(1).item(), random.random(), numpy.random.rand())"

    said = [float(number) for number in run(code).stdout.split()]

    torchs = torch.rand(1, generator=torch.Generator().manual_seed(0)).item()
    assert said == [torchs, random.Random(0).random(), numpy.random.RandomState(0).rand()]
