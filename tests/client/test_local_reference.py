"""The gradients on the student's own machine: those of the server, and no program of a server is run."""

from __future__ import annotations

import json
import math

import pytest
import torch
from torch import Tensor

from dojo import local_reference
from dojo.api.responses import Checkpoint
from dojo.files.workspace import Workspace, open_workspace
from dojo.local_reference import ATTRIBUTES, LocalReference, NoLocalReference, checked_statements, compare, gradients
from exercises import registry
from exercises.instance import Instance
from exercises.language.operations import SPELLINGS
from exercises.registry import find
from grader.answer import normalise
from grader.compare import compare as servers_compare
from grader.reference.gradients import reference
from tests.client.fake import FORWARD, FakeDojo, expected, state

SLUGS = sorted(registry.exercises())
RIGHT = torch.tensor([[1.0, -2.0, 3.0]])
ANSWERS = {
    "exact": RIGHT.clone(),
    "approximate": RIGHT * (1 + 1e-6),
    "wrong": RIGHT * 2,
    "one for all": torch.tensor(1.0),
    "too many rows": RIGHT.repeat(4, 1),
    "another shape": torch.ones(2, 2),
    "nothing in it": torch.ones(0, 3),
    "float64": RIGHT.double(),
    "float16": RIGHT.half(),
    "integers": RIGHT.long(),
    "complex": RIGHT.to(torch.complex64),
    "NaN": RIGHT * math.nan,
    "infinite": RIGHT / 0,
}


@pytest.mark.parametrize("slug", SLUGS)
def test_gradients_are_the_servers_to_the_last_bit(slug: str) -> None:
    exercise = find(slug)
    instance = Instance.canonical(exercise)
    names = [checkpoint.name for checkpoint in exercise.checkpoints]
    variables = {
        name: int(each) if each.dim() == 0 and each.dtype == torch.int64 else each
        for name, each in instance.tensors().items()
    }

    with torch.no_grad():
        found = gradients(exercise.forward.text, variables, names)

    right = reference(instance).gradients
    assert {name: torch.equal(found[name], right[name]) for name in names} == dict.fromkeys(names, True)


def test_every_operation_of_the_language_is_known_here() -> None:
    """The client cannot import the language, so it has the names once more."""
    assert {part for spelling in SPELLINGS for part in spelling.split(".")[1:]} - ATTRIBUTES == set()


@pytest.mark.parametrize("case", ANSWERS)
def test_rows_are_the_servers(case: str) -> None:
    row = compare("h", ANSWERS[case], RIGHT)

    theirs = servers_compare("h", normalise(ANSWERS[case]), RIGHT)
    assert (row.exact, row.approximate, row.verdict) == (theirs.exact, theirs.approximate, theirs.verdict.value)
    assert row.maxdiff == theirs.maxdiff or row.verdict == "not_finite"


def test_a_step_without_an_answer_is_missing() -> None:
    assert compare("h", None, RIGHT).verdict == "missing"


def test_a_local_mistake_claims_no_origin() -> None:
    row = compare("h", RIGHT * 2, RIGHT)

    assert row.is_unclear
    assert not row.own_mistake
    assert row.remarks() == ()


@pytest.mark.parametrize(
    "line",
    [
        "import os",
        "loss = __import__('os')",
        "loss = logits.__class__",
        "loss = logits.numpy()",
        "loss = torch.load('x')",
        "loss = torch.hub.load('x')",
        "loss = open('x')",
        "loss = eval('1')",
        "loss = (lambda: 1)()",
        "loss = [each for each in logits]",
        "loss = f'{logits}'",
        "loss = logits.sum() if n else 1",
        "loss = 9 ** 999999",
        "loss = n ** n",
        "loss = (counts := logits)",
        "logits.data = 1",
        "logits[0] = 1",
        "torch = logits",
        "range = logits",
        "__builtins__ = logits",
        "loss = unknown.sum()",
        "loss = _hidden",
        "_hidden = logits",
        "loss = logits(1)",
        "loss = torch(1)",
        "loss = logits.sum(b'x')",
        "loss = logits ** 17",
        "loss = logits ** True ** n",
        "a = loss = logits",
        "a, logits.data = logits",
        "loss: int = logits",
        "loss = logits.sum(*logits)",
        "loss = {}",
        "loss = lambda: 1",
        "loss = await logits",
        "for each in logits: loss = each",
        "def f(): pass",
        "loss = (",
        "loss = logits['a'](b'c')",
        "",
        "#" * 70_000,
    ],
)
def test_a_program_is_refused_before_anything_is_played(line: str) -> None:
    with pytest.raises(NoLocalReference, match="cannot be played"):
        checked_statements(line, [*variables(), "_hidden"])


def test_a_forward_pass_with_a_program_in_it_is_not_played_at_all() -> None:
    with pytest.raises(NoLocalReference, match=r"line 3 holds what is not known here"):
        gradients(f"{FORWARD}\nx = torch.load('x')", variables(), ["logits"])


@pytest.mark.parametrize("line", ["loss = logits", "loss = n", "x = logits", "loss = logits @ logits"])
def test_what_fails_while_it_is_played_is_explained(line: str) -> None:
    with pytest.raises(NoLocalReference, match="it ends with"):
        gradients(line, variables(), ["logits"])


@pytest.mark.parametrize("line", ["x = logits ** 16", "x = (logits + 1e-5) ** -0.5", "x = logits[range(n), Yb]"])
def test_a_line_of_a_forward_pass_is_taken(line: str) -> None:
    assert len(checked_statements(line, variables())) == 1


def test_a_step_off_the_way_to_the_loss_is_explained() -> None:
    with pytest.raises(NoLocalReference, match="does not lead to the loss"):
        gradients("loss = logits.sum()", variables(), ["counts"])


def test_several_names_may_be_made_at_once() -> None:
    found = gradients("a, b = logits.split(1)\nloss = (a * 2 + b).sum()", variables(), ["a", "b"])

    assert found["a"].tolist() == [[2.0, 2.0, 2.0]]


def test_the_state_is_not_touched() -> None:
    given = variables()
    gradients(FORWARD, given, ["logits"])

    assert isinstance(given["logits"], Tensor)
    assert not given["logits"].requires_grad


def test_a_grade_has_a_row_for_each_step(fake: FakeDojo, workspace: Workspace) -> None:
    checkpoints = tuple(Checkpoint(name) for name in expected())

    grade = LocalReference(workspace).grade(checkpoints, {"dlogits": expected()["logits"]})

    assert [row.verdict for row in grade.rows] == ["missing", "exact"]
    assert grade.environment == local_reference.ENVIRONMENT


def test_the_folder_holds_no_more_than_the_statement_shows(workspace: Workspace) -> None:
    shown = (workspace.folder / "exercise.md").read_text()

    assert workspace.forward == FORWARD
    assert FORWARD in shown


def test_a_folder_of_an_earlier_version_has_no_forward_pass(workspace: Workspace) -> None:
    marker = workspace.folder / ".dojo.json"
    content = json.loads(marker.read_text())
    del content["forward"]
    marker.write_text(json.dumps(content))

    assert open_workspace(workspace.folder).forward == ""


def variables() -> dict[str, object]:
    return state() | {"n": 2}
