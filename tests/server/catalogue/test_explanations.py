"""A step is explained once it passed, in the exercise's own words."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from exercises.exercise import Checkpoint
from exercises.folder import GivenNumbers
from exercises.language import reader
from exercises.language.given import read as read_given
from exercises.registry import find
from server.catalogue.explanations import UnknownCheckpoint, of
from tests.support.servers import EXERCISES, FULL, RunningServer, Student, gradients, is_problem

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


def explanation(checkpoint: str, exercise: str = FULL) -> str:
    return f"{EXERCISES}/{exercise}/checkpoints/{checkpoint}/explanation"


def pass_step(student: Student, variable: str) -> None:
    submitted = student.submit_tensors({variable: gradients(student.state())[variable]})
    assert submitted.status_code == 201


@on_sqlite
def test_a_passed_step_is_explained(server: RunningServer) -> None:
    student = server.join()
    pass_step(student, "dbngain")

    answer = student.get(explanation("bngain"))

    assert answer.status_code == 200
    assert answer.json() == {"checkpoint": "bngain", "lines": list(find(FULL).derivations["bngain"].lines)}


@on_sqlite
def test_a_step_that_has_not_passed_is_not_explained(server: RunningServer) -> None:
    student = server.join()
    pass_step(student, "dbngain")
    assert student.submit_tensors({"dbnbias": torch.ones(1, 64)}).status_code == 201

    for checkpoint in ("bnbias", "h"):  # one wrong, one not handed in
        answer = student.get(explanation(checkpoint))
        assert is_problem(answer, 403)
        assert answer.json()["detail"] == f"A step is explained once you have passed it. Hand in d{checkpoint} first."


@on_sqlite
def test_what_one_student_passed_is_not_explained_to_another(server: RunningServer) -> None:
    pass_step(server.join("Ada"), "dbngain")

    assert server.join("Bob").get(explanation("bngain")).status_code == 403


@on_sqlite
def test_staff_read_every_explanation(server: RunningServer) -> None:
    for checkpoint in find(FULL).checkpoints:
        answer = server.instructor.get(explanation(checkpoint.name))
        assert answer.status_code == 200
        assert len(answer.json()["lines"]) == 3


@on_sqlite
def test_a_name_that_is_no_step_is_404(server: RunningServer) -> None:
    for person in (server.join(), server.instructor):
        for name in ("loss", "nonsense", "dh"):
            assert is_problem(person.get(explanation(name)), 404)


def test_a_step_without_a_text_is_explained_by_derived_lines() -> None:
    derivation = of(replace(find(FULL), derivations={}), "bngain")

    assert derivation.result.startswith("`dbngain = (dhpreact * bnraw).sum(0, keepdim=True)`: [1, 64].")


def test_a_step_without_text_and_rule_says_so() -> None:
    given = {"x": torch.ones(2, 2, requires_grad=True)}
    exercise = replace(
        find(FULL),
        derivations={},
        checkpoints=(Checkpoint("x"),),
        forward=reader.read("y = torch.matrix_exp(x)\nloss = y.sum()", given),
        numbers=GivenNumbers(read_given("x = param(2, 2)")),
    )

    with pytest.raises(UnknownCheckpoint, match="has no text that explains x"):
        of(exercise, "x")
