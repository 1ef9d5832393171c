"""A derivation is shown as the truth: its code is executed, and its shapes and line are those of the forward pass."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from exercises import derivations
from exercises.errors import PackError
from exercises.exercise import Exercise
from exercises.instance import Instance, Kind
from exercises.registry import exercises
from exercises.tape import variables

WORDS_MAX = 25

every_exercise = pytest.mark.parametrize("exercise", exercises().values(), ids=lambda exercise: exercise.slug)


def texts() -> Iterator[tuple[str, str]]:
    """Yield each line of each derivation, with a name for it."""
    for exercise in exercises().values():
        for name, derivation in exercise.derivations.items():
            yield from ((f"{exercise.slug} {name}", line) for line in derivation.lines)


def sentences(text: str) -> list[str]:
    """Return the sentences of a line; code counts as one word."""
    plain = re.sub(r"`[^`]+`", "code", text)
    return [sentence for sentence in re.split(r"[.:;] |\.$", plain) if sentence]


@every_exercise
def test_each_checkpoint_has_a_derivation(exercise: Exercise) -> None:
    assert list(exercise.derivations) == [checkpoint.name for checkpoint in exercise.checkpoints]


@every_exercise
@pytest.mark.parametrize("seed", [3, 4])
def test_the_code_of_a_derivation_gives_the_right_gradient(exercise: Exercise, seed: int) -> None:
    """Each line reads the right gradients of the steps above it, as a student does who passed those."""
    instance = Instance.draw(exercise, seed, Kind.HIDDEN)
    right = exercise.played(instance.tensors()).gradients()
    given = {"torch": torch, "F": F} | variables(instance.tensors())
    above: dict[str, Any] = {}

    for checkpoint in exercise.checkpoints:
        namespace = given | above
        exec(exercise.derivations[checkpoint.name].code, namespace)
        gradient = namespace[checkpoint.answer]
        assert gradient.shape == right[checkpoint.name].shape, checkpoint.name
        assert torch.allclose(gradient, right[checkpoint.name]), checkpoint.name
        above[checkpoint.answer] = right[checkpoint.name]


@every_exercise
def test_the_result_names_the_shape_of_the_gradient(exercise: Exercise) -> None:
    state = Instance.canonical(exercise).tensors()
    for name, derivation in exercise.derivations.items():
        after_code = derivation.result.removeprefix(f"`{derivation.code}`: ")
        assert after_code.startswith(str(list(state[name].shape))), name


@every_exercise
def test_a_line_that_is_quoted_is_one_of_the_forward_pass(exercise: Exercise) -> None:
    for name, derivation in exercise.derivations.items():
        for code in re.findall(r"`([^`]+ = [^`]+)`", derivation.upstream + derivation.local):
            assert code in exercise.lines.values(), name


@every_exercise
def test_the_shape_of_what_flows_in_is_right(exercise: Exercise) -> None:
    state = Instance.canonical(exercise).tensors()
    for name, derivation in exercise.derivations.items():
        for variable, shape in re.findall(r"`d(\w+)`, (\[[\d, ]+\])", derivation.upstream):
            assert shape == str(list(state[variable].shape)), name


@pytest.mark.parametrize(("name", "line"), list(texts()))
def test_no_sentence_of_a_derivation_is_long(name: str, line: str) -> None:
    assert [sentence for sentence in sentences(line) if len(sentence.split()) > WORDS_MAX] == []


def test_a_derivation_without_three_lines_is_refused() -> None:
    with pytest.raises(PackError, match="The derivation of h does not have 3 lines"):
        derivations.read("## h\n\n- one\n- two\n")
    with pytest.raises(PackError, match="of h does not"):
        derivations.read("## h\n\n- one\n- two\n- three\nand more\n")


def test_a_result_without_code_is_refused() -> None:
    (derivation,) = derivations.read("## h\n\n- one\n- two\n- three\n").values()

    with pytest.raises(PackError, match="shows no code"):
        _ = derivation.code
