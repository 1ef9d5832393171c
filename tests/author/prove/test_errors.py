"""Authoring errors, each in a folder of ``errors``: every one is refused by its name, at its place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch

from author.prove.findings import MESSAGES, Fault
from author.prove.prove import prove
from author.prove.subject import Bounds
from exercises.errors import PackError
from exercises.exercise import Exercise, Numbers
from exercises.folder import load
from grader.sandbox import Limits
from tests.author.subjects import ERRORS, SMALL, TrustingSandbox, exercise

# Folder → the fault, and where it is.
FAULTS = {
    "a_checkpoint_the_loss_does_not_see": (Fault.UNSEEN, "a"),
    "a_vanishing_gradient_not_declared": (Fault.VANISHING, "bk"),
    "a_vanishing_third_not_declared": (Fault.VANISHING, "bqkv[4:8]"),
    "declared_and_not_vanishing": (Fault.NOT_VANISHING, "W[0:2]"),
    "a_number_that_is_none": (Fault.NOT_FINITE, "a"),
    "a_gradient_without_end": (Fault.NOT_FINITE, "the gradient of h"),
    "ties_in_max": (Fault.TIES, "h"),
    "a_seed_that_changes_nothing": (Fault.SEED_CHANGES_NOTHING, ""),
    "a_wrong_solution": (Fault.SOLUTION_WRONG, "W"),
    "a_solution_that_stops": (Fault.SOLUTION_STOPS, ""),
    "a_statement_that_holds_the_answer": (Fault.GIVES_AWAY, "h"),
    "a_hint_that_holds_the_answer": (Fault.GIVES_AWAY, "W"),
    "a_comment_that_holds_the_answer": (Fault.GIVES_AWAY, "W"),
    "tensors_too_large": (Fault.TOO_LARGE, "h"),
    "a_step_too_slow": (Fault.TOO_SLOW, "h"),
    "relu_dead_everywhere": (Fault.NO_GRADIENT, "h"),
    "relu_dead_on_some_seeds": (Fault.DEAD, "h"),
    "a_row_that_no_token_reads": (Fault.NO_GRADIENT, "E[4]"),
}
REFUSED_WHEN_READ = {
    "labels_out_of_range": "index 3 is out of bounds",
    "too_many_checkpoints": "line 2: x1 is checkpoint 129",
}


def faults(made: Exercise, **settings: Any) -> dict[Fault, str]:
    """Return fault → the first place of it."""
    proof = prove(made, SMALL, TrustingSandbox(), **settings)  # type: ignore[arg-type]
    found: dict[Fault, str] = {}
    for finding in proof.findings:
        for each in finding.faults:
            found.setdefault(each.fault, each.at)
    assert proof.is_sound == (not found)
    return found


def test_every_folder_of_errors_is_in_the_tables() -> None:
    folders = {path.parent.name for path in ERRORS.glob("*/exercise.toml")}
    assert folders == {*FAULTS, *REFUSED_WHEN_READ, "sound"}


def test_an_exercise_without_an_error_is_sound() -> None:
    assert faults(exercise("sound")) == {}


@pytest.mark.parametrize("folder", FAULTS)
def test_an_error_is_refused_by_name(folder: str) -> None:
    fault, at = FAULTS[folder]
    found = faults(exercise(folder))
    assert fault in found
    assert found[fault].startswith(at)


@pytest.mark.parametrize("folder", REFUSED_WHEN_READ)
def test_an_error_is_refused_when_the_folder_is_read(folder: str) -> None:
    with pytest.raises(PackError, match=REFUSED_WHEN_READ[folder]):
        load(ERRORS / folder, "errors")


@dataclass(frozen=True)
class Changed:
    """Numbers as the exercise has them, with one fault."""

    fault: Fault

    def prepare(self) -> None:
        """Do nothing."""

    def canonical(self) -> Numbers:
        return self.draw(0)

    def draw(self, seed: int) -> Numbers:
        numbers = exercise("sound").numbers.draw(seed)
        tensors = dict(numbers.tensors)
        match self.fault:
            case Fault.CONSTANT_DIFFERS:
                tensors["n"] = torch.tensor(6 + seed)
            case Fault.SHAPE_DIFFERS if seed == 2:
                tensors["x"], tensors["g"] = tensors["x"][:5], tensors["g"][:5]
            case Fault.SEED_IS_NOT_KEPT:
                tensors["x"] = torch.randn(tensors["x"].shape)
            case Fault.OUT_OF_RANGE if seed == 2:
                raise IndexError("index 3 is out of bounds for dimension 1 with size 3")
            case Fault.DOES_NOT_PLAY if seed == 2:
                raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")
        return Numbers(tensors, numbers.dataset)


@pytest.mark.parametrize(
    ("fault", "at"),
    [
        (Fault.CONSTANT_DIFFERS, "n"),
        (Fault.SHAPE_DIFFERS, "a"),
        (Fault.SEED_IS_NOT_KEPT, ""),
        (Fault.OUT_OF_RANGE, ""),
        (Fault.DOES_NOT_PLAY, ""),
    ],
)
def test_numbers_of_a_packs_own_source_are_refused_by_name(fault: Fault, at: str) -> None:
    assert faults(replace(exercise("sound"), numbers=Changed(fault)))[fault] == at


def test_an_unknown_part_is_no_vanishing_one() -> None:
    assert faults(replace(exercise("sound"), vanishing=frozenset({"b[0:2] and more"})))[Fault.NO_SUCH_PART]


def test_what_a_run_may_take_is_a_setting() -> None:
    small = Bounds(Limits(output_bytes=64, state_bytes=64))
    assert faults(exercise("sound"), bounds=small)[Fault.TOO_LARGE] == "All answers together"


def test_each_sentence_says_what_to_do_in_few_words() -> None:
    assert set(MESSAGES) == set(Fault)
    for message in MESSAGES.values():
        sentences = [sentence for sentence in message.rstrip(".").split(". ") if sentence]
        assert len(sentences) >= 2 and message.endswith(".")
        assert all(len(sentence.split()) <= 25 for sentence in sentences)
