"""Packs are found by their entry points; a pack that cannot be used is named."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from exercises import makemore, registry
from exercises.errors import PackError
from exercises.folder import digest_of, load_pack
from exercises.instance import Instance, Kind
from exercises.registry import NoSuchExercise, NoSuchPack
from tests.support.packs import write_pack

# The pack as an entry point may name it: its folder, or its exercises as objects of Python.
AS_FOLDER = "from pathlib import Path\nEXERCISES = Path(__file__).parent / 'squares'"
AS_TUPLE = """
from dataclasses import replace
from pathlib import Path
from exercises.folder import digest_of, load_pack

SQUARE = replace(load_pack(Path(__file__).parent / 'squares').exercises[0], slug="tuples/a-square")
EXERCISES = (SQUARE,)
"""


Install = Callable[[str, str, str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a distribution with one pack: the distribution's name, the object of its entry point, its module.

    Beside the module stands the folder ``squares``.
    """
    modules = set()
    write_pack(tmp_path / "squares")

    def write(distribution: str, entry_point: str, source: str) -> None:
        module = entry_point.partition(":")[0]
        modules.add(module)
        if source:
            (tmp_path / f"{module}.py").write_text(source)
        info = tmp_path / f"{distribution}-1.5.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.5\n")
        (info / "entry_points.txt").write_text(f"[{registry.GROUP}]\n{distribution}-pack = {entry_point}\n")

    monkeypatch.syspath_prepend(tmp_path)
    registry.clear()
    yield write
    registry.clear()
    for module in modules:
        sys.modules.pop(module, None)


def test_a_slug_finds_its_exercise() -> None:
    assert registry.find("makemore/batch-norm").slug == "makemore/batch-norm"


@pytest.mark.parametrize(
    ("slug", "meant"),
    [
        ("makemore/full-backwards", "did you mean makemore/full-backward?"),
        ("micrograd/full-backward", "did you mean makemore/full-backward?"),
        ("full-backward", "did you mean makemore/full-backward?"),
        ("makemore/nothing", f"choose one of: {', '.join(registry.exercises())}"),
    ],
)
def test_an_unknown_slug_is_answered_with_those_like_it(slug: str, meant: str) -> None:
    with pytest.raises(NoSuchExercise) as unknown:
        registry.find(slug)

    assert str(unknown.value) == f"there is no exercise {slug!r}; {meant}"


@pytest.mark.parametrize(
    ("entry_point", "source", "pack"),
    [
        ("squares_pack:EXERCISES", AS_FOLDER, "squares"),
        ("squares_pack:EXERCISES", AS_TUPLE, "tuples"),
        ("squares", "", "squares"),  # the folder itself, as a package
    ],
)
def test_an_exercise_of_another_distribution_is_found(
    install: Install, entry_point: str, source: str, pack: str
) -> None:
    install("squares", entry_point, source)

    exercise = registry.find(f"{pack}/a-square")

    assert exercise.title == "A square"
    assert exercise.lines == {"y": "y = x * x", "loss": "loss = y.sum() / n"}
    assert Instance.draw(exercise, 1, Kind.HIDDEN) != Instance.canonical(exercise)
    assert registry.find_pack(pack).exercises == (exercise,)
    assert registry.find("makemore/full-backward")


def test_packs_of_a_folder_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_pack(tmp_path / "one" / "squares")
    write_pack(tmp_path / "cubes")
    monkeypatch.setenv("DOJO_PACKS", os.pathsep.join(map(str, (tmp_path / "one", tmp_path / "cubes"))))
    registry.clear()

    try:
        assert list(registry.packs())[-2:] == ["squares", "cubes"]
    finally:
        registry.clear()


def test_a_folder_without_a_pack_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"DOJO_PACKS names .*, where no pack\.toml is\. Name the folder of a pack"):
        registry.folders(str(tmp_path))


def test_a_folder_that_is_installed_too_is_loaded_once() -> None:
    installed = entry_points(group=registry.GROUP, name="makemore")

    assert list(registry.load(installed, [Path(makemore.__file__).parent])) == ["makemore"]


def test_an_unknown_pack_is_answered_with_the_known() -> None:
    with pytest.raises(NoSuchPack, match=r"there is no pack 'squares'; choose one of: .*makemore"):
        registry.find_pack("squares")


def test_a_changed_file_gives_a_pack_another_digest(tmp_path: Path) -> None:
    pack = write_pack(tmp_path / "squares")
    before = load_pack(pack).digest
    for name in ("proof.json", "data/numbers.txt", "__pycache__/x.pyc", ".cache"):
        (pack / name).parent.mkdir(exist_ok=True)
        (pack / name).write_text("new")
    unchanged = load_pack(pack).digest
    (pack / "a_square" / "statement.md").write_text("Derive dx, please.")

    assert unchanged == before
    assert load_pack(pack).digest != before


def test_a_renamed_file_gives_a_pack_another_digest(tmp_path: Path) -> None:
    file = tmp_path / "hints.md"
    file.write_text("Look at the shapes.")
    before = digest_of(tmp_path)
    file.rename(tmp_path / "statement.md")

    assert digest_of(tmp_path) != before


def test_packs_are_loaded_once() -> None:
    assert registry.exercises() is registry.exercises()


def test_importing_the_registry_loads_no_pack() -> None:
    program = "import sys, exercises.registry, grader.grade; print(*[m for m in sys.modules if 'makemore' in m])"

    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    ).stdout

    assert printed.split() == []


def test_one_pack_twice_is_refused(install: Install, tmp_path: Path) -> None:
    install("squares", "squares_pack:EXERCISES", AS_FOLDER)
    install("copies", "copies_pack:EXERCISES", AS_FOLDER.replace("'squares'", "'copies' / 'squares'"))
    write_pack(tmp_path / "copies" / "squares")

    with pytest.raises(PackError, match=r"squares is there twice, in pack copies-pack of copies 1\.5 and in pack"):
        registry.packs()


def test_one_slug_twice_in_a_pack_is_refused(install: Install) -> None:
    install("squares", "squares_pack:TWICE", AS_TUPLE + "TWICE = (SQUARE, SQUARE)\n")

    with pytest.raises(PackError, match="tuples/a-square is there twice"):
        registry.packs()


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (
            "import nothing_of_this_name",
            "cannot be loaded: ModuleNotFoundError: No module named 'nothing_of_this_name'",
        ),
        ("1 / 0", "cannot be loaded: ZeroDivisionError"),
        ("nothing = 1", "cannot be loaded: AttributeError.*EXERCISES"),
        ("EXERCISES = ['an exercise']", "is neither a folder nor a tuple of exercises"),
        ("EXERCISES = ('an exercise',)", "is neither a folder nor a tuple of exercises"),
        (AS_TUPLE.replace("tuples/a-square", "a square"), "'a square' is no slug"),
        (AS_FOLDER.replace("'squares'", "'nothing'"), r"nothing/pack\.toml is missing"),
    ],
)
def test_a_broken_pack_is_named(install: Install, source: str, reason: str) -> None:
    install("broken", "broken_pack:EXERCISES", source)

    with pytest.raises(PackError, match=rf"pack broken-pack of broken 1\.5.*{reason}"):
        registry.packs()


def test_without_a_pack_the_remedy_is_told() -> None:
    with pytest.raises(PackError, match=r"No pack of exercises is installed.*pip install -e \."):
        registry.load(entry_points(group="a group that nobody uses"))


def test_preparing_tells_of_the_data_of_a_pack(install: Install) -> None:
    source = (
        AS_TUPLE
        + """
from exercises.errors import PackError

class Broken:
    def prepare(self):
        raise PackError("no squares here")

EXERCISES = (replace(SQUARE, numbers=Broken()),)
"""
    )
    install("squares", "squares_pack:EXERCISES", source)

    with pytest.raises(PackError, match="no squares here"):
        registry.prepare()
