"""Every exercise: its canonical instance is the lecture's, its solution is right, others can be drawn."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from exercises import names
from exercises.catalog import CATALOG, NoSuchExercise, find
from exercises.exercise import Exercise
from exercises.instance import Instance, Kind
from exercises.tape import is_constant

FULL = CATALOG["makemore/full-backward"]
PARAMETERS = ("C", "W1", "b1", "W2", "b2", "bngain", "bnbias")
LECTURE_TARGETS = "8 14 15 22 0 19 9 14 5 1 20 3 8 14 12 0 11 0 26 9 25 0 1 1 7 18 9 3 5 9 0 18"

every_exercise = pytest.mark.parametrize("exercise", CATALOG.values(), ids=lambda exercise: exercise.slug)


def answers(instance: Instance) -> dict[str, torch.Tensor]:
    """What the exercise's own solution computes on an instance."""
    namespace = {"torch": torch, "F": F}
    for name, value in instance.tensors().items():
        namespace[name] = int(value) if is_constant(value) else value  # type: ignore[assignment]
    exec(instance.exercise.solution, namespace)  # the catalogue's own code
    return {each.name: namespace[each.answer] for each in instance.exercise.checkpoints}  # type: ignore[misc]


def test_the_canonical_instance_is_the_lectures() -> None:
    state = FULL.canonical().tensors()
    assert " ".join(str(int(target)) for target in state["Yb"]) == LECTURE_TARGETS
    assert sum(state[name].numel() for name in PARAMETERS) == 4137
    assert state["loss"].item() == pytest.approx(3.3, abs=0.2)
    assert F.cross_entropy(state["logits"], state["Yb"]).item() == pytest.approx(state["loss"].item())


def test_the_checkpoints_are_the_lectures_26_in_its_order_with_its_times() -> None:
    assert " ".join(each.name for each in FULL.checkpoints) == (
        "logprobs probs counts_sum_inv counts_sum counts norm_logits logit_maxes logits h W2 b2 hpreact "
        "bngain bnbias bnraw bnvar_inv bnvar bndiff2 bndiff bnmeani hprebn embcat W1 b1 emb C"
    )
    starts = [each.start for each in FULL.checkpoints]
    assert starts == sorted(starts, key=lambda start: start or 0)
    assert (starts[0], starts[-1]) == (13 * 60 + 1, 1 * 3600 + 21 * 60 + 59)


def test_the_solution_of_the_full_backward_pass_is_exact_26_times() -> None:
    instance = FULL.canonical()
    gradients = FULL.played(instance.tensors()).gradients()
    found = answers(instance)
    assert len(found) == 26
    assert [name for name, answer in found.items() if not torch.equal(answer, gradients[name])] == []


@every_exercise
@pytest.mark.parametrize("seed", [0, 1, 2**63 - 1])
def test_the_solution_is_right_on_drawn_instances(exercise: Exercise, seed: int) -> None:
    instance = exercise.draw(seed, names.load(), Kind.STUDENT)
    gradients = exercise.played(instance.tensors()).gradients()
    for name, answer in answers(instance).items():
        assert answer.shape == gradients[name].shape
        assert torch.allclose(answer, gradients[name]), name


@every_exercise
def test_a_seed_decides_an_instance(exercise: Exercise) -> None:
    bundled = names.load()
    one, again, other = (exercise.draw(seed, bundled, Kind.HIDDEN) for seed in (1, 1, 2))
    assert one == again
    assert one.digest == again.digest
    assert one != other
    assert one != exercise.canonical()
    assert one.dataset == bundled.digest != exercise.canonical().dataset


@every_exercise
def test_the_forward_source_computes_the_state(exercise: Exercise) -> None:
    state = exercise.canonical().tensors()
    namespace: dict[str, object] = {"torch": torch}
    for name, value in exercise.given(state).items():
        namespace[name] = int(value) if is_constant(value) else value
    exec(exercise.forward_source, namespace)
    for name in exercise.lines:
        assert torch.equal(namespace[name], state[name]), name  # type: ignore[arg-type]


def test_a_slug_that_nobody_has_is_answered_with_those_there_are() -> None:
    assert find("makemore/batch-norm").title
    with pytest.raises(NoSuchExercise, match="choose one of: makemore/full-backward"):
        find("makemore/full-backwards")
