"""Every exercise that is a folder of data: it loads, what its author wrote is true, and mistakes are caught in it."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import exercises
from exercises import folder
from exercises.exercise import Exercise
from exercises.folder import EXERCISE_FILE, PACK_FILE
from exercises.instance import Instance, Kind
from exercises.tape import variables
from grader.answer import normalise
from grader.compare import Origin, Verdict
from grader.diagnosis.case import Case
from grader.diagnosis.hypotheses.positions import misread_indices, other_indices
from grader.grade import compare_all
from grader.origin.backward_replay import replay_backward
from grader.reference.gradients import reference
from tests.exercises.packs import mistakes
from tests.mistakes.play import play

ROOT = Path(exercises.__file__).parent
PACKS = sorted(path.parent for path in ROOT.glob(f"*/{PACK_FILE}"))
FOLDERS = sorted(path.parent for path in ROOT.glob(f"*/*/{EXERCISE_FILE}"))
POLISHED = [path for path in FOLDERS if path.parent.name in ("basics", "puzzles", "classics")]
SEEDS = (0, 1, 2)
MISTAKES = mistakes.load()
MISTAKES_MIN = 3  # of each exercise
WORDS_MAX = 25  # in a sentence


def _slug(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


every_folder = pytest.mark.parametrize("path", FOLDERS, ids=_slug)
every_polished = pytest.mark.parametrize("path", POLISHED, ids=_slug)


@cache
def load(path: Path) -> Exercise:
    return folder.load(path, path.parent.name)


@cache
def instance(path: Path, seed: int) -> Instance:
    return Instance.draw(load(path), seed, Kind.HIDDEN)


@cache
def gradients(path: Path, seed: int) -> dict[str, Tensor]:
    return load(path).played(instance(path, seed).tensors()).gradients()


def sentences(text: str) -> list[str]:
    """Return the sentences of a text; code counts as one word."""
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL).replace("\n\n", ". ")
    plain = re.sub(r"`[^`]+`(, \[[\d, ]+\])?", "code", " ".join(re.sub(r"^(#.*|- )", ". ", prose, flags=re.M).split()))
    return re.split(r"[.:;?!] ", plain)


@pytest.mark.parametrize("path", PACKS, ids=lambda path: path.name)
def test_a_pack_lists_its_exercises(path: Path) -> None:
    pack = folder.load_pack(path)

    listed = {each.slug for each in pack.exercises}
    assert listed == {_slug(each).replace("_", "-") for each in FOLDERS if each.parent == path}
    assert pack.title and pack.summary and pack.licence


def test_no_two_exercises_are_pulled_into_one_folder() -> None:
    names = [path.name.replace("_", "-") for path in FOLDERS]

    assert sorted(set(names)) == sorted(names)


@every_folder
@pytest.mark.parametrize("seed", SEEDS)
def test_the_solution_is_right(path: Path, seed: int) -> None:
    """In the polished packs none needs the verdict ``rounding``: given gradients and losses are small enough."""
    accepted = {Verdict.EXACT, Verdict.APPROXIMATE} | ({Verdict.ROUNDING} if path not in POLISHED else set())

    rows = play(instance(path, seed), load(path).solution)

    assert [(row.name, row.verdict.value) for row in rows if row.verdict not in accepted] == []


@every_polished
@pytest.mark.parametrize("seed", SEEDS)
def test_the_code_of_a_derivation_gives_the_right_gradient(path: Path, seed: int) -> None:
    """Each line reads the right gradients of the steps above it, as a student does who passed those."""
    right = gradients(path, seed)
    given: dict[str, Any] = {"torch": torch, "F": F} | variables(instance(path, seed).tensors())
    above: dict[str, Any] = {}

    for checkpoint in load(path).checkpoints:
        namespace = given | above
        exec(load(path).derivations[checkpoint.name].code, namespace)
        gradient = namespace[checkpoint.answer]
        assert gradient.shape == right[checkpoint.name].shape, checkpoint.name
        assert torch.allclose(gradient, right[checkpoint.name]), checkpoint.name
        above[checkpoint.answer] = right[checkpoint.name]


@every_polished
def test_a_derivation_says_what_is_true(path: Path) -> None:
    """It quotes lines of the forward pass, and names the shapes of tensors."""
    exercise, state = load(path), instance(path, 0).tensors()

    assert list(exercise.derivations) == [checkpoint.name for checkpoint in exercise.checkpoints]
    for name, derivation in exercise.derivations.items():
        after_code = derivation.result.removeprefix(f"`{derivation.code}`: ")
        assert after_code.startswith(str(list(state[name].shape))), name
        said = derivation.upstream + derivation.local
        for code in re.findall(r"`([^`]+ = [^`]+)`", said):
            assert code in exercise.lines.values(), name
        for variable, shape in re.findall(r"`d(\w+)`, (\[[\d, ]+\])", said):
            tensor = state[variable] if variable in state else state["d" + variable]
            assert shape == str(list(tensor.shape)), name
        assert [each for line in derivation.lines for each in sentences(line) if len(each.split()) > WORDS_MAX] == []


@every_polished
def test_a_statement_names_what_is_given_with_its_shape(path: Path) -> None:
    exercise, state = load(path), instance(path, 0).tensors()
    named = dict(re.findall(r"`(\w+)`, (\[[\d, ]+\])", exercise.statement))

    assert named
    for name, shape in named.items():
        assert shape == str(list(state[name].shape)), name
    for name in exercise.given(state):
        assert f"`{name}`" in exercise.statement, name


@every_polished
def test_the_texts_are_short_and_give_no_answer_away(path: Path) -> None:
    exercise = load(path)
    answers = {ast.unparse(each) for each in ast.parse(exercise.solution).body if isinstance(each, ast.Assign)}

    for text in (exercise.statement, *exercise.hints.values()):
        assert [each for each in sentences(text) if len(each.split()) > WORDS_MAX] == []
        assert [answer for answer in answers if answer.partition(" = ")[2] in text] == []
        assert not re.search(r"\bd\w+ =", text)


@every_polished
def test_what_vanishes_is_declared(path: Path) -> None:
    for seed in SEEDS:
        for name, gradient in gradients(path, seed).items():
            if name in {checkpoint.name for checkpoint in load(path).checkpoints}:
                is_zero = bool(torch.allclose(torch.zeros_like(gradient), gradient, atol=1e-7))
                assert is_zero == (name in load(path).vanishing), name


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_a_mistake_is_caught_at_its_step(mistake: mistakes.Mistake) -> None:
    path = ROOT / mistake.exercise

    rows = play(instance(path, 0), mistake.made_in(load(path).solution))

    assert [row.name for row in rows if not row.passed and row.origin is not Origin.INHERITED] == [mistake.first]
    (row,) = [row for row in rows if row.name == mistake.first]
    kinds = {diagnosis.code for diagnosis in row.diagnosis}
    assert kinds & mistake.codes or not mistake.codes, kinds


@every_polished
def test_mistakes_are_listed(path: Path) -> None:
    assert len([each for each in MISTAKES if each.exercise == _slug(path)]) >= MISTAKES_MIN


@pytest.mark.parametrize("name", ["puzzles/gather", "puzzles/unfold", "puzzles/transpose"])
def test_elements_that_are_taken_are_not_read_as_rows(name: str) -> None:
    """A hypothesis about tables of rows has nothing to say here, and does not fail."""
    known = instance(ROOT / name, 0)
    right = reference(known).gradients["x"]
    handed_in = {"x": right + right.abs().max()}
    rows = compare_all(known, {"x": normalise(handed_in["x"])})
    case = Case(known, "x", handed_in["x"], replay_backward(reference(known), handed_in, rows))

    assert [*other_indices(case), *misread_indices(case)] == []
