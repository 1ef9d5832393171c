"""Training out of a notebook: what goes along, and what is shown."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from dojo import errors, notebook, trainer
from dojo.api.training import read_training_run
from dojo.errors import BadFile
from dojo.notebook_slice import slice_function
from dojo.show import training_html
from tests.client.conftest import Student
from tests.client.fake import SLUG
from tests.client.fake_training import NAMES, FakeTraining, curve

FACTOR = 2.0


def scaled(value: Any) -> Any:
    return FACTOR * value


def backward(state: dict[str, Any]) -> dict[str, Any]:
    return {"C": scaled(state["C"])}


@pytest.fixture
def training(student: Student) -> FakeTraining:
    student.fake.before = FakeTraining()
    return student.fake.before


@pytest.fixture
def exercise(student: Student, training: FakeTraining, monkeypatch: pytest.MonkeyPatch) -> notebook.NotebookExercise:
    student.join()
    monkeypatch.setenv("DOJO_CONFIG_DIR", str(student.config))
    opened = notebook.exercise(SLUG, network=student.fake.network)
    student.capture.readouterr()
    return opened


def test_a_function_goes_along_with_what_it_needs(
    exercise: notebook.NotebookExercise, training: FakeTraining, capsys: pytest.CaptureFixture[str]
) -> None:
    exercise.train(backward, steps=10_000, batch=16, lr={0: 0.2, 5000: 0.02}, rank="Doge")

    (asked,) = training.sources
    names: dict[str, Any] = {}
    exec(asked["source"], names)
    assert names["backward"]({"C": 21}) == {"C": 42}
    assert "pytest" not in asked["source"]
    assert (asked["steps"], asked["batch"], asked["pseudonym"]) == (10_000, 16, "Doge")
    assert asked["schedule"] == [[0, 0.2], [5000, 0.02]]
    assert exercise.run is not None and exercise.run.status == "done"
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "step 0 of 10,000"
    assert "step 5,000 of 10,000 | loss 2.2091 | 10 s left" in lines
    assert lines[-1] == f"Names that your network makes up: {', '.join(NAMES)}"


def test_an_interrupted_cell_leaves_the_run(
    exercise: notebook.NotebookExercise, training: FakeTraining, capsys: pytest.CaptureFixture[str]
) -> None:
    training.interrupts_after = 2
    exercise.train(backward)
    assert capsys.readouterr().out.splitlines()[-1] == trainer.COME_BACK

    training.interrupts_after = None
    exercise.train()
    assert exercise.run is not None and exercise.run.status == "done"


def test_a_run_is_cancelled(
    exercise: notebook.NotebookExercise, training: FakeTraining, capsys: pytest.CaptureFixture[str]
) -> None:
    exercise.cancel_training()
    assert "ex.train(backward)" in capsys.readouterr().out
    training.interrupts_after = 1
    exercise.train(backward)
    exercise.cancel_training()
    assert training.runs[0]["status"] == "cancelled"


def test_what_is_no_backward_is_told(
    exercise: notebook.NotebookExercise, training: FakeTraining, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_argument() -> None:
        """Nothing."""

    for wrong in (no_argument, print, 5):
        exercise.train(wrong)  # type: ignore[arg-type]
        assert "def backward(state)" in capsys.readouterr().out
    exercise.train(backward, lr="fast")  # type: ignore[arg-type]
    assert "lr=0.1" in capsys.readouterr().out
    assert not training.sources


def test_of_the_cells_that_were_run_the_last_function_counts() -> None:
    cells = [
        "%load_ext dojo",
        "import torch.nn.functional as F\nimport pandas",
        "def backward(state):\n    return 1",
        "plt.plot([1])",
        "K = 3",
        "def backward(state):\n    return {'C': K * F.relu(state['C'])}",
        "dC = torch.zeros(3)\ncmp('C', dC, C)",
        "def unfinished(",
    ]

    source = slice_function(cells, "backward").source

    assert source.count("def ") == 1 and "K = 3" in source and "F.relu" in source
    assert not any(word in source for word in ("pandas", "plt", "cmp", "unfinished", "%load_ext", "return 1"))


def test_a_function_of_another_name_is_called() -> None:
    names: dict[str, Any] = {}

    exec(slice_function(["def mine(s):\n    return s + 1"], "mine").source, names)

    assert names["backward"](1) == 2


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (["def backward(state):\n    return {'C': h.T}"], 'h = state["h"]'),
        (["def backward(state):\n    return helper(state)"], "helper"),
        (["from mine import helper", "def backward(state):\n    return helper(state)"], "mine"),
        (["x = open('a').read()", "def backward(state):\n    return x"], "file"),
        (["y = 1"], "Write it in a cell"),
    ],
)
def test_what_cannot_go_along_is_told(cells: list[str], told: str) -> None:
    with pytest.raises(BadFile) as error:
        slice_function(cells, "backward")

    assert told in str(error.value)


def test_a_rate_is_read_in_every_form() -> None:
    forms: tuple[Any, ...] = ({0: 0.1, 9: 0.01}, [(0, 0.1), (9, 0.01)], [[9, 0.01], [0, 0.1]])

    assert {trainer.schedule_of(form) for form in forms} == {((0, 0.1), (9, 0.01))}
    assert (trainer.schedule_of(1), trainer.schedule_of(None)) == (((0, 1.0),), None)
    with pytest.raises(errors.BadFile):
        trainer.schedule_of("0.1")  # type: ignore[arg-type]


class Handle:
    """What IPython's ``display`` gives back."""

    def __init__(self, shown: list[Any]) -> None:
        self.shown = shown

    def update(self, content: Any, raw: bool) -> None:
        assert raw
        self.shown.append(content)


def test_a_notebook_draws_the_curve_anew_in_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Any] = []
    redrawn: list[Any] = []

    def display(content: Any, raw: bool, display_id: bool) -> Handle:
        assert raw and display_id
        begun.append(content)
        return Handle(redrawn)

    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=display))
    live = training_html.LiveRun()
    for step in (0, 5000, 10_000):
        live.update(_run(step))

    assert len(begun) == 1 and len(redrawn) == 2
    assert "<svg" in redrawn[-1]["text/html"]
    assert "step 10,000 of 20,000" in redrawn[-1]["text/plain"]
    assert len(redrawn[-1]["text/html"]) > len(begun[0]["text/html"])


def test_the_picture_says_what_it_shows_and_escapes_what_came_from_elsewhere() -> None:
    shown = training_html.run_html(_run(10_000, message="<b>no</b>", samples=["<i>"]))

    assert 'aria-label="Loss 3.3000 at step 0, 2.1571 at step 10,000 of 20,000.' in shown
    assert shown.count("stroke-dasharray") == 1
    assert "<b>no</b>" not in shown and "<i>" not in shown


def _run(step: int, **changed: Any) -> Any:
    body = {"id": 1, "status": "running", "step": step, "steps": 20_000, "curve": curve(step)}
    return read_training_run(body | {"reference_curve": curve(step)} | changed)
