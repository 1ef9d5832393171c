"""The answer key is a right answer, and the derivations written from it are short, true and executable."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as functional

from author.derive.key import answer_key, derivation_of, derivations_of
from exercises.exercise import Exercise
from exercises.instance import Instance
from exercises.registry import find
from exercises.tape import variables

NAMES = ["full-backward", "cross-entropy", "batch-norm"]
WORDS_MAX = 25


@pytest.fixture(params=NAMES)
def exercise(request: pytest.FixtureRequest) -> Exercise:
    """An exercise whose author wrote no derivations."""
    return replace(find(f"makemore/{request.param}"), derivations={})


def test_the_key_sets_every_answer(exercise: Exercise) -> None:
    state = Instance.canonical(exercise).tensors()
    namespace = {"torch": torch, "F": functional, **variables(state)}

    exec(answer_key(exercise), namespace)

    gradients = exercise.played(state).gradients()
    assert all(torch.equal(namespace[each.answer], gradients[each.name]) for each in exercise.checkpoints)


def test_the_code_of_each_derivation_gives_its_gradient(exercise: Exercise) -> None:
    state = Instance.canonical(exercise).tensors()
    gradients = exercise.played(state).gradients()
    namespace = {"torch": torch, "F": functional, **variables(state)}

    derivations = derivations_of(exercise)

    assert list(derivations) == [each.name for each in exercise.checkpoints]
    for name, derivation in derivations.items():
        exec(derivation.code, namespace)
        assert torch.equal(namespace[f"d{name}"], gradients[name])
        assert derivation.result.removeprefix(f"`{derivation.code}`: ").startswith(f"{list(state[name].shape)}. ")


def test_a_derivation_names_the_lines_and_shapes_of_the_forward_pass(exercise: Exercise) -> None:
    state = Instance.canonical(exercise).tensors()

    for derivation in derivations_of(exercise).values():
        for code in re.findall(r"`([^`]+ = [^`]+)`", derivation.upstream):
            assert code in exercise.lines.values()
        for name, shape in re.findall(r"`d(\w+)`, (\[[\d, ]*\])", derivation.upstream):
            assert str(list(state[name].shape)) == shape


def test_no_sentence_of_a_derivation_is_long(exercise: Exercise) -> None:
    for derivation in derivations_of(exercise).values():
        text = re.sub(r"`[^`]+`", "code", " ".join(derivation.lines))
        assert [each for each in re.split(r"[.:] ", text) if len(each.split()) > WORDS_MAX] == []


def test_the_authors_text_comes_first() -> None:
    exercise = find("makemore/full-backward")

    assert derivation_of(exercise, "h") == exercise.derivations["h"]
    assert derivation_of(replace(exercise, derivations={}), "h") == derivations_of(exercise)["h"]
    assert derivation_of(exercise, "loss") is None
