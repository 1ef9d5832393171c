"""Room for answers."""

from __future__ import annotations

from exercises.instance import Instance
from exercises.registry import find
from grader.sandbox import Limits, Slot
from grader.sandbox.result_layout import Layout
from grader.slots import ROOM_MIN, sized, slots_of

MIB = 2**20
LINES = (("h", ("x", "W")), ("act", ("h",)), ("out", ("act",)))
SIZES = (("x", 2**15), ("W", 2**18), ("h", 2**16), ("act", 2**16), ("out", 8))


def test_each_answer_has_room_for_the_largest_tensor_of_its_lines() -> None:
    room = {slot.name: slot.capacity for slot in sized(("out", "act", "h", "W", "x"), SIZES, LINES, 8 * MIB)}

    assert room == {"out": MIB // 2, "act": MIB // 2, "h": 2 * MIB, "W": 2 * MIB, "x": 2 * MIB}


def test_without_room_for_more_each_answer_has_that_of_its_gradient() -> None:
    room = {slot.name: slot.capacity for slot in sized(("out", "act", "h", "W", "x"), SIZES, LINES, 4 * MIB)}

    assert room == {"out": 64, "act": MIB // 2, "h": MIB // 2, "W": 2 * MIB, "x": MIB // 4}


def test_small_answers_have_room_to_be_wrong_in() -> None:
    assert sized(("y",), (("x", 1), ("y", 1)), (("y", ("x",)),), 8 * MIB) == (Slot("y", ROOM_MIN),)


def test_the_lectures_answers_have_at_least_the_room_of_the_largest_tensor() -> None:
    instance = Instance.canonical(find("makemore/full-backward"))

    slots = slots_of(instance, Limits())

    assert Layout.of(slots, Limits()).slots == slots
    assert {slot.capacity for slot in slots} == {max(each.nbytes * 2 for each in instance.tensors().values())}
