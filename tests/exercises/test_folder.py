"""An exercise is a folder of data: what its files may hold, and what is said of a file that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from exercises import folder
from exercises.errors import PackError
from exercises.exercise import Checkpoint
from exercises.instance import Instance, Kind
from grader.sandbox.result_layout import SLOTS_MAX
from tests.support.packs import write_pack

LINES = """
h = torch.tanh(x @ W + b)
keep = (h > 0).float()
noisy = h * keep
loss = (noisy * scale).sum()
"""
GIVEN = "n = 3\nscale = 0.5\non = True\nx = data(n, 4)\nW = param(4, 2)\nb = param(2)"
TOML = """
title = "A layer"
revision = 1
checkpoints = ["h", { name = "W", start = 10, end = 20 }]
vanishing = ["W"]
lecture = "https://example.org/watch?v=1"
difficulty = "easy"

[groups]
"the layer" = ["h", "W"]
"""


PARTS = """
[[h]]
name = "the part"
code = "x"
about = "It is there."
turned = "It is turned."

[[h.slips]]
kind = "axis"
code = "y"
says = "y stands where x belongs"
"""


def write(path: Path, **files: str) -> Path:
    """Write the folder of an exercise. ``files`` are other texts, by the names of the files without their endings."""
    pack = write_pack(path / "squares", **{"forward": LINES, "given": GIVEN, "exercise": TOML} | files)
    return pack / "a_square"


def test_the_files_make_an_exercise(tmp_path: Path) -> None:
    hints = "## h\n\nMind the square.\n"
    at = write(tmp_path)
    (at / "hints.md").write_text(hints)
    (at / "parts.toml").write_text(PARTS)

    exercise = folder.load(at, "squares", is_installed=True)

    assert (exercise.slug, exercise.revision, exercise.title) == ("squares/a-square", 1, "A layer")
    assert exercise.checkpoints == (Checkpoint("h"), Checkpoint("W", 10, 20))
    assert exercise.groups == {"the layer": ("h", "W")}
    assert (exercise.difficulty, exercise.vanishing, exercise.hints) == (
        "easy",
        frozenset({"W"}),
        {"h": "Mind the square."},
    )
    assert exercise.parts["h"][0].slips[0].says == "y stands where x belongs"
    assert exercise.data == {"x"}


def test_the_state_has_constants_data_and_frozen_lines(tmp_path: Path) -> None:
    exercise = folder.load(write(tmp_path), "squares")

    state = Instance.draw(exercise, 1, Kind.STUDENT).tensors()

    assert {name: state[name].item() for name in ("n", "scale", "on")} == {"n": 3, "scale": 0.5, "on": True}
    assert {"x", "W", "b", "h", "keep", "noisy", "loss"} <= set(state)
    assert exercise.without_gradient == {"x", "keep"}
    steps = exercise.cut(state).steps
    assert [(step.name, list(step.reads)) for step in steps] == [
        ("h", ["W", "b"]),
        ("noisy", ["h"]),
        ("loss", ["noisy"]),
    ]
    assert set(exercise.played(state).gradients()) == {"W", "b", "h", "noisy", "loss"}


def test_without_checkpoints_every_step_and_parameter_is_asked_for(tmp_path: Path) -> None:
    exercise = folder.load(write(tmp_path, exercise='title = "A"\nrevision = 2'), "squares")

    assert [each.name for each in exercise.checkpoints] == ["noisy", "h", "W", "b"]


def test_noise_of_the_lines_is_drawn_with_the_rest(tmp_path: Path) -> None:
    lines = "z = x @ W + torch.randn_like(x @ W)\nloss = (z * z).sum() + b.sum()"
    exercise = folder.load(write(tmp_path, forward=lines, exercise='title = "A"\nrevision = 1'), "squares")

    one, other = (Instance.draw(exercise, seed, Kind.HIDDEN).tensors() for seed in (1, 2))

    (noise,) = set(one) - {"n", "scale", "on", "x", "W", "b", "z", "loss"}
    assert not torch.equal(one[noise], other[noise])
    assert noise in exercise.data


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"forward": "h = x @ Q\nloss = h.sum()"}, r"forward.py, line 1: .*'?Q"),
        ({"forward": "h = x @ W"}, "forward.py"),
        ({"given": "x = normal(3)"}, r"given.py, line 1: .* is no kind of given"),
        ({"exercise": "title = "}, "exercise.toml is no TOML"),
        ({"exercise": 'title = "A"'}, "exercise.toml lacks revision. Add it"),
        ({"exercise": "title = 1\nrevision = 1"}, "title should be of type str"),
        ({"exercise": 'title = "A"\nrevision = 1\ncolour = 1'}, "has a setting colour, which there is not"),
        ({"exercise": TOML.replace('"h", {', '"q", {')}, "exercise.toml: checkpoints names q"),
        ({"exercise": TOML.replace('["h", "W"]', '["b"]')}, "exercise.toml: groups names b"),
        ({"exercise": TOML.replace('vanishing = ["W"]', 'vanishing = ["b"]')}, "exercise.toml: vanishing names b"),
        ({"exercise": TOML.replace("start = 10", "begin = 10")}, "checkpoints: .*begin"),
        ({"exercise": TOML.replace('"h", {', '"h", "h", {')}, "one name twice"),
        ({"exercise": TOML.replace('["h", {', '["keep", {')}, "checkpoints names keep"),
        ({"exercise": 'title = "A"\nrevision = 1\nnumbers = "nothing.at:ALL"'}, "cannot be imported"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, files: dict[str, str], says: str) -> None:
    with pytest.raises(PackError, match=says):
        folder.load(write(tmp_path, **files), "squares", is_installed=True)


def test_more_checkpoints_than_a_run_has_room_for_are_refused(tmp_path: Path) -> None:
    steps = [f"h{number + 1} = h{number} + W" for number in range(folder.CHECKPOINTS_MAX)]
    at = write(
        tmp_path,
        given="W = param(3)",
        forward="\n".join(["h0 = W * W", *steps, f"loss = h{folder.CHECKPOINTS_MAX}.sum()"]),
        exercise='title = "A"\nrevision = 1',
    )

    with pytest.raises(PackError, match=r"forward\.py, line 1: h0 is checkpoint 129 .*; there are 130\. Name fewer"):
        folder.load(at, "squares")


def test_as_many_checkpoints_are_read_as_a_run_has_room_for() -> None:
    assert folder.CHECKPOINTS_MAX == SLOTS_MAX


@pytest.mark.parametrize("missing", ["statement.md", "forward.py", "given.py", "exercise.toml"])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    at = write(tmp_path)
    (at / missing).unlink()

    with pytest.raises(PackError, match=f"{missing} is missing. Write it"):
        folder.load(at, "squares")


@pytest.mark.parametrize(
    ("pack", "says"),
    [
        ('title = "S"\nlicence = "MIT"\nexercises = []', "pack.toml lacks a_square. Add it to exercises"),
        ('title = "S"\nlicence = "MIT"\nexercises = ["a_square", "b"]', "b/exercise.toml is missing"),
        ('title = "S"\nexercises = ["a_square"]', "pack.toml lacks licence"),
    ],
)
def test_a_pack_lists_its_exercises(tmp_path: Path, pack: str, says: str) -> None:
    with pytest.raises(PackError, match=says):
        folder.load_pack(write(tmp_path, pack=pack).parent)


def test_a_name_that_no_slug_can_have_is_refused(tmp_path: Path) -> None:
    at = write(tmp_path)

    with pytest.raises(PackError, match="a name that no slug can have"):
        folder.load_pack(at.parent.rename(tmp_path / "Squares!"))
