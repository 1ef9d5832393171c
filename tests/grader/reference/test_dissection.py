"""What wrong answers alone need of an instance is made when they come, and goes when there is no room."""

from __future__ import annotations

from exercises.instance import Instance, Kind
from exercises.registry import find
from grader.caches.budget import DISSECTIONS_BYTES
from grader.reference.dissection import _dissections
from grader.reference.gradients import reference, right_terms

FULL = find("makemore/full-backward")


def test_what_only_wrong_answers_need_is_made_when_they_come() -> None:
    instance = Instance.draw(FULL, 20_261, Kind.STUDENT)
    right = reference(instance)

    before, shapes = instance in _dissections, {name: value.shape for name, value in right.state.items()}

    assert not before
    assert instance in _dissections
    assert right.shapes == shapes
    assert right.cut is right.cut


def test_what_is_worked_out_goes_with_its_dissection() -> None:
    """An instance that is a key elsewhere would be kept, too."""
    instance = Instance.draw(FULL, 20_262, Kind.STUDENT)
    first, again = right_terms(instance), right_terms(instance)

    _dissections.bound(1)  # the newest alone
    right_terms(Instance.draw(FULL, 20_263, Kind.STUDENT))
    _dissections.bound(DISSECTIONS_BYTES)

    assert again is first
    assert right_terms(instance) is not first


def test_a_sum_that_cancels_shows_the_size_of_its_terms() -> None:
    """Each column of bnraw has the mean 0, and an upstream gradient of ones would sum it to nothing."""
    assert reference(Instance.canonical(FULL)).reach("hpreact", "bngain") > 1.0
