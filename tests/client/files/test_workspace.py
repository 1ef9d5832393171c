"""The folder that pull writes: complete, the student's own files safe, nothing outside of it."""

from __future__ import annotations

import ast
import json
import os
import warnings
from pathlib import Path, PureWindowsPath

import httpx2 as httpx
import pytest
import safetensors.torch
import torch

from dojo import errors
from dojo.api.responses import Checkpoint
from dojo.files import workspace
from dojo.files.workspace import Workspace, default_folder, find_workspace, open_workspace
from tests.client.fake import ADDRESS, SLUG, FakeDojo


def pull(fake: FakeDojo, folder: Path) -> workspace.Pulled:
    return workspace.pull(fake.connection, SLUG, folder)


def test_a_pulled_folder_is_complete(fake: FakeDojo, tmp_path: Path) -> None:
    pulled = pull(fake, tmp_path / "x")
    assert {each.name for each in (tmp_path / "x").iterdir()} == {
        ".dojo.json",
        "state.safetensors",
        "exercise.md",
        "solution.py",
        "exercise.ipynb",
    }
    assert open_workspace(tmp_path / "x") == pulled.workspace
    assert pulled.workspace.state() == fake.content
    assert pulled.workspace.checkpoints[0].lecture_url == f"{ADDRESS}/lecture?t=60"


def test_pulling_again_keeps_the_students_files(fake: FakeDojo, tmp_path: Path) -> None:
    pull(fake, tmp_path)
    (tmp_path / "solution.py").write_text("mine")
    (tmp_path / "exercise.ipynb").write_text("mine too")
    again = pull(fake, tmp_path)
    assert (tmp_path / "solution.py").read_text() == "mine"
    assert (tmp_path / "exercise.ipynb").read_text() == "mine too"
    assert again.written == ("exercise.md",)
    assert not again.new_state
    assert fake.requests[-1].headers["If-None-Match"] == f'"{fake.digest}"'


def test_a_damaged_state_is_fetched_again(fake: FakeDojo, tmp_path: Path) -> None:
    found = pull(fake, tmp_path).workspace
    found.state_path.write_bytes(b"half")
    with pytest.raises(errors.BadFile, match="dojo pull"):
        found.state()
    pull(fake, tmp_path)
    assert found.state() == fake.content


def test_a_new_state_is_said_so(fake: FakeDojo, tmp_path: Path) -> None:
    assert not pull(fake, tmp_path).new_state
    fake.content = safetensors.torch.save({"logits": torch.zeros(2, 3)})
    assert pull(fake, tmp_path).new_state
    assert "If-None-Match" not in fake.requests[-1].headers
    assert not pull(fake, tmp_path).new_state


def test_a_state_with_another_digest_is_not_kept(fake: FakeDojo, tmp_path: Path) -> None:
    def lie(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(200, content=b"other") if request.url.path.endswith("/state") else None

    fake.before = lie
    with pytest.raises(errors.NotADojo, match="digest"):
        pull(fake, tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_folder_of_another_exercise_is_not_touched(fake: FakeDojo, tmp_path: Path) -> None:
    pull(fake, tmp_path)
    mark = tmp_path / ".dojo.json"
    mark.write_text(mark.read_text().replace(SLUG, "makemore/other"))
    with pytest.raises(errors.BadFile, match=f"dojo pull {SLUG} --to FOLDER"):
        pull(fake, tmp_path)


def test_a_file_is_no_folder(fake: FakeDojo, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    with pytest.raises(errors.BadFile, match="is a file"):
        pull(fake, tmp_path / "x")


def test_an_empty_folder_is_filled(fake: FakeDojo, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    assert pull(fake, tmp_path / "x").workspace.exercise == SLUG


def test_progress_is_not_stored(fake: FakeDojo, tmp_path: Path) -> None:
    pull(fake, tmp_path)
    kept = json.loads((tmp_path / ".dojo.json").read_text())
    assert set(kept["checkpoints"][0]) == {"name", "shape", "lecture_start", "lecture_end", "lecture_url"}
    assert "folder" not in kept


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")
def test_files_are_as_readable_as_any_other(fake: FakeDojo, tmp_path: Path) -> None:
    pulled = pull(fake, tmp_path).workspace
    (tmp_path / "ordinary").write_text("")
    assert pulled.state_path.stat().st_mode == (tmp_path / "ordinary").stat().st_mode


def test_a_failed_write_leaves_no_temporary_file(fake: FakeDojo, tmp_path: Path) -> None:
    (tmp_path / "x" / "state.safetensors").mkdir(parents=True)
    (tmp_path / "x" / "state.safetensors" / "full").write_text("")
    mark = {"exercise": SLUG, "revision": 1, "course": "autumn", "server": ADDRESS, "digest": "0" * 64}
    (tmp_path / "x" / ".dojo.json").write_text(json.dumps({**mark, "checkpoints": []}))
    with pytest.raises(OSError):  # noqa: PT011 (which one it is depends on the system)
        pull(fake, tmp_path / "x")
    assert {each.name for each in (tmp_path / "x").iterdir()} == {".dojo.json", "state.safetensors"}


@pytest.mark.parametrize(
    ("text", "variable"), [("drop", "ddrop"), ("ddrop", "ddrop"), ("rop", None), ("h", "dh"), ("dh", "dh"), ("", None)]
)
def test_an_answer_is_found_under_both_names(tmp_path: Path, text: str, variable: str | None) -> None:
    checkpoints = (Checkpoint("drop"), Checkpoint("h"))
    found = Workspace(tmp_path, "a/b", 1, "c", "s", None, "0" * 64, checkpoints)
    assert found.variable(text) == variable


def test_a_folder_with_other_files_is_not_touched(fake: FakeDojo, tmp_path: Path) -> None:
    (tmp_path / "exercise.md").write_text("diary")
    with pytest.raises(errors.BadFile, match="--to FOLDER"):
        pull(fake, tmp_path)
    assert (tmp_path / "exercise.md").read_text() == "diary"


@pytest.mark.parametrize("name", ["a b", "x\nimport os", "class", "1x", "../x", "x;y"])
def test_a_checkpoint_must_be_an_identifier(fake: FakeDojo, tmp_path: Path, name: str) -> None:
    hostile = fake.exercise()
    hostile["checkpoints"][0]["name"] = name
    fake.before = lambda request: httpx.Response(200, json=hostile) if request.url.path.endswith(SLUG) else None
    with pytest.raises(errors.NotADojo, match=r"no variable|no usable “name”"):
        pull(fake, tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_an_exercise_without_checkpoints_makes_no_file(fake: FakeDojo, tmp_path: Path) -> None:
    empty = {**fake.exercise(), "checkpoints": []}
    fake.before = lambda request: httpx.Response(200, json=empty) if request.url.path.endswith(SLUG) else None
    with pytest.raises(errors.NotADojo, match="asks for nothing"):
        pull(fake, tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_hostile_text_stays_behind_the_hash(fake: FakeDojo, tmp_path: Path) -> None:
    hostile = fake.exercise()
    hostile["title"] = hostile["forward"] = "x\rimport os\n'''\x0cimport os\u2028import os"
    fake.before = lambda request: httpx.Response(200, json=hostile) if request.url.path.endswith(SLUG) else None
    pull(fake, tmp_path)
    statements = ast.parse((tmp_path / "solution.py").read_text()).body
    assert {type(each) for each in statements} == {ast.Assign, ast.Expr}
    cells = json.loads((tmp_path / "exercise.ipynb").read_text())["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert not any("import os" in each for each in code)


def test_the_server_cannot_name_a_folder(fake: FakeDojo, tmp_path: Path) -> None:
    with pytest.raises(errors.BadFile):
        default_folder("../x", tmp_path)
    fake.before = lambda _: httpx.Response(200, json={**fake.exercise(), "slug": "../../evil"})
    with pytest.raises(errors.NotADojo):
        pull(fake, tmp_path / "x")


def test_a_workspace_is_found_from_inside(fake: FakeDojo, tmp_path: Path) -> None:
    pull(fake, tmp_path / "x")
    (tmp_path / "x" / "drafts").mkdir()
    found = find_workspace(tmp_path / "x" / "drafts")
    assert found is not None
    assert found.exercise == SLUG
    (tmp_path / "x" / "1" / "2" / "3" / "4").mkdir(parents=True)
    assert find_workspace(tmp_path / "x" / "1" / "2" / "3") is not None
    assert find_workspace(tmp_path / "x" / "1" / "2" / "3" / "4") is None
    assert default_folder(SLUG, tmp_path / "x") == tmp_path / "x"
    assert default_folder(SLUG, tmp_path) == tmp_path / "cross-entropy"
    assert find_workspace(tmp_path) is None


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("full-backward", "full-backward"),
        ("console", "console"),
        ("con", "_con"),
        ("com1", "_com1"),
        ("nul.txt", "_nul.txt"),
        ("lpt9.a.b", "_lpt9.a.b"),
        ("dots.", "dots"),
    ],
)
def test_a_folders_name_is_one_on_windows_too(name: str, folder: str) -> None:
    assert default_folder(f"a/{name}", Path("/home")) == Path("/home") / folder
    there = PureWindowsPath("C:\\Users\\Ada") / folder
    assert there.parent == PureWindowsPath("C:\\Users\\Ada")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # in Python 3.13; its successor is there on Windows alone
        assert not there.is_reserved()


@pytest.mark.parametrize("slug", ["a/c:x", "a/..\\x", "a\\b", "c:/x", "a/x ", "a/%2e%2e"])
def test_a_slug_holds_no_path_of_windows(slug: str) -> None:
    with pytest.raises(errors.BadFile):
        default_folder(slug, Path())


@pytest.mark.parametrize(
    "mark",
    [
        "{",
        "PATH",
        "[]",
        '{"exercise": "../x"}',
        '{"exercise": "a/b", "checkpoints": [{"x": 1}]}',
    ],
)
def test_a_damaged_mark_is_explained(tmp_path: Path, mark: str) -> None:
    sound = {"exercise": "a/b", "revision": 1, "course": "c", "server": "s", "checkpoints": []}
    mark = json.dumps({**sound, "digest": "../../x"}) if "PATH" in mark else mark
    (tmp_path / ".dojo.json").write_text(mark)
    with pytest.raises(errors.BadFile):
        open_workspace(tmp_path)


def test_the_starter_names_the_lines_that_read_a_tensor(fake: FakeDojo, tmp_path: Path) -> None:
    pull(fake, tmp_path)
    text = (tmp_path / "solution.py").read_text()
    head, counts, logits = text.split("\n\n")
    assert "#    loss = counts.log().sum() * n\ndcounts = None\ncmp('counts', dcounts, counts)" in counts
    assert "#    counts = logits.exp()\ndlogits = None" in logits
    assert "dojo submit solution.py" in head
