"""A counterexample and an invariant are true: played here anew, in float64, by other means."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import pytest
import torch
from torch import Tensor

from exercises.instance import Instance, Kind
from exercises.registry import find
from exercises.tape import Tape
from grader.answer import normalise
from grader.compare import Comparison, Origin, compare
from grader.diagnosis.case import Case
from grader.diagnosis.evidence import Counterexample, broken_invariant, counterexample
from grader.grade import compare_all
from grader.origin.backward_replay import replay_backward
from grader.reference.gradients import reference
from tests.mistakes.play import play

FULL = find("makemore/full-backward")
INSTANCE = Instance.draw(FULL, 5, Kind.HIDDEN)
RIGHT = {name: reference(INSTANCE).gradients[name] for name in (each.name for each in FULL.checkpoints)}


def case_of(name: str, answer: Tensor, **others: Tensor) -> Case:
    """Return the case of one answer; all others are right but for ``others``."""
    handed_in = RIGHT | others | {name: answer}
    rows = [compare(each, normalise(given), RIGHT[each]) for each, given in handed_in.items()]
    return Case(INSTANCE, name, answer, replay_backward(reference(INSTANCE), handed_in, rows))


def loss_with(name: str, moved: Tensor) -> float:
    """Play the whole forward pass in float64, with one tensor replaced."""

    class Moved(Tape):
        def read(self, read: str) -> Any:
            return moved if read == name else super().read(read)

        def write(self, name: str, value: Tensor, behind_wall: Collection[str] = ()) -> None:
            self.freeze(name, value)

    state = FULL.given(reference(INSTANCE).state)
    tape = Moved({key: value.double() if value.is_floating_point() else value for key, value in state.items()})
    with torch.no_grad():
        FULL.forward.play(tape)
    return float(tape.values()["loss"])


def value64(name: str) -> Tensor:
    """The value of a tensor in a forward pass in float64."""
    state = FULL.given(reference(INSTANCE).state)
    tape = Tape({key: value.double() if value.is_floating_point() else value for key, value in state.items()})
    FULL.forward.play(tape)
    return tape.values()[name]


@pytest.mark.parametrize("name", [name for name in RIGHT if name != "logit_maxes"])
def test_the_change_of_the_loss_is_true(name: str) -> None:
    found = counterexample(case_of(name, RIGHT[name] * 1.5))

    assert isinstance(found, Counterexample)
    value = value64(name)
    moved = value.clone()
    moved[found.index] += found.step
    assert loss_with(name, moved) - loss_with(name, value) == pytest.approx(found.change, rel=1e-6, abs=1e-13)
    assert found.predicted == pytest.approx(float(RIGHT[name][found.index]) * 1.5 * found.step, rel=1e-6)
    assert abs(found.change - found.predicted) > 0.05 * max(abs(found.change), abs(found.predicted))


def test_a_tensor_that_the_loss_does_not_depend_on_has_no_change() -> None:
    found = counterexample(case_of("logit_maxes", torch.ones_like(RIGHT["logit_maxes"])))

    assert found is not None
    assert found.change == 0


def test_below_another_mistake_nothing_is_said() -> None:
    """The true change of the loss would speak of the mistake above as well."""
    assert counterexample(case_of("h", RIGHT["h"] * 1.5, logits=RIGHT["logits"] * 2)) is None


@pytest.mark.parametrize("answer", [RIGHT["h"] * 1.01, RIGHT["h"].T, RIGHT["h"] * float("nan")])
def test_what_tells_nothing_is_not_said(answer: Tensor) -> None:
    assert counterexample(case_of("h", answer)) is None


@pytest.mark.parametrize(
    ("name", "axis_from_end"),
    [("logits", 1), ("norm_logits", 1), ("W2", 1), ("hprebn", 2), ("embcat", 2)],
)
def test_a_broken_invariant_is_one_of_the_loss(name: str, axis_from_end: int) -> None:
    answer = RIGHT[name] + 0.01

    found = broken_invariant(case_of(name, answer))

    assert found is not None
    assert (found.name, found.axis_from_end) == (name, axis_from_end)
    axis = answer.dim() - axis_from_end
    assert found.total == pytest.approx(float(answer.sum(axis)[found.slice]))
    value = value64(name)
    shifted = value.clone()
    shifted.select(1 - axis, found.slice).add_(0.3)
    assert loss_with(name, shifted) == pytest.approx(loss_with(name, value), abs=1e-10)


@pytest.mark.parametrize("name", ["counts", "probs", "bndiff", "bnraw", "h", "logit_maxes", "b1", "b2", "emb"])
def test_what_is_no_invariant_of_the_loss_is_not_said(name: str) -> None:
    assert broken_invariant(case_of(name, RIGHT[name] + 0.01)) is None


def test_an_invariant_that_the_answer_keeps_is_not_said() -> None:
    assert broken_invariant(case_of("logits", RIGHT["logits"] * 2)) is None


def test_an_invariant_that_the_students_own_upstream_breaks_is_not_said() -> None:
    """With this dcounts, the right dnorm_logits does not sum to 0 in each row."""
    assert broken_invariant(case_of("norm_logits", RIGHT["norm_logits"] + 0.01, counts=RIGHT["counts"] * 0 + 1)) is None


def first_own(rows: tuple[Comparison, ...]) -> list[Comparison]:
    return [row for row in rows if row.origin is Origin.OWN]


def test_the_first_mistake_has_the_evidence_and_no_other() -> None:
    answers = {name: normalise(gradient) for name, gradient in RIGHT.items()}
    answers |= {name: normalise(RIGHT[name] * 3) for name in ("logits", "W1")}

    first, second = first_own(compare_all(INSTANCE, answers))

    assert (first.name, second.name) == ("logits", "W1")
    assert first.diagnosis[0].counterexample is not None
    assert second.diagnosis[0].counterexample is None


def test_the_sentences_have_plain_numbers() -> None:
    code = FULL.solution.replace("dlogits = dnorm_logits +", "dlogits = dnorm_logits + 0.001 +")

    (row,) = [row for row in first_own(play(INSTANCE, code)) if row.name == "logits"]

    number = r"-?\d+(\.\d+)?"
    assert re.fullmatch(
        rf"Moving logits\[\d+, \d+\] by 0\.001 changes the loss by {number}; your gradient says {number}\.",
        row.diagnosis[0].counterexample or "",
    )
    assert re.search(
        r"A number added to a whole row of logits does not change the loss, so each row of dlogits sums to 0\. "
        r"In yours, row \d+ sums to 0\.027\.$",
        row.diagnosis[0].hints[-1],
    )
    assert row.diagnosis[0].message.endswith(row.diagnosis[0].counterexample or "nothing")
