"""What surrounds a derivation in a notebook does nothing, and spoils nothing."""

from __future__ import annotations

import pytest
import torch

from grader.sandbox import RunStatus
from tests.grader.sandbox.conftest import STATE, Runner, holds


@pytest.mark.parametrize(
    "around",
    [
        "%matplotlib inline\nimport matplotlib.pyplot as plt, seaborn\n{}plt.figure(figsize=(4, 4)); plt.imshow(dx)",
        "from matplotlib import pyplot as plt\nfig, ax = plt.subplots()\n{}ax[0].plot(dx.tolist(), 'r')\nplt.show()",
        "from IPython.display import display, HTML\n{}display(HTML('x'))\nwith plt.style.context('ggplot'): plt.plot()",
        "for t in [x, w]: t.retain_grad()\nx.sum().backward()\n{}x.grad = None",
    ],
)
def test_plots_around_a_derivation_do_not_spoil_it(run: Runner, around: str) -> None:
    got = run("import matplotlib.pyplot as plt\n" + around.format("dx = x * 2\n"))
    assert got.status is RunStatus.OK, got.message
    assert holds(got, "x", STATE["x"] * 2)


def test_a_picture_is_no_answer(run: Runner) -> None:
    got = run("import matplotlib.pyplot as plt\ndx = plt.imread('x')\ndw = plt.hist([1])[0] + 1")
    assert got.answers["x"].misfit == "a Picture is not a tensor; hand in a tensor (torch.tensor makes one)"
    assert got.status is RunStatus.ERROR and "unsupported operand" in got.message


def test_a_tensor_with_a_graph_still_has_its_backward_pass(run: Runner) -> None:
    got = run("y = x.clone().requires_grad_()\n(y * 3).sum().backward()\ndx = y.grad")
    assert holds(got, "x", torch.full((4, 3), 3.0)) and got.flags == ("autograd",)


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


def test_a_progress_bar_gives_its_items(run: Runner) -> None:
    source = (
        "from tqdm import tqdm, trange\nfrom tqdm.notebook import tqdm as bar\ndx = x * 0\n"
        "for _ in tqdm(range(2), desc='rows'):\n    dx += x\nfor _ in trange(1):\n    dx += x\n"
        "for _ in bar([1]):\n    dx += x\nwith tqdm(total=3) as shown:\n    shown.update(1)\ntqdm.write('done')"
    )

    got = run(source)

    assert (got.status, got.stdout) == (RunStatus.OK, "done\n"), got.message
    assert holds(got, "x", STATE["x"] * 4)


@pytest.mark.parametrize("decorator", ["@torch.compile", "@torch.compile(mode='reduce-overhead')"])
def test_a_compiled_function_runs_as_it_is(run: Runner, decorator: str) -> None:
    got = run(f"{decorator}\ndef twice(a):\n    return a * 2\ndx = twice(x)\ndw = torch.compile(twice)(w)")

    assert got.status is RunStatus.OK, got.message
    assert holds(got, "x", STATE["x"] * 2) and holds(got, "w", STATE["w"] * 2)


def test_a_script_may_ask_where_it_is(run: Runner) -> None:
    got = run("import os\nfolder = os.path.dirname(os.path.abspath(__file__))\ndx = x")

    assert got.status is RunStatus.OK, got.message
