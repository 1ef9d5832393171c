"""Packs are found by their entry points; a pack that cannot be used is named."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from exercises import registry
from exercises.errors import PackError
from exercises.instance import Instance, Kind
from exercises.registry import NoSuchExercise

# A pack of another distribution: one exercise, whose numbers come from the seed alone.
SQUARES = """
import torch

from exercises.exercise import Checkpoint, Exercise, Numbers
from exercises.tape import Tape


def forward(t: Tape) -> None:
    t.y = t.x * t.x
    t.loss = t.y.sum() / t.n


class Seeded:
    def prepare(self):
        pass

    def canonical(self):
        return self.draw(0)

    def draw(self, seed):
        x = torch.randn(3, generator=torch.Generator().manual_seed(seed))
        return Numbers({"x": x, "n": torch.tensor(3)}, dataset="none")


SQUARE = Exercise(
    slug="squares/square",
    revision=1,
    title="A square",
    summary="Derive dx.",
    statement="",
    solution="dx = 2 * x / n",
    checkpoints=(Checkpoint("x"),),
    pieces=(forward,),
    given_from=lambda numbers: numbers,
    numbers=Seeded(),
)
EXERCISES = (SQUARE,)
"""

Install = Callable[[str, str, str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a distribution with one pack: the distribution's name, the object of its entry point, its module."""
    modules = set()

    def write(distribution: str, entry_point: str, source: str) -> None:
        module = entry_point.partition(":")[0]
        modules.add(module)
        (tmp_path / f"{module}.py").write_text(source)
        info = tmp_path / f"{distribution}-1.5.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.5\n")
        (info / "entry_points.txt").write_text(f"[{registry.GROUP}]\n{distribution}-pack = {entry_point}\n")

    monkeypatch.syspath_prepend(tmp_path)
    registry.exercises.cache_clear()
    yield write
    registry.exercises.cache_clear()
    for module in modules:
        sys.modules.pop(module, None)


def test_a_slug_finds_its_exercise() -> None:
    assert registry.find("makemore/batch-norm").slug == "makemore/batch-norm"


def test_an_unknown_slug_is_answered_with_the_known() -> None:
    with pytest.raises(NoSuchExercise, match="choose one of: makemore/full-backward, makemore/cross-entropy"):
        registry.find("makemore/full-backwards")


def test_an_exercise_of_another_distribution_is_found(install: Install) -> None:
    install("squares", "squares_pack:EXERCISES", SQUARES)

    exercise = registry.find("squares/square")

    assert exercise.title == "A square"
    assert exercise.lines == {"y": "y = x * x", "loss": "loss = y.sum() / n"}
    assert Instance.draw(exercise, 1, Kind.HIDDEN) != Instance.canonical(exercise)
    assert registry.find("makemore/full-backward")


def test_packs_are_loaded_once() -> None:
    assert registry.exercises() is registry.exercises()


def test_importing_the_registry_loads_no_pack() -> None:
    program = "import sys, exercises.registry, grader.grade; print(*[m for m in sys.modules if 'makemore' in m])"

    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    ).stdout

    assert printed.split() == []


def test_one_slug_in_two_packs_is_refused(install: Install) -> None:
    install("squares", "squares_pack:EXERCISES", SQUARES)
    install("copies", "copies_pack:EXERCISES", SQUARES)

    with pytest.raises(
        PackError, match=r"squares/square is there twice, in pack copies-pack of copies 1\.5 and in pack"
    ):
        registry.exercises()


def test_one_slug_twice_in_a_pack_is_refused(install: Install) -> None:
    install("squares", "squares_pack:TWICE", SQUARES + "TWICE = (SQUARE, SQUARE)\n")

    with pytest.raises(PackError, match="squares/square is there twice"):
        registry.exercises()


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (
            "import nothing_of_this_name",
            "cannot be loaded: ModuleNotFoundError: No module named 'nothing_of_this_name'",
        ),
        ("1 / 0", "cannot be loaded: ZeroDivisionError"),
        ("", "cannot be loaded: AttributeError.*EXERCISES"),
        ("EXERCISES = ['an exercise']", "is no tuple of exercises"),
        ("EXERCISES = ('an exercise',)", "is no tuple of exercises"),
        (SQUARES.replace("squares/square", "a square"), "'a square' is no slug"),
        (SQUARES.replace("t.y = t.x * t.x", "y = t.x * t.x; t.y = y"), "'y = t.x [*] t.x' is no step"),
    ],
)
def test_a_broken_pack_is_named(install: Install, source: str, reason: str) -> None:
    install("broken", "broken_pack:EXERCISES", source)

    with pytest.raises(PackError, match=rf"pack broken-pack of broken 1\.5.*{reason}"):
        registry.exercises()


def test_without_a_pack_the_remedy_is_told() -> None:
    with pytest.raises(PackError, match=r"No pack of exercises is installed.*pip install -e \."):
        registry.load(entry_points(group="a group that nobody uses"))


def test_preparing_tells_of_the_data_of_a_pack(install: Install) -> None:
    source = SQUARES.replace("        pass", "        raise PackError('no squares here')")
    install("squares", "squares_pack:EXERCISES", "from exercises.errors import PackError\n" + source)

    with pytest.raises(PackError, match="no squares here"):
        registry.prepare()
