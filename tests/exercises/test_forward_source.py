"""The text of a forward pass is read from its pieces, and the client reads the same out of the text."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from dojo.files.starter import _lines_by_name
from exercises.exercise import Exercise
from exercises.forward_source import BadForwardPass, read
from exercises.instance import Instance
from exercises.registry import exercises
from exercises.tape import Piece, Tape


def piece(t: Tape) -> None:
    """Not part of the text."""
    # a comment before the first line
    t.é = t.x * t.n  # "é" takes two bytes
    t.y = t.é.view(
        -1,  # all of it
        1,
    )
    t.z = (lambda value: value + t.x.sum())(t.y)


def other_tape(
    tape: Tape,
) -> None:
    tape.t = tape.x
    tape.y = tape.t + 1


TEXT = """
# a comment before the first line
é = x * n  # "é" takes two bytes
y = é.view(
    -1,  # all of it
    1,
)
z = (lambda value: value + x.sum())(y)
"""


def test_the_text_is_the_body_without_the_tape() -> None:
    assert read(piece).text == TEXT.strip()


def test_a_line_is_one_step_without_comments() -> None:
    assert {line.name: line.text for line in read(piece).lines} == {
        "é": "é = x * n",
        "y": "y = é.view(-1, 1)",
        "z": "z = (lambda value: value + x.sum())(y)",
    }


def test_the_tape_may_have_any_name() -> None:
    source = read(other_tape)

    assert source.text == "t = x\ny = t + 1"
    assert [line.name for line in source.lines] == ["t", "y"]


def test_a_line_plays_alone() -> None:
    tape = Tape({"t": torch.tensor([1.0])})

    read(other_tape).lines[1].play(tape)

    assert tape.values()["y"].tolist() == [2.0]


def test_a_line_with_a_lambda_plays_alone() -> None:
    tape = Tape({"x": torch.tensor([1.0, 2.0]), "y": torch.tensor([1.0])})

    read(piece).lines[2].play(tape)

    assert tape.values()["z"].tolist() == [4.0]


def local_variable(t: Tape) -> None:
    y = t.x
    t.y = y


def augmented(t: Tape) -> None:
    t.x += 1


def two_targets(t: Tape) -> None:
    t.a, t.b = t.x


def two_names(t: Tape) -> None:
    t.a = t.b = t.x


def whole_tape(t: Tape) -> None:
    t.y = vars(t)["x"]


# fmt: off
def name_on_the_next_line(t: Tape) -> None:
    t.y = (t
           .x)
# fmt: on


def branch(t: Tape) -> None:
    if t.n:
        t.y = t.x


@pytest.mark.parametrize(
    "bad", [local_variable, augmented, two_targets, two_names, whole_tape, name_on_the_next_line, branch]
)
def test_what_is_no_step_is_refused(bad: Piece) -> None:
    with pytest.raises(BadForwardPass, match=rf"{bad.__name__}: .* is no step. Write t\.name = expression"):
        read(bad)


# fmt: off
def one_line(t: Tape) -> None: t.y = t.x
# fmt: on


def two_tapes(t: Tape, u: Tape) -> None:
    t.y = u.x


@pytest.mark.parametrize(
    ("bad", "advice"),
    [
        (one_line, "Write its steps below the def"),
        (two_tapes, "Write it as a function of one tape"),
        (lambda t: None, "Write it as a function"),
        (eval("lambda t: None"), "cannot be read. Write it as a function in a file"),
    ],
)
def test_what_is_no_piece_is_refused(bad: Callable[[Tape], None], advice: str) -> None:
    with pytest.raises(BadForwardPass, match=advice):
        read(bad)


@pytest.mark.parametrize("exercise", exercises().values(), ids=lambda exercise: exercise.slug)
def test_the_client_reads_the_same_lines(exercise: Exercise) -> None:
    steps = exercise.cut(Instance.canonical(exercise).tensors()).steps
    names = {read for step in steps for read in step.reads}

    reading_lines = _lines_by_name(exercise.forward_source)

    assert {name: reading_lines(name) for name in names} == {
        name: [exercise.lines[step.name] for step in steps if name in step.reads] for name in names
    }


def with_constants(t: Tape) -> None:
    t.a = (t.x + 1e-5) ** -0.5
    t.b = t.x - 1e-5
    t.c = 2.5 * t.x + 0.5
    t.d = (t.x + 1e-5) / (t.n + 1e-6)
    t.e = t.x * 1e-5 + t.n
    t.f = t.x + 1


def test_a_line_without_its_small_constant_is_played_without_it() -> None:
    lines = {line.name: line.without_small_constant(1e-3) for line in read(with_constants).lines}
    x = torch.tensor([0.25])

    assert {name for name, altered in lines.items() if altered} == {"a", "b"}
    for name, expected in (("a", 2.0), ("b", 0.25)):
        altered = lines[name]
        assert altered is not None and altered[1] == 1e-5
        tape = Tape({"x": x, "n": torch.tensor(3)})
        altered[0].play(tape)
        assert getattr(tape, name).item() == expected


def test_taking_a_constant_away_leaves_the_line_itself_as_it_was() -> None:
    line = read(with_constants).lines[0]

    line.without_small_constant(1e-3)

    tape = Tape({"x": torch.tensor([0.25])})
    line.play(tape)
    assert 1.9999 < tape.a.item() < 2.0
