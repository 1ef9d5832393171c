"""What the documents say is so."""

from __future__ import annotations

import re
import runpy
import textwrap
import tomllib
from pathlib import Path

import pytest
import torch

from exercises.tape import Tape
from grader.compare import BROADCAST_ELEMENTS_MAX
from grader.diagnosis.explain import IN_CONTEXT
from grader.origin.backward_replay import CONSTANT_ABOVE, NOT_HANDED_IN
from grader.rounding.error_bounds import FORWARD_ROUNDINGS, UNIT
from grader.rounding.tolerance import BEYOND, FROM_ABOVE
from tests.support.forwards import forward

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_make_target_and_linked_file_that_a_page_names_is_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", page("Makefile"), re.MULTILINE))
    named = set(re.findall(r"(?:^    |`)make ([a-z-]+)", text, re.MULTILINE))
    assert named <= targets
    links = re.findall(r"\]\((?!https?://)([^)#]+)", text)
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_every_file_that_the_architecture_names_is_there() -> None:
    named = re.findall(r"`((?:exercises|grader|server|client|migrations)/[\w/.]*)`", page("ARCHITECTURE.md"))
    assert len(named) > 5
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_architecture_names_every_room_of_the_server() -> None:
    rooms = {path.parent.name for path in (ROOT / "server").glob("*/__init__.py")}
    table = page("ARCHITECTURE.md").partition("`server`, from the top down")[2].partition("## Decisions")[0]
    assert len(rooms) > 15
    assert rooms - set(re.findall(r"`(\w+)`", table)) == set()


def test_the_forward_pass_in_contributing_is_one() -> None:
    block = re.search(r"```python\n(.*?)```", page("CONTRIBUTING.md"), re.DOTALL)
    assert block is not None
    given = {"x": torch.ones(3, 2), "w": torch.ones(2, 1), "y": torch.zeros(3, 1), "n": torch.tensor(3)}
    tape = Tape(given)
    forward(textwrap.dedent(block[1]), given).play(tape)
    assert tape.values()["loss"].item() == 4.0


def test_no_page_and_no_source_names_a_folder_of_somebodys_machine() -> None:
    suspicious = re.compile(r"(?<![\w.])/(?:work|root|opt|home)/\w")
    files = [path for pattern in ("*.md", "*.py", "*.toml", "*.yml", "*.sh") for path in ROOT.rglob(pattern)]
    own = [path for path in files if not {".venv", "var", "hostile", "build"} & set(path.relative_to(ROOT).parts)]
    assert len(own) > 50
    assert [path.name for path in own if suspicious.search(path.read_text(encoding="utf-8"))] == []


def test_every_test_that_the_threat_model_names_is_there() -> None:
    named = re.findall(r"`(tests/[\w/.]+)(?:::(\w+))?`", page("docs/security.md"))
    assert len(named) > 20
    missing = [
        (path, test)
        for path, test in named
        if not (ROOT / path).exists() or (test and f"def {test}(" not in page(path))
    ]
    assert missing == []


def test_the_lock_has_a_hash_for_each_package_and_the_versions_that_were_tested() -> None:
    def normal(name: str) -> str:
        return name.lower().replace("_", "-")

    tested = {
        normal(name): version for name, version in re.findall(r"^([\w-]+)==(\S+)$", page("constraints.txt"), re.M)
    }
    locked = re.findall(
        r"^([\w-]+)==(\S+) \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", page("requirements.lock"), re.M
    )
    assert len(locked) > 30
    assert len(locked) == len(re.findall(r"^\S", page("requirements.lock"), re.M))
    assert {name: version for name, version, _ in locked if name != "setuptools"}.items() <= tested.items()
    wanted = tomllib.loads(page("pyproject.toml"))["project"]["dependencies"]
    names = {normal(re.match(r"[\w-]+", each)[0]) for each in wanted}  # type: ignore[index]
    assert names - {"torch"} <= {name for name, _, _ in locked}
    assert all(f"| {name} " in normal(page("docs/licences.md")) for name, _, _ in locked if name != "setuptools")


def test_what_is_quoted_of_origin_and_rounding_is_what_students_read() -> None:
    text = " ".join(page("docs/diagnosis.md").split())
    quoted = (
        NOT_HANDED_IN.format("dhpreact", "it"),
        BEYOND,
        FROM_ABOVE.format("bnvar"),
        IN_CONTEXT.format("hpreact"),
        CONSTANT_ABOVE.format("logprobs"),
    )
    assert [sentence for sentence in quoted if sentence not in text] == []
    assert "more than 65,536 elements" in text and BROADCAST_ELEMENTS_MAX == 65_536
    assert "known to 4 u" in text and FORWARD_ROUNDINGS == 4
    assert "u = 2⁻²⁴" in text and UNIT == 2.0**-24


def test_the_picture_in_the_readme_is_what_a_terminal_shows() -> None:
    program = runpy.run_path(str(ROOT / "docs" / "table.py"))
    assert program["picture"]() == page("docs/table.svg"), "draw it again: python docs/table.py > docs/table.svg"
