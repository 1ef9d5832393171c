"""Rules that stand on both sides of HTTP: what the client makes of a file, the sandbox makes of it too."""

from __future__ import annotations

import json
from typing import Any

import pytest
import safetensors.torch
import torch

from dojo.api.http import ADVICE, PROBLEM
from dojo.api.server import UNKNOWN_EXERCISE, close_to
from dojo.api.training import TrainingPlan, read_training_run
from dojo.commands.next_step import TRAINING
from dojo.notebook_slice import Goal, read_cells, slice_notebook
from dojo.notebook_slice.callables import GRADER_MODULES
from dojo.notebook_slice.indentation import reindented
from dojo.notebook_slice.kinds import STAND_IN_MODULES
from exercises import registry
from grader.sandbox import Job, Run, RunStatus, Sandbox, Slot
from grader.sandbox.child.notebook import PLOTTING, PROGRESS
from server.assignments.assignment import NotAssigned
from server.assignments.exercises import UnknownExercise
from server.courses.access import UnknownCourse
from server.http.problems import Problem
from server.submissions.access import UnknownSubmission
from server.tables import RunState, TrainingRunRow
from server.training import runs
from server.training.run import TrainingRun
from server.training.runs import UnknownRun
from server.training.schemas import TrainingOrderBody, TrainingRunBody
from tests.client.notebooks import notebook

STATE = safetensors.torch.save({"h": torch.ones(2), "C": torch.ones(2), "n": torch.tensor(2)})

# Texts in which every run of spaces became one, as some programs leave them.
FLAT = {
    "a loop in a loop": "for i in range(2):\n for j in range(2):\n print(i, j)\n",
    "three loops": "for i in 'ab':\n for j in 'ab':\n for k in 'ab':\n print(i, j, k)\n",
    "a blank line ends the block": "for i in range(2):\n for j in range(2):\n print(j)\n\n print('out')\n",
    "the margin ends the block": "for i in range(2):\n for j in range(2):\n print(j)\nprint('out')\n",
    "an else": "def f(x):\n if x:\n print(1)\n else:\n print(2)\nf(0)\nf(1)\n",
    "an elif": "def f(x):\n if x == 1:\n print(1)\n elif x == 2:\n print(2)\nf(1)\nf(2)\n",
    "a finally": "def f():\n try:\n print(1)\n finally:\n print(2)\nf()\n",
    "an except": "def f():\n try:\n 1 / 0\n except ZeroDivisionError:\n print(2)\nf()\n",
    "a comment above the block": "for i in range(2):\n for j in range(2):\n # each\n print(j)\n",
    "nothing is lost": "for i in range(2):\n    print(i)\n",
    "a block at the margin": "for i in range(2):\nprint(i)\n",
    "no block at all": "def f():\n for i in range(2):\n",
    "another mistake": "def f(x):\n print(x\n",
    "too deep": "print(1)\n  print(2)\n",
}

# A student's own function that compares, and calls of it for dh and dC.
COMPARERS = {
    "cmp": "def cmp(s, dt, t):\n    print(s, torch.all(dt == t.grad).item())\ncmp('h', dh, h)\ncmp('C', dC, C)",
    "another name": "def check(s, dt, t):\n    print(torch.allclose(dt, t.grad))\ncheck('h', dh, h)\ncheck('C', dC, C)",
    "another order": "def check(t, dt, s):\n    print(s, (dt - t.grad).max())\ncheck(h, dh, 'h')\ncheck(C, dC, 'C')",
    "a lambda": "check = lambda s, dt, t: print(s, dt - t.grad)\ncheck('h', dh, h)\ncheck('C', dC, C)",
}


@pytest.mark.parametrize("typed", ["makemore/full-backwrad", "full-backward", "basics/chain", "x/nothing"])
def test_both_know_the_same_exercises_like_an_unknown_one(typed: str) -> None:
    assert close_to(typed, registry.exercises()) == registry.close_to(typed, registry.exercises())


def test_advice_is_for_problems_of_the_server() -> None:
    kinds: set[type[Problem]] = {UnknownCourse, UnknownExercise, UnknownSubmission, UnknownRun, NotAssigned}

    assert ADVICE.keys() == {kind.slug for kind in kinds}
    assert [kind.removeprefix(PROBLEM) for kind in UNKNOWN_EXERCISE] == [UnknownExercise.slug, NotAssigned.slug]


def run(sandbox: Sandbox, source: str) -> Run:
    return sandbox.run(Job(source, "solution.py", STATE, (Slot("h", 64), Slot("C", 64))))


@pytest.mark.parametrize("case", FLAT)
def test_both_repairs_of_lost_indentation_agree(sandbox: Sandbox, case: str) -> None:
    repaired = reindented(FLAT[case])

    as_it_is = run(sandbox, FLAT[case])

    if repaired is None:
        assert as_it_is.status == RunStatus.ERROR
        assert "IndentationError" in as_it_is.message or "SyntaxError" in as_it_is.message
    else:
        assert as_it_is.status == RunStatus.OK
        assert as_it_is.stdout == run(sandbox, repaired).stdout != ""


@pytest.mark.parametrize("case", COMPARERS)
def test_both_replacements_of_cmp_agree(sandbox: Sandbox, case: str) -> None:
    cells = ("dh = h * 2\ndC = C * 3", COMPARERS[case], "dC = None")
    goal = Goal(("h", "C"), frozenset({"h", "C", "n"}))
    sliced = slice_notebook(read_cells(notebook(*cells)["cells"]), goal)

    whole, slice_ = run(sandbox, "\n".join(cells[:2])), run(sandbox, sliced.source)

    assert whole.status == slice_.status == RunStatus.OK
    for name, expected in (("h", torch.full((2,), 2.0)), ("C", torch.full((2,), 3.0))):
        assert torch.equal(_tensor(whole, name), expected)
        assert torch.equal(_tensor(slice_, name), expected)


# Calls of cmp, after dh = h * 2 and dC = C * 3, and the checkpoint that each is about.
CALLS = {
    "the lecture's": ("cmp('h', dh, h)", "h"),
    "a copied label": ("cmp('h', dC, C)", "C"),
    "a sentence for a label": ("cmp('the first one', dh, h)", "h"),
    "swapped arguments": ("cmp('C', C, dC)", "C"),
    "no label": ("cmp(dh, h)", "h"),
    "another tensor": ("cmp('h', dh, ones)", "h"),
    "a copied label, another order": ("def see(s, t, dt):\n    print(s, t.grad - dt)\nsee('h', C, dC)", "C"),
}


@pytest.mark.parametrize("case", CALLS)
def test_both_sides_know_what_is_compared(sandbox: Sandbox, case: str) -> None:
    call, checkpoint = CALLS[case]
    before = "one = h * 2\ntwo = C * 3\nones = torch.ones(2)\n"
    call = call.replace("dh", "one").replace("dC", "two")
    goal = Goal(("h", "C"), frozenset({"h", "C", "n"}))

    sliced = slice_notebook(read_cells(notebook(before, call)["cells"]), goal)
    whole, part = run(sandbox, before + call), run(sandbox, sliced.source)

    for each in (whole, part):
        assert [name for name, answer in each.answers.items() if answer.tensor is not None] == [checkpoint], each


def test_both_sides_have_the_same_stand_ins(sandbox: Sandbox) -> None:
    for module in sorted(STAND_IN_MODULES):
        assert run(sandbox, f"import {module}").status == RunStatus.OK, module
    assert {*PLOTTING, PROGRESS} == STAND_IN_MODULES


def test_what_the_client_takes_for_importable_is_there(sandbox: Sandbox) -> None:
    lines = "\n".join(f"import {module}" for module in sorted(GRADER_MODULES - {"__future__"}))
    assert run(sandbox, lines).status == RunStatus.OK, run(sandbox, lines).message
    assert run(sandbox, "import einops").status == RunStatus.ERROR


def _tensor(run: Run, name: str) -> torch.Tensor:
    tensor = run.answers[name].tensor
    assert tensor is not None
    return tensor


def test_the_client_trains_with_the_exercise_that_the_server_trains_with() -> None:
    assert TRAINING == runs.EXERCISE


@pytest.mark.parametrize(
    "values", [{}, {"pseudonym": "Doge", "ranked": True, "samples": ["mona"]}, {"train_loss": None}]
)
def test_a_run_that_the_server_sends_is_read(values: dict[str, Any]) -> None:
    row: dict[str, Any] = {"id": 3, "course_id": 1, "account_id": 1, "filename": "a.py", "body": b"", "seed": 1}
    row |= {
        "steps": 100,
        "batch": 32,
        "schedule": [[0, 0.1], [50, 0.01]],
        "dataset": "",
        "chunk_steps": 10,
        "step": 100,
    }
    row |= {"curve": [[0, 3.3], [100, float("inf")]], "step": 100, "state": RunState.DONE}
    sent = TrainingRunBody.of(TrainingRun.of(TrainingRunRow(**row, **({"train_loss": 2.0, "dev_loss": 2.1} | values))))

    run = read_training_run(json.loads(sent.model_dump_json()))

    assert (run.status, run.step, run.steps, run.checked) == ("done", 100, 100, "no")
    assert run.curve == [(0, 3.3), (100, None)]
    assert run.losses == (None if "train_loss" in values else (2.0, 2.1))
    assert run.samples == tuple(values.get("samples", ()))


def test_a_plan_that_the_client_sends_is_read() -> None:
    plan = TrainingPlan(steps=100, batch=16, schedule=((0, 0.2), (50, 0.02)), pseudonym="Doge")

    order = TrainingOrderBody.model_validate_json(json.dumps(plan.body("mine.py", "x"))).order

    assert order.schedule is not None and [tuple(each) for each in order.schedule] == list(plan.schedule or ())
    assert (order.filename, order.steps, order.batch, order.ranked, order.pseudonym) == (
        "mine.py",
        100,
        16,
        True,
        "Doge",
    )
    assert TrainingOrderBody.model_validate(TrainingPlan().body("mine.py", "x")).order.schedule is None
