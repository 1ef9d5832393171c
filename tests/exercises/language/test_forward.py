"""Lines of a forward pass are played alone, and read by the client as by the server."""

from __future__ import annotations

import pytest
import torch

from dojo.files.starter import _lines_by_name
from exercises.exercise import Exercise
from exercises.instance import Instance
from exercises.registry import exercises
from exercises.tape import Tape
from tests.support.forwards import forward

GIVEN = {"x": torch.tensor([0.25]), "n": torch.tensor(3)}


@pytest.mark.parametrize("exercise", exercises().values(), ids=lambda exercise: exercise.slug)
def test_the_client_reads_the_same_lines(exercise: Exercise) -> None:
    steps = exercise.cut(Instance.canonical(exercise).tensors()).steps
    names = {read for step in steps for read in step.reads}

    reading_lines = _lines_by_name(exercise.forward.text)

    assert {name: reading_lines(name) for name in names} == {
        name: [exercise.lines[step.name] for step in steps if name in step.reads] for name in names
    }


def test_a_line_plays_alone() -> None:
    lines = forward("t = 2 * x\ny = t + 1", {"x": torch.tensor([1.0])}).lines
    tape = Tape({"t": torch.tensor([1.0])})

    lines[-1].play(tape)

    assert tape.values()["y"].tolist() == [2.0]


WITH_CONSTANTS = forward(
    """
a = (x + 1e-5) ** -0.5
b = x - 1e-5
c = 2.5 * x + 0.5
d = (x + 1e-5) / (x + 1e-6)
e = x * 1e-5 + n
f = x + 1
g = (x + 1e-5)[range(1)]
""",
    GIVEN,
)


def test_a_line_without_its_small_constant_is_played_without_it() -> None:
    lines = {line.name: line.without_small_constant(1e-3) for line in WITH_CONSTANTS.lines}

    assert {name for name, altered in lines.items() if altered} == {"a", "b", "g"}
    for name, expected in (("a", 2.0), ("b", 0.25), ("g", 0.25)):
        altered = lines[name]
        assert altered is not None and altered[1] == 1e-5
        tape = Tape(GIVEN)
        altered[0].play(tape)
        assert tape.read(name).item() == expected


def test_taking_a_constant_away_leaves_the_line_itself_as_it_was() -> None:
    line = WITH_CONSTANTS.lines[0]

    line.without_small_constant(1e-3)

    tape = Tape(GIVEN)
    line.play(tape)
    assert 1.9999 < tape.read("a").item() < 2.0
